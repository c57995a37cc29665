//! Form controls: each with its label, hint and error tied to it, and a summary of errors that
//! leads to the fields.

use crate::forms::Form;
use maud::{Markup, Render, html};

/// A field of one line, or of several.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text<'a> {
    pub form: &'a Form,
    pub name: &'a str,
    pub label: &'a str,
    pub hint: &'a str,
    pub kind: Kind,
    pub limit: usize,
    pub required: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Line,
    /// An address to write to; `autocomplete` by whose it is.
    Email(&'static str),
    Password,
    Lines,
}

impl Render for Text<'_> {
    fn render(&self) -> Markup {
        let Text { form, name, label, hint, kind, limit, required } = *self;
        let error = form.error(name);
        let described = described_by(name, hint, error);
        let (input_type, autocomplete) = match kind {
            Kind::Line | Kind::Lines => ("text", None),
            Kind::Email(autocomplete) => ("email", Some(autocomplete)),
            Kind::Password => ("password", Some("current-password")),
        };
        // A password is never sent back into a page.
        let value = if kind == Kind::Password { "" } else { form.value(name) };
        html! {
            div .field .has-error[error.is_some()] {
                (label_and_notes(name, label, hint, required, error))
                @if kind == Kind::Lines {
                    textarea id=(name) name=(name) rows="5" maxlength=(limit) required[required]
                        aria-describedby=[described] aria-invalid=[error.map(|_| "true")] { (value) }
                } @else {
                    input id=(name) name=(name) type=(input_type) maxlength=(limit) required[required]
                        value=(value) autocomplete=[autocomplete]
                        aria-describedby=[described] aria-invalid=[error.map(|_| "true")];
                }
            }
        }
    }
}

/// A choice out of a list: value and label of each.
#[derive(Debug, Clone, Copy)]
pub(super) struct Choice<'a> {
    pub form: &'a Form,
    pub name: &'a str,
    pub label: &'a str,
    pub hint: &'a str,
    pub options: &'a [(String, String)],
}

impl Render for Choice<'_> {
    fn render(&self) -> Markup {
        let Choice { form, name, label, hint, options } = *self;
        let error = form.error(name);
        html! {
            div .field .has-error[error.is_some()] {
                (label_and_notes(name, label, hint, true, error))
                select id=(name) name=(name) aria-describedby=[described_by(name, hint, error)] aria-invalid=[error.map(|_| "true")] {
                    (choices(options, form.value(name)))
                }
            }
        }
    }
}

/// `<option>`s, the current one selected.
pub(super) fn choices(options: &[(String, String)], current: &str) -> Markup {
    html! {
        @for (value, label) in options {
            option value=(value) selected[value == current] { (label) }
        }
    }
}

/// Value and label of every word of a vocabulary.
pub(super) fn words<T: Copy>(
    all: &[T],
    code: fn(T) -> &'static str,
    label: fn(T) -> &'static str,
) -> Vec<(String, String)> {
    all.iter().map(|word| (code(*word).to_owned(), label(*word).to_owned())).collect()
}

/// What is wrong, above a form, each line a link to its field. Nothing when nothing is.
pub(super) fn error_summary(form: &Form) -> Markup {
    html! {
        @if !form.is_valid() {
            section .error-summary role="alert" aria-labelledby="error-summary" {
                h2 #error-summary { "There is a problem" }
                ul {
                    @for error in form.errors() {
                        li { a href={ "#" (error.field) } { (error.message) } }
                    }
                }
            }
        }
    }
}

/// The page's title says first that there are errors.
pub(super) fn title(form: &Form, title: &str) -> String {
    if form.is_valid() { title.to_owned() } else { format!("Error: {title}") }
}

fn label_and_notes(
    name: &str,
    label: &str,
    hint: &str,
    required: bool,
    error: Option<&str>,
) -> Markup {
    html! {
        label for=(name) { (label) @if !required { span .optional { " (optional)" } } }
        @if !hint.is_empty() { p .hint id={ (name) "-hint" } { (hint) } }
        @if let Some(error) = error { p .field-error id={ (name) "-error" } { span { "Error: " } (error) } }
    }
}

fn described_by(name: &str, hint: &str, error: Option<&str>) -> Option<String> {
    let mut ids = Vec::new();
    if !hint.is_empty() {
        ids.push(format!("{name}-hint"));
    }
    if error.is_some() {
        ids.push(format!("{name}-error"));
    }
    (!ids.is_empty()).then(|| ids.join(" "))
}

//! The sign-in page.

use super::form::{Kind, Text, error_summary, title};
use super::layout::{self, Place};
use crate::forms::Form;
use crate::model::Email;
use crate::password;
use maud::{Markup, html};

/// Why this page is shown, if not for its own sake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    SignedOut,
    SignInFirst,
}

#[must_use]
pub fn page(site_name: &str, form: &Form, notice: Option<Notice>) -> Markup {
    layout::page(
        site_name,
        Place::Elsewhere,
        &title(form, "Sign in"),
        &html! {
            div .narrow {
                (error_summary(form))
                @match notice {
                    Some(Notice::SignedOut) => p .flash role="status" { "You are signed out." },
                    Some(Notice::SignInFirst) => p .flash role="status" { "Sign in to see that page." },
                    None => {}
                }
                h1 { "Sign in" }
                p .lead { "For those who run " (site_name) "." }
                form .card method="post" action="/sign-in" novalidate {
                    @if !form.value("next").is_empty() { input type="hidden" name="next" value=(form.value("next")); }
                    (Text { form, name: "email", label: "Email address", hint: "", kind: Kind::Email("username"), limit: Email::LIMIT, required: true })
                    (Text { form, name: "password", label: "Password", hint: "", kind: Kind::Password, limit: password::LENGTH_LIMIT, required: true })
                    p .actions { button type="submit" { "Sign in" } }
                }
            }
        },
    )
}

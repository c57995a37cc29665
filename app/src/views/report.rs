//! Telling of a problem, and being thanked for it.

use super::form::{Choice, Kind, Text, error_summary, title};
use super::icon;
use super::layout::{self, Place};
use crate::forms::Form;
use crate::model::{Component, Email, NewReport};
use maud::{Markup, html};

#[must_use]
pub fn form(site_name: &str, components: &[Component], form: &Form) -> Markup {
    let options: Vec<(String, String)> = std::iter::once((String::new(), "Not sure".to_owned()))
        .chain(components.iter().map(|c| (c.id.to_string(), c.name.clone())))
        .collect();
    layout::page(
        site_name,
        Place::Report,
        &title(form, "Report a problem"),
        &html! {
            (error_summary(form))
            h1 { "Report a problem" }
            p .lead { "Is something not working that this site says works? Tell the people who run it." }
            form .card method="post" action="/report" novalidate {
                (Choice { form, name: "component", label: "What is it about?", hint: "", options: &options })
                (Text { form, name: "summary", label: "What is wrong?", hint: "In a few words, such as “Search shows an error”.", kind: Kind::Line, limit: NewReport::SUMMARY_LIMIT, required: true })
                (Text { form, name: "details", label: "Details", hint: "What you did, what happened, and what you expected. No passwords, please.", kind: Kind::Lines, limit: NewReport::DETAILS_LIMIT, required: false })
                (Text { form, name: "email", label: "Your email address", hint: "Only to ask back. Only the operators see it.", kind: Kind::Email("email"), limit: Email::LIMIT, required: false })
                div .decoy[form.error("nothing").is_none()] {
                    (Text { form, name: "nothing", label: "Leave this field empty", hint: "", kind: Kind::Line, limit: 100, required: false })
                }
                p .actions { button type="submit" { "Send report" } }
            }
        },
    )
}

#[must_use]
pub fn thanks(site_name: &str) -> Markup {
    layout::page(
        site_name,
        Place::Report,
        "Thank you",
        &html! {
            section .notice-page .good {
                (icon::done())
                h1 { "Thank you" }
                p { "Your report is with the operators. If it turns out to be an incident, it appears on the status page." }
                p { a .button href="/" { "To the status page" } }
            }
        },
    )
}

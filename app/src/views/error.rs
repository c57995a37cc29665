//! The page of a refusal or a failure: what happened, and what to do now.

use super::layout::{self, Place};
use axum::http::StatusCode;
use maud::{Markup, html};

/// `reference`: the request's id, for a visitor to quote and an operator to find in the log.
#[must_use]
pub fn page(site_name: &str, status: StatusCode, reference: Option<&str>) -> Markup {
    let (title, advice) = words(status);
    layout::page(
        site_name,
        Place::Elsewhere,
        title,
        &html! {
            section .notice-page {
                p .notice-code { (status.as_u16()) }
                h1 { (title) }
                p { (advice) }
                @if let Some(reference) = reference {
                    p .muted { "Reference: " code { (reference) } }
                }
                p { a .button href="/" { "To the status page" } }
            }
        },
    )
}

fn words(status: StatusCode) -> (&'static str, &'static str) {
    match status.as_u16() {
        400 => ("That request made no sense", "Go back, reload the page and try again."),
        403 => (
            "That form came from somewhere else",
            "Forms are accepted from this site's own pages only. Open the page here and send it again.",
        ),
        404 => (
            "There is nothing at this address",
            "The link may be old, or the address may have a typing error.",
        ),
        405 => ("That cannot be done here", "Go back and use the form or the link on the page."),
        413 => ("That was too long", "Go back, shorten what you wrote and send it again."),
        415 => ("That is not a form", "Open the page here and send its form."),
        429 => ("Too many attempts", "Wait a minute, then try again. What you sent was not kept."),
        503 => {
            ("Too much is going on", "The server has its hands full. Try again in a few seconds.")
        }
        code if code >= 500 => (
            "Something went wrong here",
            "The fault is ours and has been noted. Try again in a moment.",
        ),
        _ => ("That did not work", "Go back and try again."),
    }
}

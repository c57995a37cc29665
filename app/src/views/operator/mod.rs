//! The operator's pages.

pub mod components;
pub mod incidents;
pub mod overview;
pub mod reports;

use super::layout::{self, Place};
use crate::session::CurrentOperator;
use maud::{Markup, html};

/// Which of the operator's pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tab {
    Overview,
    Reports,
    Components,
}

const TABS: [(Tab, &str, &str); 3] = [
    (Tab::Overview, "/operator", "Overview"),
    (Tab::Reports, "/operator/reports", "Reports"),
    (Tab::Components, "/operator/components", "Components"),
];

fn page(
    site_name: &str,
    operator: &CurrentOperator,
    tab: Tab,
    title: &str,
    main: &Markup,
) -> Markup {
    layout::page(
        site_name,
        Place::Operator,
        title,
        &html! {
            div .operator-bar {
                nav aria-label="Operator" {
                    ul {
                        @for (target, href, label) in TABS {
                            li { a href=(href) aria-current=[(target == tab).then_some("true")] { (label) } }
                        }
                    }
                }
                form method="post" action="/sign-out" {
                    span .muted { (operator.email) }
                    button .quiet .small type="submit" { "Sign out" }
                }
            }
            @if let Some(flash) = &operator.flash { p .flash role="status" { (flash) } }
            (main)
        },
    )
}

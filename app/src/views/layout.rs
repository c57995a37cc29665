//! What all pages share: head, header, footer.

use super::icon;
use crate::assets::STYLES_PATH;
use maud::{DOCTYPE, Markup, html};

/// Where in the site a page stands; its link in the header says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Status,
    History,
    Incident,
    Report,
    Operator,
    Elsewhere,
}

const NAVIGATION: [(Place, &str, &str); 3] = [
    (Place::Status, "/", "Status"),
    (Place::History, "/history", "History"),
    (Place::Report, "/report", "Report a problem"),
];

/// A whole page. `title` stands before the site's name, unless it is empty.
pub(super) fn page(site_name: &str, place: Place, title: &str, main: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { @if title.is_empty() { (site_name) " status" } @else { (title) " · " (site_name) } }
                meta name="color-scheme" content="light dark";
                meta name="theme-color" content="#f4f6fa" media="(prefers-color-scheme: light)";
                meta name="theme-color" content="#0c1220" media="(prefers-color-scheme: dark)";
                @if matches!(place, Place::Operator | Place::Elsewhere) {
                    meta name="robots" content="noindex";
                } @else {
                    meta name="description" content={ "Current state, incidents and history of " (site_name) "." };
                }
                link rel="stylesheet" href=(*STYLES_PATH);
                link rel="icon" href="/favicon.svg" type="image/svg+xml";
                link rel="apple-touch-icon" href="/apple-touch-icon.png";
            }
            body class=[(place == Place::Operator).then_some("wide")] {
                a .skip href="#main" { "Skip to the content" }
                header .site-header {
                    a .brand href="/" {
                        (icon::mark())
                        span { (site_name) }
                    }
                    nav aria-label="Site" {
                        ul {
                            @for (target, href, label) in NAVIGATION {
                                li { a href=(href) aria-current=[(target == place).then_some("page")] { (label) } }
                            }
                        }
                    }
                }
                main #main tabindex="-1" { (main) }
                footer .site-footer {
                    p { "All times are in UTC." }
                    p { a href="/operator" { @if place == Place::Operator { "Overview" } @else { "Operator sign-in" } } }
                }
            }
        }
    }
}

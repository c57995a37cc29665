//! All incidents, month by month.

use super::layout::{self, Place};
use super::{status, text};
use crate::model::IncidentSummary;
use maud::{Markup, html};

/// `incidents` latest first; `older` leads to those that follow; `is_later` when this is not the
/// first page.
#[must_use]
pub fn page(
    site_name: &str,
    incidents: &[IncidentSummary],
    older: Option<&str>,
    is_later: bool,
) -> Markup {
    let months = incidents.chunk_by(|a, b| month(a) == month(b));
    layout::page(
        site_name,
        Place::History,
        "History",
        &html! {
            h1 { "History" }
            @if incidents.is_empty() {
                p .empty { "No incidents so far. When something goes wrong, what was said about it stays here." }
            }
            @for incidents in months {
                section {
                    h2 { (incidents.first().map(month).unwrap_or_default()) }
                    ol .card .incidents {
                        @for incident in incidents {
                            @if incident.resolved.is_some() { (status::line(incident)) }
                            @else { (open(incident)) }
                        }
                    }
                }
            }
            @if older.is_some() || is_later {
                nav .pages aria-label="Pages" {
                    @if is_later { a .button .quiet href="/history" { "Latest" } }
                    @if let Some(older) = older { a .button .quiet href=(older) rel="next" { "Older incidents" } }
                }
            }
        },
    )
}

fn month(incident: &IncidentSummary) -> String {
    incident.opened.date().strftime("%B %Y").to_string()
}

fn open(incident: &IncidentSummary) -> Markup {
    html! {
        li {
            h3 { a href={ "/incidents/" (incident.id) } { (incident.title) } }
            (text::open_incident(incident))
        }
    }
}

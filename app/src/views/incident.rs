//! One incident: what it touches, and what was said, latest first.

use super::layout::{self, Place};
use super::{icon, text};
use crate::model::{Incident, IncidentUpdate};
use maud::{Markup, html};

#[must_use]
pub fn page(site_name: &str, incident: &Incident) -> Markup {
    layout::page(
        site_name,
        Place::Incident,
        &incident.summary.title,
        &html! {
            article {
                header .page-head {
                    p { (text::progress(incident.summary.status)) }
                    h1 { (incident.summary.title) }
                    (facts(incident))
                }
                h2 { "Updates" }
                (timeline(&incident.updates))
                p .more { a href="/" { "To the status page" } }
            }
        },
    )
}

/// Impact, components and times, as a list of terms.
pub(super) fn facts(incident: &Incident) -> Markup {
    let summary = &incident.summary;
    html! {
        dl .facts {
            div { dt { "Impact" } dd { (summary.impact.label()) } }
            @if !incident.components.is_empty() {
                div {
                    dt { "Affects" }
                    dd { @for (index, (_, name)) in incident.components.iter().enumerate() { @if index > 0 { ", " } (name) } }
                }
            }
            div { dt { "Began" } dd { (text::time(summary.opened)) } }
            @if let Some(resolved) = summary.resolved {
                div { dt { "Resolved" } dd { (text::time(resolved)) } }
                div { dt { "Lasted" } dd { (text::duration(resolved.since(summary.opened))) } }
            }
        }
    }
}

pub(super) fn timeline(updates: &[IncidentUpdate]) -> Markup {
    html! {
        ol .timeline {
            @for update in updates {
                li class=(icon::progress_tone(update.status)) {
                    (icon::progress(update.status))
                    div {
                        h3 { (update.status.label()) }
                        p .meta { (text::time(update.at)) }
                        (text::prose(&update.message))
                    }
                }
            }
        }
    }
}

//! The status page: one sentence that says how things are, then the components, then what is and
//! what was wrong.

use super::layout::{self, Place};
use super::{icon, text};
use crate::model::{Component, ComponentState, IncidentSummary, Moment, history};
use jiff::civil::Date;
use maud::{Markup, html};

/// A component with its last fortnight.
pub type Watched = (Component, Vec<(Date, Option<ComponentState>)>);

#[derive(Debug)]
pub struct Status {
    pub components: Vec<Watched>,
    pub open: Vec<IncidentSummary>,
    pub recent: Vec<IncidentSummary>,
    pub now: Moment,
}

#[must_use]
pub fn page(site_name: &str, status: &Status) -> Markup {
    let worst = status.components.iter().map(|(c, _)| c.state).max();
    // Nothing to watch is neither well nor unwell: the mark stands there instead of a state.
    let (tone, sign) = worst.map_or(("planned", icon::mark()), |w| (icon::tone(w), icon::state(w)));
    layout::page(
        site_name,
        Place::Status,
        "",
        &html! {
            section class={ "banner " (tone) } aria-labelledby="overall" {
                (sign)
                div {
                    h1 #overall { (headline(status, worst)) }
                    p { "As of " (text::time(status.now)) }
                }
            }
            @if !status.open.is_empty() {
                section aria-labelledby="current" {
                    h2 #current { "Current incidents" }
                    @for incident in &status.open { (current(incident)) }
                }
            }
            section aria-labelledby="components" {
                h2 #components { "Components" }
                @if status.components.is_empty() {
                    p .empty { "Nothing is listed yet. Do you run this site? " a href="/operator/components" { "Add the first component" } "." }
                } @else {
                    ul .card .components { @for watched in &status.components { (row(watched)) } }
                    p .legend { "Bars show the last " (history::DAYS) " days, today at the right. The shorter a bar, the worse that day." }
                }
            }
            section aria-labelledby="recent" {
                h2 #recent { "Resolved in the last " (history::DAYS) " days" }
                @if status.recent.is_empty() {
                    p .empty { "No incidents." }
                } @else {
                    ol .card .incidents { @for incident in &status.recent { (line(incident)) } }
                }
                p .more { a href="/history" { "All incidents" } }
            }
        },
    )
}

fn headline(status: &Status, worst: Option<ComponentState>) -> &'static str {
    match worst {
        None => "Ready for its first component",
        Some(ComponentState::Operational) if status.open.is_empty() => "All systems operational",
        Some(ComponentState::Operational) => "Systems work, an incident is open",
        Some(ComponentState::Maintenance) => "Maintenance under way",
        Some(ComponentState::Degraded) => "Some systems are slow",
        Some(ComponentState::PartialOutage) => "Partial outage",
        Some(ComponentState::MajorOutage) => "Major outage",
    }
}

fn row((component, days): &Watched) -> Markup {
    html! {
        li {
            div .component-name {
                h3 { (component.name) }
                @if !component.description.is_empty() { p { (component.description) } }
            }
            (text::state(component.state))
            (strip(days))
        }
    }
}

/// Height of a day's bar out of 24, by its state; before the component was there, a dot.
fn height(state: Option<ComponentState>) -> u32 {
    match state {
        Some(ComponentState::Operational) => 24,
        Some(ComponentState::Maintenance) => 18,
        Some(ComponentState::Degraded) => 15,
        Some(ComponentState::PartialOutage) => 10,
        Some(ComponentState::MajorOutage) => 5,
        None => 2,
    }
}

fn strip(days: &[(Date, Option<ComponentState>)]) -> Markup {
    html! {
        svg .strip viewBox={ "0 0 " (days.len() * 8) " 24" } preserveAspectRatio="none" role="img" aria-label=(strip_words(days)) {
            @for (index, (day, state)) in days.iter().enumerate() {
                rect class=(state.map_or("none", icon::tone)) x=(index * 8 + 1) y=(24 - height(*state)) width="6" height=(height(*state)) rx="1.5" {
                    title { (day.strftime("%-d %b").to_string()) ": " (state.map_or("no data", ComponentState::label)) }
                }
            }
        }
    }
}

/// The strip for those who do not see it: the days that were not as they should be.
fn strip_words(days: &[(Date, Option<ComponentState>)]) -> String {
    let troubled: Vec<String> = days
        .iter()
        .filter_map(|(day, state)| {
            let state = state.filter(|s| *s != ComponentState::Operational)?;
            Some(format!("{}: {}", day.strftime("%-d %B"), state.label().to_lowercase()))
        })
        .collect();
    let span = format!("Last {} days", days.len());
    if troubled.is_empty() {
        format!("{span}: no trouble")
    } else {
        format!("{span}: {}", troubled.join(", "))
    }
}

fn current(incident: &IncidentSummary) -> Markup {
    html! {
        article class={ "card current " (icon::progress_tone(incident.status)) } {
            h3 { a href={ "/incidents/" (incident.id) } { (incident.title) } }
            (text::incident(incident))
            @if let Some(latest) = &incident.latest {
                div .latest {
                    p .update-head { (text::progress(latest.status)) (text::time(latest.at)) }
                    (text::prose(&latest.message))
                }
            }
        }
    }
}

/// An incident as a line in a list.
pub(super) fn line(incident: &IncidentSummary) -> Markup {
    html! {
        li {
            h3 { a href={ "/incidents/" (incident.id) } { (incident.title) } }
            (text::incident(incident))
            @if let Some(latest) = &incident.latest { (text::prose(&latest.message)) }
        }
    }
}

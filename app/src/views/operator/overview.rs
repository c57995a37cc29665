//! What needs attention: open incidents, new reports, the state of every component.

use super::{Tab, page as operator_page};
use crate::model::{Component, ComponentState, IncidentSummary, Report};
use crate::session::CurrentOperator;
use crate::views::form::{choices, words};
use crate::views::{icon, text};
use maud::{Markup, html};

#[derive(Debug)]
pub struct Overview {
    pub open: Vec<IncidentSummary>,
    pub components: Vec<Component>,
    /// The latest of the new ones.
    pub reports: Vec<Report>,
    pub report_count: u32,
}

#[must_use]
pub fn page(site_name: &str, operator: &CurrentOperator, overview: &Overview) -> Markup {
    operator_page(
        site_name,
        operator,
        Tab::Overview,
        "Overview",
        &html! {
            div .title-row {
                h1 { "Overview" }
                a .button href="/operator/incidents/new" { "Open an incident" }
            }
            div .columns {
                div {
                    section aria-labelledby="open" {
                        h2 #open { "Open incidents" }
                        @if overview.open.is_empty() { p .empty { "None. All is quiet." } }
                        @else { ul .card .list { @for incident in &overview.open { (incident_line(incident)) } } }
                    }
                    section aria-labelledby="reports" {
                        h2 #reports { "New reports" span .count { (overview.report_count) } }
                        @if overview.reports.is_empty() { p .empty { "None. Visitors report problems at " a href="/report" { "Report a problem" } "." } }
                        @else { ul .card .list { @for report in &overview.reports { (super::reports::line(report)) } } }
                        @if overview.report_count as usize > overview.reports.len() { p .more { a href="/operator/reports" { "All reports" } } }
                    }
                }
                section aria-labelledby="components" {
                    h2 #components { "Components" }
                    @if overview.components.is_empty() {
                        p .empty { "There are none yet. " a href="/operator/components" { "Add the first component" } " to bring the status page to life." }
                    } @else {
                        ul .card .list { @for component in &overview.components { (state_form(component)) } }
                    }
                }
            }
        },
    )
}

fn incident_line(incident: &IncidentSummary) -> Markup {
    html! {
        li {
            h3 { a href={ "/operator/incidents/" (incident.id) } { (incident.title) } }
            (text::open_incident(incident))
        }
    }
}

fn state_form(component: &Component) -> Markup {
    let id = format!("state-{}", component.id);
    let states = words(ComponentState::ALL, ComponentState::code, ComponentState::label);
    html! {
        li {
            form .inline-form method="post" action={ "/operator/components/" (component.id) "/state" } {
                label class={ "state " (icon::tone(component.state)) } for=(id) { (icon::state(component.state)) span .ink { (component.name) } }
                select id=(id) name="state" { (choices(&states, component.state.code())) }
                button .quiet .small type="submit" aria-label={ "Set the state of " (component.name) } { "Set" }
            }
        }
    }
}

//! Reports from visitors.

use super::{Tab, page};
use crate::model::{IncidentSummary, Report, Triage};
use crate::session::CurrentOperator;
use crate::views::text;
use maud::{Markup, html};

/// One page of reports in one state of triage.
#[derive(Debug)]
pub struct List {
    pub triage: Triage,
    pub counts: Vec<(Triage, u32)>,
    pub reports: Vec<Report>,
    /// Leads to those that follow.
    pub older: Option<String>,
}

#[must_use]
pub fn list(site_name: &str, operator: &CurrentOperator, page_of: &List) -> Markup {
    page(
        site_name,
        operator,
        Tab::Reports,
        "Reports",
        &html! {
            h1 { "Reports" }
            nav .filters aria-label="Reports by triage" {
                ul {
                    @for (triage, count) in &page_of.counts {
                        li {
                            a href={ "/operator/reports?triage=" (triage.code()) } aria-current=[(*triage == page_of.triage).then_some("page")] {
                                (triage.label()) " " span .count { (count) }
                            }
                        }
                    }
                }
            }
            h2 { (page_of.triage.label()) " reports" }
            @if page_of.reports.is_empty() { p .empty { "No reports here." } }
            @else { ul .card .list { @for report in &page_of.reports { (line(report)) } } }
            @if let Some(older) = &page_of.older { p .more { a href=(older) rel="next" { "Older reports" } } }
        },
    )
}

#[must_use]
pub fn show(
    site_name: &str,
    operator: &CurrentOperator,
    report: &Report,
    open: &[IncidentSummary],
) -> Markup {
    let action = format!("/operator/reports/{}", report.id);
    page(
        site_name,
        operator,
        Tab::Reports,
        &report.summary,
        &html! {
            header .page-head {
                h1 { (report.summary) }
                dl .facts {
                    div { dt { "Received" } dd { (text::time(report.received)) } }
                    div { dt { "About" } dd { (report.component.as_deref().unwrap_or("Not said")) } }
                    div { dt { "From" } dd { (report.email.as_deref().unwrap_or("No address given")) } }
                    div { dt { "Triage" } dd { (report.triage.label()) } }
                    @if let Some(incident) = report.incident {
                        div { dt { "Incident" } dd { a href={ "/operator/incidents/" (incident) } { "Number " (incident) } } }
                    }
                }
            }
            div .columns {
                section aria-labelledby="details" {
                    h2 #details { "Details" }
                    @if report.details.is_empty() { p .empty { "No details were given." } }
                    @else { div .card .padded { (text::prose(&report.details)) } }
                }
                section aria-labelledby="triage" {
                    h2 #triage { "What becomes of it" }
                    form .actions method="post" action=(action) {
                        @for triage in Triage::ALL {
                            @if *triage != report.triage {
                                button .quiet type="submit" name="triage" value=(triage.code()) { (act(*triage)) }
                            }
                        }
                    }
                    @if report.incident.is_none() {
                        @if !open.is_empty() { (link_form(&action, open)) }
                        p .more { a href={ "/operator/incidents/new?report=" (report.id) } { "Open an incident from this report" } }
                    }
                }
            }
        },
    )
}

fn link_form(action: &str, open: &[IncidentSummary]) -> Markup {
    html! {
        form .card method="post" action=(action) {
            div .field {
                label for="incident" { "Part of an open incident" }
                select #incident name="incident" {
                    @for incident in open { option value=(incident.id) { (incident.title) } }
                }
            }
            p .actions { button .quiet type="submit" { "Link to incident" } }
        }
    }
}

/// A report as a line in a list.
pub(super) fn line(report: &Report) -> Markup {
    html! {
        li {
            h3 { a href={ "/operator/reports/" (report.id) } { (report.summary) } }
            (text::parts(&[
                html! { (report.component.as_deref().unwrap_or("Not sure what about")) },
                text::time(report.received),
            ]))
        }
    }
}

fn act(triage: Triage) -> &'static str {
    match triage {
        Triage::New => "Mark as new",
        Triage::Acknowledged => "Acknowledge",
        Triage::Dismissed => "Dismiss",
    }
}

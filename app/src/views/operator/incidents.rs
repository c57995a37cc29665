//! Opening an incident, and telling how it goes on.

use super::{Tab, page};
use crate::forms::Form;
use crate::model::{
    Component, ComponentState, Impact, Incident, IncidentStatus, IncidentUpdate, NewIncident,
};
use crate::session::CurrentOperator;
use crate::views::form::{Choice, Kind, Text, error_summary, title, words};
use crate::views::{incident as public, text};
use maud::{Markup, html};

#[must_use]
pub fn new(
    site_name: &str,
    operator: &CurrentOperator,
    components: &[Component],
    form: &Form,
) -> Markup {
    let impacts = words(Impact::ALL, Impact::code, Impact::label);
    let unresolved: Vec<IncidentStatus> =
        IncidentStatus::ALL.iter().copied().filter(|s| *s != IncidentStatus::Resolved).collect();
    let statuses = words(&unresolved, IncidentStatus::code, IncidentStatus::label);
    let mut states = words(ComponentState::ALL, ComponentState::code, ComponentState::label);
    // What an incident most often does to a component comes first, and so is the default.
    states.sort_by_key(|(code, _)| code != ComponentState::Degraded.code());
    page(
        site_name,
        operator,
        Tab::Overview,
        &title(form, "Open an incident"),
        &html! {
            div .reading {
                (error_summary(form))
                h1 { "Open an incident" }
                p .lead { "It is public as soon as you send this form." }
                form .card method="post" action="/operator/incidents" novalidate {
                    @if !form.value("report").is_empty() { input type="hidden" name="report" value=(form.value("report")); }
                    (Text { form, name: "title", label: "Title", hint: "What visitors notice, such as “Sign-in fails for some people”.", kind: Kind::Line, limit: NewIncident::TITLE_LIMIT, required: true })
                    div .pair {
                        (Choice { form, name: "impact", label: "Impact", hint: "", options: &impacts })
                        (Choice { form, name: "status", label: "Status", hint: "", options: &statuses })
                    }
                    (Text { form, name: "message", label: "First update", hint: "What is known, and when you will say more.", kind: Kind::Lines, limit: IncidentUpdate::MESSAGE_LIMIT, required: true })
                    @if !components.is_empty() {
                        fieldset .has-error[form.error("component").is_some()] aria-describedby=[form.error("component").map(|_| "component-error")] {
                            legend { "Affected components" span .optional { " (optional)" } }
                            @if let Some(error) = form.error("component") { p .field-error #component-error { span { "Error: " } (error) } }
                            // The summary of errors leads to the first box.
                            @for (index, component) in components.iter().enumerate() {
                                @let id = component.id.to_string();
                                label .check { input type="checkbox" id=[(index == 0).then_some("component")] name="component" value=(id) checked[form.all("component").any(|v| v == id)]; (component.name) }
                            }
                        }
                        (Choice { form, name: "component_state", label: "Their state becomes", hint: "", options: &states })
                    } @else {
                        input type="hidden" name="component_state" value=(ComponentState::Degraded.code());
                    }
                    p .actions {
                        button type="submit" { "Open incident" }
                        a href="/operator" { "Cancel" }
                    }
                }
            }
        },
    )
}

#[must_use]
pub fn show(
    site_name: &str,
    operator: &CurrentOperator,
    incident: &Incident,
    form: &Form,
) -> Markup {
    let summary = &incident.summary;
    let statuses = words(IncidentStatus::ALL, IncidentStatus::code, IncidentStatus::label);
    let is_open = summary.resolved.is_none();
    page(
        site_name,
        operator,
        Tab::Overview,
        &title(form, &summary.title),
        &html! {
            (error_summary(form))
            header .page-head {
                p { (text::progress(summary.status)) }
                h1 { (summary.title) }
                (public::facts(incident))
                p .more { a href={ "/incidents/" (summary.id) } { "Public page" } }
            }
            div .columns {
                section aria-labelledby="update" {
                    h2 #update { @if is_open { "Post an update" } @else { "Add to a resolved incident" } }
                    form .card method="post" action={ "/operator/incidents/" (summary.id) "/updates" } novalidate {
                        (Choice { form, name: "status", label: "Status", hint: if is_open { "“Resolved” closes the incident." } else { "Anything but “Resolved” opens the incident again." }, options: &statuses })
                        (Text { form, name: "message", label: "Message", hint: "", kind: Kind::Lines, limit: IncidentUpdate::MESSAGE_LIMIT, required: true })
                        @if is_open && !incident.components.is_empty() {
                            label .check { input type="checkbox" name="restore" value="yes" checked[form.value("restore") == "yes"]; "When resolved, set the affected components back to operational" }
                        }
                        p .actions { button type="submit" { "Post update" } }
                    }
                }
                section aria-labelledby="updates" {
                    h2 #updates { "Updates" }
                    (public::timeline(&incident.updates))
                }
            }
        },
    )
}

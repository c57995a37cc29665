//! Opening, updating and resolving incidents.

use super::{invalid, redirect, say};
use crate::error::{AppError, AppResult};
use crate::forms::Form;
use crate::model::{
    Component, ComponentId, ComponentState, Impact, IncidentId, IncidentStatus, IncidentUpdate,
    Moment, NewIncident, ReportId,
};
use crate::session::CurrentOperator;
use crate::state::AppState;
use crate::store::{components, incidents, reports};
use crate::views::operator::incidents as views;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};

/// `?report=ID` starts from what a visitor said.
pub async fn form(
    State(state): State<AppState>,
    RawQuery(query): RawQuery,
    operator: CurrentOperator,
) -> AppResult<Response> {
    let report = query.as_deref().and_then(|q| q.strip_prefix("report=")).and_then(ReportId::parse);
    let (components, report) = state
        .store
        .read(move |c| {
            Ok((components::all(c)?, report.map(|id| reports::find(c, id)).transpose()?))
        })
        .await?;
    let form = report.map_or_else(Form::default, |report| {
        let named = components.iter().find(|c| Some(&c.name) == report.component.as_ref());
        Form::prefilled(&[
            ("report", &report.id.to_string()),
            ("title", &report.summary),
            ("component", &named.map(|c| c.id.to_string()).unwrap_or_default()),
        ])
    });
    Ok(views::new(&state.site.name, &operator, &components, &form).into_response())
}

pub async fn open(
    State(state): State<AppState>,
    operator: CurrentOperator,
    mut form: Form,
) -> AppResult<Response> {
    let components = state.store.read(components::all).await?;
    let Some(new) = parse_new(&mut form, &components) else {
        return Ok(invalid(views::new(&state.site.name, &operator, &components, &form)));
    };
    let report = ReportId::parse(form.value("report"));
    let id = state
        .store
        .write(move |t| {
            let id = incidents::create(t, &new, Moment::now())?;
            if let Some(report) = report {
                reports::link(t, report, id)?;
            }
            say(t, operator.token, "The incident is open and on the status page.")?;
            Ok(id)
        })
        .await?;
    Ok(redirect(&format!("/operator/incidents/{id}")))
}

pub async fn show(
    State(state): State<AppState>,
    Path(id): Path<String>,
    operator: CurrentOperator,
) -> AppResult<Response> {
    let id = IncidentId::parse(&id).ok_or(AppError::NotFound)?;
    let incident = state.store.read(move |c| incidents::find(c, id)).await?;
    let status = incident.summary.status.code();
    let form = Form::prefilled(&[("status", status), ("restore", "yes")]);
    Ok(views::show(&state.site.name, &operator, &incident, &form).into_response())
}

pub async fn update(
    State(state): State<AppState>,
    Path(id): Path<String>,
    operator: CurrentOperator,
    mut form: Form,
) -> AppResult<Response> {
    let id = IncidentId::parse(&id).ok_or(AppError::NotFound)?;
    let status = form.choice("status", IncidentStatus::parse);
    let message =
        form.text("message", IncidentUpdate::MESSAGE_LIMIT, Some("Say what is known now"));
    let restore_components = form.value("restore") == "yes";
    let Some(status) = status.filter(|_| form.is_valid()) else {
        let incident = state.store.read(move |c| incidents::find(c, id)).await?;
        return Ok(invalid(views::show(&state.site.name, &operator, &incident, &form)));
    };
    state
        .store
        .write(move |t| {
            incidents::update(t, id, status, &message, restore_components, Moment::now())?;
            let said = match status {
                IncidentStatus::Resolved => "The incident is resolved.",
                _ => "The update is on the status page.",
            };
            say(t, operator.token, said)
        })
        .await?;
    Ok(redirect(&format!("/operator/incidents/{id}")))
}

fn parse_new(form: &mut Form, components: &[Component]) -> Option<NewIncident> {
    let title = form.line("title", NewIncident::TITLE_LIMIT, Some("Give the incident a title"));
    let impact = form.choice("impact", Impact::parse);
    let status = form.choice("status", |text| {
        IncidentStatus::parse(text).filter(|status| *status != IncidentStatus::Resolved)
    });
    let message =
        form.text("message", IncidentUpdate::MESSAGE_LIMIT, Some("Say what is known so far"));
    let chosen: Option<Vec<ComponentId>> = form
        .all("component")
        .filter(|text| !text.is_empty())
        .map(|text| {
            let id = ComponentId::parse(text)?;
            components.iter().any(|c| c.id == id).then_some(id)
        })
        .collect();
    let mut chosen = chosen.unwrap_or_else(|| {
        form.reject("component", "One of these components has just been removed; choose again");
        Vec::new()
    });
    chosen.sort_unstable();
    chosen.dedup();
    let component_state = form.choice("component_state", ComponentState::parse);
    form.is_valid().then_some(NewIncident {
        title,
        impact: impact?,
        status: status?,
        message,
        components: chosen,
        component_state: component_state?,
    })
}

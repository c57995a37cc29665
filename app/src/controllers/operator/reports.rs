//! Reports from visitors, and what becomes of them.

use super::{redirect, say};
use crate::error::{AppError, AppResult};
use crate::forms::Form;
use crate::model::{IncidentId, ReportId, Triage};
use crate::session::CurrentOperator;
use crate::state::AppState;
use crate::store::{incidents, reports};
use crate::views::operator::reports as views;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};

const PER_PAGE: usize = 25;

/// `?triage=WORD` and, for further pages, `&before=ID`.
pub async fn list(
    State(state): State<AppState>,
    RawQuery(query): RawQuery,
    operator: CurrentOperator,
) -> AppResult<Response> {
    let query = query.unwrap_or_default();
    let value = |name: &str| {
        form_urlencoded::parse(query.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value)
    };
    let triage = match value("triage") {
        None => Triage::New,
        Some(word) => Triage::parse(&word).ok_or(AppError::NotFound)?,
    };
    let before = match value("before") {
        None => None,
        Some(id) => Some(ReportId::parse(&id).ok_or(AppError::NotFound)?),
    };
    let limit = u32::try_from(PER_PAGE + 1).unwrap_or(u32::MAX);
    let (mut found, counts) = state
        .store
        .read(move |c| {
            let counts = Triage::ALL
                .iter()
                .map(|triage| Ok((*triage, reports::count(c, *triage)?)))
                .collect::<Result<Vec<_>, crate::store::StoreError>>()?;
            Ok((reports::list(c, triage, before, limit)?, counts))
        })
        .await?;
    let has_more = found.len() > PER_PAGE;
    found.truncate(PER_PAGE);
    let older = found
        .last()
        .filter(|_| has_more)
        .map(|report| format!("/operator/reports?triage={}&before={}", triage.code(), report.id));
    let page = views::List { triage, counts, reports: found, older };
    Ok(views::list(&state.site.name, &operator, &page).into_response())
}

pub async fn show(
    State(state): State<AppState>,
    Path(id): Path<String>,
    operator: CurrentOperator,
) -> AppResult<Response> {
    let id = ReportId::parse(&id).ok_or(AppError::NotFound)?;
    let (report, open) =
        state.store.read(move |c| Ok((reports::find(c, id)?, incidents::open(c)?))).await?;
    Ok(views::show(&state.site.name, &operator, &report, &open).into_response())
}

pub async fn triage(
    State(state): State<AppState>,
    Path(id): Path<String>,
    operator: CurrentOperator,
    form: Form,
) -> AppResult<Response> {
    let id = ReportId::parse(&id).ok_or(AppError::NotFound)?;
    let incident = IncidentId::parse(form.value("incident"));
    let word = Triage::parse(form.value("triage"));
    if incident.is_none() && word.is_none() {
        return Err(AppError::BadRequest);
    }
    state
        .store
        .write(move |t| {
            let said = match (incident, word) {
                (Some(incident), _) => {
                    incidents::find(t, incident)?;
                    reports::link(t, id, incident)?;
                    "The report is part of the incident."
                }
                (None, Some(word)) => {
                    reports::set_triage(t, id, word)?;
                    match word {
                        Triage::New => "The report is new again.",
                        Triage::Acknowledged => "The report is acknowledged.",
                        Triage::Dismissed => "The report is dismissed.",
                    }
                }
                (None, None) => return Ok(()),
            };
            say(t, operator.token, said)
        })
        .await?;
    Ok(redirect("/operator/reports"))
}

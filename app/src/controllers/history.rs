//! `/history`: all incidents, a page at a time.

use super::public_page;
use crate::error::{AppError, AppResult};
use crate::model::{IncidentId, Moment};
use crate::state::AppState;
use crate::store::incidents;
use crate::views;
use axum::extract::{RawQuery, State};
use axum::response::Response;

const PER_PAGE: usize = 30;

pub async fn show(State(state): State<AppState>, RawQuery(query): RawQuery) -> AppResult<Response> {
    let before = match query.as_deref() {
        None | Some("") => None,
        Some(query) => Some(parse_cursor(query).ok_or(AppError::NotFound)?),
    };
    let limit = u32::try_from(PER_PAGE + 1).unwrap_or(u32::MAX);
    let mut found = state.store.read(move |c| incidents::before(c, before, limit)).await?;
    let has_more = found.len() > PER_PAGE;
    found.truncate(PER_PAGE);
    let older = found
        .last()
        .filter(|_| has_more)
        .map(|i| format!("/history?before={}.{}", i.opened.0, i.id));
    let page = views::history::page(&state.site.name, &found, older.as_deref(), before.is_some());
    Ok(public_page(page))
}

/// `before=MOMENT.ID`: the last incident of the page before this one.
fn parse_cursor(query: &str) -> Option<(Moment, IncidentId)> {
    let (moment, id) = query.strip_prefix("before=")?.split_once('.')?;
    Some((Moment(moment.parse().ok()?), IncidentId::parse(id)?))
}

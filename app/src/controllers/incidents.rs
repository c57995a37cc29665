//! `/incidents/{id}`: one incident and what was said about it.

use super::public_page;
use crate::error::{AppError, AppResult};
use crate::model::IncidentId;
use crate::state::AppState;
use crate::store::incidents;
use crate::views;
use axum::extract::{Path, State};
use axum::response::Response;

pub async fn show(State(state): State<AppState>, Path(id): Path<String>) -> AppResult<Response> {
    let id = IncidentId::parse(&id).ok_or(AppError::NotFound)?;
    let incident = state.store.read(move |c| incidents::find(c, id)).await?;
    Ok(public_page(views::incident::page(&state.site.name, &incident)))
}

//! `/`: how things are.

use super::public_page;
use crate::error::AppResult;
use crate::model::{Moment, day_start, history};
use crate::state::AppState;
use crate::store::{components, incidents};
use crate::views;
use axum::extract::State;
use axum::response::Response;

/// Resolved incidents on the page; older ones are in the history.
const RECENT_LIMIT: u32 = 20;

pub async fn show(State(state): State<AppState>) -> AppResult<Response> {
    let now = Moment::now();
    let since = day_start(history::first_day(now));
    let (components, changes, open, recent) = state
        .store
        .read(move |c| {
            Ok((
                components::all(c)?,
                components::changes(c, since)?,
                incidents::open(c)?,
                incidents::resolved_since(c, since, RECENT_LIMIT)?,
            ))
        })
        .await?;
    let components = components
        .into_iter()
        .map(|component| {
            let days = history::daily_worst(&component, &changes, now);
            (component, days)
        })
        .collect();
    // By the minute, so that a reload within it is answered by 304.
    let page = views::status::Status { components, open, recent, now: now.minute() };
    Ok(public_page(views::status::page(&state.site.name, &page)))
}

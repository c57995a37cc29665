//! `/operator`: what needs attention.

use crate::error::AppResult;
use crate::model::Triage;
use crate::session::CurrentOperator;
use crate::state::AppState;
use crate::store::{components, incidents, reports};
use crate::views::operator::overview::{Overview, page};
use axum::extract::State;
use maud::Markup;

/// Reports on the overview; the rest is one click away.
const REPORT_LIMIT: u32 = 5;

pub async fn show(State(state): State<AppState>, operator: CurrentOperator) -> AppResult<Markup> {
    let overview = state
        .store
        .read(|c| {
            Ok(Overview {
                open: incidents::open(c)?,
                components: components::all(c)?,
                reports: reports::list(c, Triage::New, None, REPORT_LIMIT)?,
                report_count: reports::count(c, Triage::New)?,
            })
        })
        .await?;
    Ok(page(&state.site.name, &operator, &overview))
}

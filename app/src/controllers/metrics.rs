//! `/metrics`. Route names and rates are nobody else's business: with a token, whoever has it is
//! answered; without one, only a request that came from this machine directly, to a server whose
//! public address is this machine. A proxy in front, which would make every visitor look local,
//! shows itself by the headers it adds or by a public address that is set. Everyone else gets 404.

use crate::client_address;
use crate::error::{AppError, AppResult};
use crate::metrics::{CONTENT_TYPE, Gauges};
use crate::model::{Moment, Triage};
use crate::state::AppState;
use crate::store::{incidents, reports, sessions};
use axum::extract::{Request, State};
use axum::http::header;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

/// Headers that a proxy adds.
const FORWARDED: [&str; 6] =
    ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via"];

pub async fn show(State(state): State<AppState>, request: Request) -> AppResult<Response> {
    let (parts, _) = request.into_parts();
    if !may_scrape(&parts, &state) {
        return Err(AppError::NotFound);
    }
    let now = Moment::now();
    let database_size_bytes = state.store.size_bytes();
    let gauges = state
        .store
        .read(move |c| {
            Ok(Gauges {
                database_size_bytes,
                sessions: sessions::count(c, now)?,
                open_incidents: incidents::open_count(c)?,
                new_reports: reports::count(c, Triage::New)?,
            })
        })
        .await?;
    Ok(([(header::CONTENT_TYPE, CONTENT_TYPE)], state.metrics.render(gauges)).into_response())
}

fn may_scrape(parts: &Parts, state: &AppState) -> bool {
    if let Some(token) = &state.metrics_token {
        let given = parts
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "));
        // Digests are compared, so that the time taken says nothing about the token.
        return given.is_some_and(|given| Sha256::digest(given) == Sha256::digest(&token.0));
    }
    state.site.public_url.is_loopback()
        && client_address::peer(parts).is_loopback()
        && !FORWARDED.iter().any(|name| parts.headers.contains_key(*name))
}

//! A request id, one log line and the metrics of each request. Lines name the route and never the
//! path as sent: a query string or a made-up path may hold anything.

use crate::client_address;
use crate::state::AppState;
use crate::token::hex;
use axum::extract::{MatchedPath, Request, State};
use axum::http::HeaderValue;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;
use std::time::Instant;
use tracing::Instrument;

const HEADER: &str = "x-request-id";
/// Longest id that is taken over from a proxy.
const FOREIGN_LIMIT: usize = 64;
/// Bytes of an id of ours: no two meet in one log.
const ID_BYTES: usize = 12;

/// Names one request in logs, in its answer and on its error page.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

pub async fn layer(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let _in_flight = state.metrics.begin();
    let (mut parts, body) = request.into_parts();
    let id = id(&parts, &state);
    parts.extensions.insert(RequestId(id.clone()));
    let method = parts.method.clone();
    let route = parts
        .extensions
        .get::<MatchedPath>()
        .map_or_else(|| "unmatched".to_owned(), |path| path.as_str().to_owned());

    let span = tracing::info_span!("request", id, %method, route);
    let mut response = next.run(Request::from_parts(parts, body)).instrument(span.clone()).await;

    let status = response.status();
    let took = started.elapsed();
    state.metrics.record(&route, &method, status, took);
    let took_ms = took.as_micros() as f64 / 1_000.0;
    let _entered = span.entered();
    if status.is_server_error() {
        tracing::error!(status = status.as_u16(), took_ms, "answered");
    } else if route.starts_with("/health") || route == "/metrics" {
        tracing::debug!(status = status.as_u16(), took_ms, "answered");
    } else {
        tracing::info!(status = status.as_u16(), took_ms, "answered");
    }
    if let Ok(value) = HeaderValue::try_from(id) {
        response.headers_mut().insert(HEADER, value);
    }
    response
}

fn id(parts: &Parts, state: &AppState) -> String {
    let is_plain = |text: &&str| {
        (1..=FOREIGN_LIMIT).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    let foreign = parts.headers.get(HEADER).and_then(|v| v.to_str().ok()).filter(is_plain);
    match foreign {
        Some(id)
            if client_address::is_trusted(client_address::peer(parts), &state.trusted_proxies) =>
        {
            id.to_owned()
        }
        _ => {
            let mut bytes = [0; ID_BYTES];
            // Without randomness the ids are all alike, which is no reason to refuse a request.
            let _ = getrandom::fill(&mut bytes);
            hex(&bytes)
        }
    }
}

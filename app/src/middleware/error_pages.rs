//! A page for every refusal, our own and the framework's. An answer that already has a page (a form
//! with errors) or is meant for a machine (health) is left alone.

use super::RequestId;
use crate::state::AppState;
use crate::views;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

pub async fn layer(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let id = request.extensions().get::<RequestId>().cloned();
    let response = next.run(request).await;
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) || is_finished(response.headers()) {
        return response;
    }
    if let Some(reason) = refusal(status.as_u16()) {
        state.metrics.refuse(reason);
    }
    let (mut parts, _) = response.into_parts();
    for name in [header::CONTENT_TYPE, header::CONTENT_LENGTH, header::ETAG] {
        parts.headers.remove(name);
    }
    let id = id.filter(|_| status.is_server_error());
    let page = views::error::page(&state.site.name, status, id.as_ref().map(|id| id.0.as_str()));
    (status, parts.headers, page).into_response()
}

fn is_finished(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|kind| kind.starts_with("text/html") || kind.contains("json"))
}

/// The reason under which `/metrics` counts a refusal.
fn refusal(status: u16) -> Option<&'static str> {
    Some(match status {
        403 => "cross-site",
        413 => "body-too-large",
        429 => "rate-limited",
        503 => "no-room",
        _ => return None,
    })
}

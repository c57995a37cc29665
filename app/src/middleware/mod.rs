//! What happens around every request, whatever its route. The order is part of the meaning, and is
//! said here once, outermost first:
//!
//! 1. `observe`: request id, log line, metrics; sees what really left
//! 2. compression
//! 3. `security_headers`: on every answer, so also on a panic's
//! 4. `error_pages`: gives a refusal its page
//! 5. catching panics
//! 6. `limits`: requests at once, time of each
//! 7. `cross_site`: forms that other sites send
//! 8. `conditional`: 304 for pages that did not change
//! 9. size of a body

mod conditional;
mod cross_site;
mod error_pages;
mod limits;
mod observe;
mod security_headers;

pub use observe::RequestId;

use crate::state::AppState;
use axum::Router;
use axum::body::Body;
use axum::extract::DefaultBodyLimit;
use axum::http::{Response, StatusCode};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::IntoResponse;
use std::any::Any;
use std::sync::Arc;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;

/// The longest form that we ask for, with room for every character to be escaped.
const BODY_LIMIT_BYTES: usize = 64 * 1024;

/// Wraps all routes, and the fallback, into everything above.
pub fn wrap(router: Router<AppState>, state: &AppState) -> Router<AppState> {
    let gate = Arc::new(limits::Gate::default());
    router
        .layer(DefaultBodyLimit::max(BODY_LIMIT_BYTES))
        .layer(from_fn(conditional::layer))
        .layer(from_fn_with_state(state.clone(), cross_site::layer))
        .layer(from_fn_with_state(gate, limits::layer))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(state.clone(), error_pages::layer))
        .layer(from_fn_with_state(state.clone(), security_headers::layer))
        .layer(CompressionLayer::new())
        .layer(from_fn_with_state(state.clone(), observe::layer))
}

#[expect(clippy::needless_pass_by_value, reason = "the signature that the layer asks for")]
fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response<Body> {
    let message = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    tracing::error!(panic = message, "a request panicked");
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}

//! Bounds on a request as a whole: how many are answered at once, and how long one may take,
//! reading its body included.

use crate::error::AppError;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Requests answered at once; at 64 KiB of body each, 16 MiB.
const AT_ONCE: usize = 256;
/// Pages take milliseconds; what takes longer than this waits for something that is broken.
const TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub struct Gate(Semaphore);

impl Default for Gate {
    fn default() -> Gate {
        Gate(Semaphore::new(AT_ONCE))
    }
}

pub async fn layer(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    // A server with its hands full is alive all the same, and a restart would not help it.
    let is_health = request.uri().path().starts_with("/health/");
    let place = if is_health { None } else { Some(gate.0.try_acquire()) };
    if let Some(Err(_)) = place {
        return AppError::Busy.into_response();
    }
    match tokio::time::timeout(TIMEOUT, next.run(request)).await {
        Ok(response) => response,
        Err(_) => AppError::Timeout.into_response(),
    }
}

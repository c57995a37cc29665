//! `/health/live` and `/health/ready`, in the shape of draft-inadarei-api-health-check: for
//! supervisors and load balancers.

use crate::model::Moment;
use crate::state::AppState;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// A database that needs longer for one row is not ready to serve pages.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

/// The process answers.
pub async fn live() -> Response {
    answer(StatusCode::OK, &json!({ "status": "pass" }))
}

/// The process answers and the database does.
pub async fn ready(State(state): State<AppState>) -> Response {
    let started = Instant::now();
    let checked = tokio::time::timeout(CHECK_TIMEOUT, state.store.check()).await;
    let took_ms = started.elapsed().as_micros() as f64 / 1_000.0;
    // Why it failed is for the log; the address is public.
    let is_ready = match checked {
        Ok(Ok(())) => true,
        Ok(Err(error)) => {
            tracing::error!(%error, "not ready");
            false
        }
        Err(_) => {
            tracing::error!("not ready: the database gave no answer in time");
            false
        }
    };
    let (code, status) =
        if is_ready { (StatusCode::OK, "pass") } else { (StatusCode::SERVICE_UNAVAILABLE, "fail") };
    answer(
        code,
        &json!({
            "status": status,
            "releaseId": env!("CARGO_PKG_VERSION"),
            "checks": {
                "database:responseTime": [{
                    "componentType": "datastore",
                    "status": status,
                    "observedValue": took_ms,
                    "observedUnit": "ms",
                    "time": Moment::now().machine(),
                }]
            }
        }),
    )
}

fn answer(code: StatusCode, body: &Value) -> Response {
    (code, [(header::CONTENT_TYPE, "application/health+json")], body.to_string()).into_response()
}

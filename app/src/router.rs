//! Every route of Beacon, on one page.

use crate::controllers::{
    assets, health, history, incidents, metrics, operator, report, security_txt, sign_in, status,
};
use crate::error::AppError;
use crate::middleware;
use crate::state::AppState;
use axum::Router;
use axum::http::StatusCode;
use axum::routing::{get, post};

/// The whole application.
pub fn router(state: &AppState) -> Router {
    let public = Router::new()
        .route("/", get(status::show))
        .route("/history", get(history::show))
        .route("/incidents/{id}", get(incidents::show))
        .route("/report", get(report::form).post(report::submit))
        .route("/report/thanks", get(report::thanks))
        .route("/sign-in", get(sign_in::form).post(sign_in::submit))
        .route("/sign-out", post(sign_in::leave))
        .route("/.well-known/security.txt", get(security_txt::show));

    let operator = Router::new()
        .route("/operator", get(operator::overview::show))
        .route("/operator/incidents", post(operator::incidents::open))
        .route("/operator/incidents/new", get(operator::incidents::form))
        .route("/operator/incidents/{id}", get(operator::incidents::show))
        .route("/operator/incidents/{id}/updates", post(operator::incidents::update))
        .route(
            "/operator/components",
            get(operator::components::list).post(operator::components::add),
        )
        .route(
            "/operator/components/{id}",
            get(operator::components::show).post(operator::components::describe),
        )
        .route("/operator/components/{id}/state", post(operator::components::set_state))
        .route(
            "/operator/components/{id}/remove",
            get(operator::components::confirm_removal).post(operator::components::remove),
        )
        .route("/operator/reports", get(operator::reports::list))
        .route(
            "/operator/reports/{id}",
            get(operator::reports::show).post(operator::reports::triage),
        );

    let machines = Router::new()
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .route("/metrics", get(metrics::show));

    let all = public
        .merge(operator)
        .merge(machines)
        .merge(assets::routes())
        .fallback(async || AppError::NotFound)
        .method_not_allowed_fallback(async || StatusCode::METHOD_NOT_ALLOWED);
    middleware::wrap(all, state).with_state(state.clone())
}

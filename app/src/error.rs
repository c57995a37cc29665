//! What can go wrong in a request, and the status that each becomes. The page is drawn by
//! `middleware::error_pages`, which draws one for the framework's own refusals as well.

use crate::password::VerifierBusy;
use crate::rate_limit::Limited;
use crate::store::StoreError;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use std::time::Duration;

/// After a refusal for want of room, the next try is worth it about now.
const BUSY_RETRY: Duration = Duration::from_secs(2);

pub type AppResult<T> = Result<T, AppError>;

#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// 404
    #[error("not found")]
    NotFound,
    /// 303 to the sign-in page
    #[error("not signed in")]
    SignIn { next: String },
    /// 403: a form that another site sent
    #[error("a request from another site")]
    CrossSite,
    /// 400: a form that no page of ours sends
    #[error("not a form of ours")]
    BadRequest,
    /// 415
    #[error("not a form")]
    NotAForm,
    /// 413
    #[error("the form is too large")]
    TooLarge,
    /// 429
    #[error("rate limited")]
    Limited(Limited),
    /// 503: queues are full
    #[error("no room")]
    Busy,
    /// 503: the request ran out of time
    #[error("out of time")]
    Timeout,
    /// 500
    #[error(transparent)]
    Internal(anyhow::Error),
}

impl AppError {
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            AppError::NotFound => StatusCode::NOT_FOUND,
            AppError::SignIn { .. } => StatusCode::SEE_OTHER,
            AppError::CrossSite => StatusCode::FORBIDDEN,
            AppError::BadRequest => StatusCode::BAD_REQUEST,
            AppError::NotAForm => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            AppError::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            AppError::Limited(_) => StatusCode::TOO_MANY_REQUESTS,
            AppError::Busy | AppError::Timeout => StatusCode::SERVICE_UNAVAILABLE,
            AppError::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            AppError::Limited(limited) => Some(limited.retry_after),
            AppError::Busy | AppError::Timeout => Some(BUSY_RETRY),
            _ => None,
        }
    }
}

impl From<StoreError> for AppError {
    fn from(error: StoreError) -> AppError {
        match error {
            StoreError::Missing => AppError::NotFound,
            StoreError::Busy | StoreError::Full => AppError::Busy,
            other => AppError::Internal(other.into()),
        }
    }
}

impl From<Limited> for AppError {
    fn from(limited: Limited) -> AppError {
        AppError::Limited(limited)
    }
}

impl From<VerifierBusy> for AppError {
    fn from(_: VerifierBusy) -> AppError {
        AppError::Busy
    }
}

impl IntoResponse for AppError {
    fn into_response(self) -> Response {
        match &self {
            AppError::SignIn { next } => {
                return Redirect::to(&crate::controllers::sign_in::address(next)).into_response();
            }
            AppError::Internal(error) => tracing::error!(error = format!("{error:#}"), "failed"),
            other => tracing::debug!(reason = %other, "refused"),
        }
        let mut response = self.status().into_response();
        if let Some(wait) = self.retry_after() {
            // Rounded up: a client that waits exactly this long is let in.
            let seconds = wait.as_millis().div_ceil(1_000).max(1);
            if let Ok(value) = HeaderValue::try_from(seconds.to_string()) {
                response.headers_mut().insert(header::RETRY_AFTER, value);
            }
        }
        response
    }
}

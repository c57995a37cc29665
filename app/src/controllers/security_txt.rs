//! `/.well-known/security.txt` (RFC 9116), when a contact is configured.

use crate::error::{AppError, AppResult};
use crate::model::{Moment, day_start};
use crate::state::AppState;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use std::time::Duration;

/// The RFC asks for less than a year.
const VALID_FOR: Duration = Duration::from_hours(180 * 24);

pub async fn show(State(state): State<AppState>) -> AppResult<Response> {
    let contact = state.site.security_contact.as_deref().ok_or(AppError::NotFound)?;
    // By the day, so that the text does not change with every request.
    let expires = day_start(Moment::now().date()).after(VALID_FOR).machine();
    let mut text = format!("Contact: {contact}\nExpires: {expires}\n");
    if state.site.public_url.is_https() {
        let origin = state.site.public_url.origin();
        text.push_str(&format!("Canonical: {origin}/.well-known/security.txt\n"));
    }
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response())
}

//! What each route does: parse, ask the store, show.

pub mod assets;
pub mod health;
pub mod history;
pub mod incidents;
pub mod metrics;
pub mod operator;
pub mod report;
pub mod security_txt;
pub mod sign_in;
pub mod status;

use axum::http::header;
use axum::response::{IntoResponse, Response};
use maud::Markup;

/// A page that is the same for everyone: kept, but asked about each time it is shown.
fn public_page(page: Markup) -> Response {
    ([(header::CACHE_CONTROL, "no-cache")], page).into_response()
}

//! The operator's pages. Every handler takes a `CurrentOperator`, which nobody gets without a
//! session that holds. Every change answers with a redirect to a page that says what was done.

pub mod components;
pub mod incidents;
pub mod overview;
pub mod reports;

use crate::store::{StoreResult, sessions};
use crate::token::TokenHash;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use maud::Markup;
use rusqlite::Transaction;

/// A form with errors, shown again with what was typed.
fn invalid(page: Markup) -> Response {
    (StatusCode::UNPROCESSABLE_ENTITY, page).into_response()
}

fn redirect(to: &str) -> Response {
    Redirect::to(to).into_response()
}

/// Says what was done, in the same transaction as doing it.
fn say(transaction: &Transaction<'_>, session: TokenHash, what: &str) -> StoreResult<()> {
    sessions::set_flash(transaction, session, Some(what))
}

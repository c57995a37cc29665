//! `/sign-in` and `/sign-out`. Whether an account exists cannot be told from the answer nor from
//! the time it takes.

use crate::client_address::ClientAddress;
use crate::error::{AppError, AppResult};
use crate::forms::Form;
use crate::model::{Email, Moment};
use crate::password;
use crate::session::{self, CurrentOperator};
use crate::state::AppState;
use crate::store::{operators, sessions};
use crate::token::Token;
use crate::views::sign_in::{Notice, page};
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use std::time::Instant;

/// Where an operator lands who did not come for a certain page.
const HOME: &str = "/operator";
const WRONG: &str = "The email address or the password is wrong";

/// The sign-in page that leads on to `next`.
#[must_use]
pub fn address(next: &str) -> String {
    if next == HOME { "/sign-in".to_owned() } else { format!("/sign-in?next={next}") }
}

pub async fn form(
    State(state): State<AppState>,
    RawQuery(query): RawQuery,
    operator: Result<CurrentOperator, AppError>,
) -> AppResult<Response> {
    let query = query.unwrap_or_default();
    let next = query.strip_prefix("next=").map_or(HOME, own_page);
    match operator {
        Ok(_) => return Ok(Redirect::to(next).into_response()),
        Err(AppError::SignIn { .. }) => {}
        Err(other) => return Err(other),
    }
    let notice = match query.as_str() {
        "signed-out" => Some(Notice::SignedOut),
        _ if next != HOME => Some(Notice::SignInFirst),
        _ => None,
    };
    let form = Form::prefilled(&[("next", next)]);
    Ok(page(&state.site.name, &form, notice).into_response())
}

pub async fn submit(
    State(state): State<AppState>,
    ClientAddress(address): ClientAddress,
    headers: HeaderMap,
    mut form: Form,
) -> AppResult<Response> {
    let email = Email::parse(form.value("email"));
    let password = form.value("password").to_owned();
    if form.value("email").trim().is_empty() {
        form.reject("email", "Enter your email address");
    }
    if password.is_empty() {
        form.reject("password", "Enter your password");
    }
    if !form.is_valid() {
        return Ok(refused(&state, &form));
    }
    let now = Instant::now();
    state.limits.sign_in_by_address.take(address, now)?;
    // Text that is no address belongs to nobody; it is as wrong as a wrong password.
    let Some(email) = email.filter(|_| password.len() <= password::LENGTH_LIMIT) else {
        form.reject("email", WRONG);
        return Ok(refused(&state, &form));
    };
    state.limits.sign_in_by_account.take(email.clone(), now)?;
    let wanted = email.clone();
    let account = state.store.read(move |c| operators::credentials(c, &wanted)).await?;
    let (id, hash) = account.unzip();
    let is_right = state.verifier.verify(password, hash).await?;
    let Some(id) = id.filter(|_| is_right) else {
        tracing::warn!("sign-in refused");
        form.reject("email", WRONG);
        return Ok(refused(&state, &form));
    };
    state.limits.sign_in_by_address.give_back(&address);
    state.limits.sign_in_by_account.give_back(&email);

    let token = Token::random().map_err(|e| AppError::Internal(e.into()))?;
    let digest = token.digest();
    // A session that the browser already had ends here: its token is not carried over.
    let old = session::token(&headers, &state.site.public_url).map(|token| token.digest());
    state
        .store
        .write(move |t| {
            if let Some(old) = old {
                sessions::end(t, old)?;
            }
            sessions::start(t, digest, id, Moment::now())
        })
        .await?;
    tracing::info!(operator = id, "signed in");
    let cookie = session::cookie(&token, &state.site.public_url);
    let next = own_page(form.value("next")).to_owned();
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to(&next)).into_response())
}

pub async fn leave(State(state): State<AppState>, headers: HeaderMap) -> AppResult<Response> {
    if let Some(token) = session::token(&headers, &state.site.public_url) {
        let digest = token.digest();
        state.store.write(move |t| sessions::end(t, digest)).await?;
    }
    let cookie = session::expired_cookie(&state.site.public_url);
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/sign-in?signed-out")).into_response())
}

fn refused(state: &AppState, form: &Form) -> Response {
    (StatusCode::UNPROCESSABLE_ENTITY, page(&state.site.name, form, None)).into_response()
}

/// `next` if it is a page of the operator's, else their home: never another site.
fn own_page(next: &str) -> &str {
    let is_plain = next.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'-'));
    let is_below = next.strip_prefix(HOME).is_some_and(|rest| rest.starts_with('/'));
    if is_plain && is_below && !next.contains("//") { next } else { HOME }
}

#[cfg(test)]
mod tests {
    use super::own_page;

    #[test]
    fn sign_in_leads_to_own_pages_only() {
        assert_eq!(own_page("/operator/incidents/12"), "/operator/incidents/12");
        for foreign in [
            "https://evil.example",
            "//evil.example",
            "/operator/../x",
            "/operatorx",
            "/operator//evil.example",
            "/operator\\x",
            "",
        ] {
            assert_eq!(own_page(foreign), "/operator", "{foreign}");
        }
    }
}

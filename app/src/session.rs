//! Who is signed in: the cookie, and the extractor that operator pages ask for.

use crate::config::PublicUrl;
use crate::error::AppError;
use crate::model::Moment;
use crate::state::AppState;
use crate::store::sessions;
use crate::token::{Token, TokenHash};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use std::time::Duration;

/// How stale "last seen" may get, so that a page view is not a write.
const TOUCH_AFTER: Duration = Duration::from_mins(1);

/// An operator with a session that holds. Pages that take this redirect everyone else to sign-in.
#[derive(Debug)]
pub struct CurrentOperator {
    pub email: String,
    pub token: TokenHash,
    /// Said once, on the page that this request shows.
    pub flash: Option<String>,
}

impl FromRequestParts<AppState> for CurrentOperator {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, AppError> {
        let shows_page = parts.method == Method::GET;
        let sign_in = || AppError::SignIn {
            next: if shows_page { parts.uri.path().to_owned() } else { "/operator".to_owned() },
        };
        let token = token(&parts.headers, &state.site.public_url).ok_or_else(sign_in)?.digest();
        let now = Moment::now();
        let found = state.store.read(move |c| sessions::find(c, token, now)).await?;
        let session = found.ok_or_else(sign_in)?;
        let is_flash_shown = shows_page && session.flash.is_some();
        if is_flash_shown || now.since(session.last_seen) > TOUCH_AFTER {
            state
                .store
                .write(move |t| {
                    sessions::touch(t, token, now)?;
                    if is_flash_shown { sessions::set_flash(t, token, None) } else { Ok(()) }
                })
                .await?;
        }
        Ok(CurrentOperator { email: session.email, token, flash: session.flash })
    }
}

/// The token in the session cookie.
#[must_use]
pub fn token(headers: &HeaderMap, public_url: &PublicUrl) -> Option<Token> {
    let name = cookie_name(public_url);
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .and_then(|(_, value)| Token::parse(value))
}

/// The cookie that carries `token`, gone after the session's absolute limit.
#[must_use]
pub fn cookie(token: &Token, public_url: &PublicUrl) -> HeaderValue {
    build_cookie(token.reveal(), sessions::ABSOLUTE_LIMIT, public_url)
}

/// The cookie that takes the session's away.
#[must_use]
pub fn expired_cookie(public_url: &PublicUrl) -> HeaderValue {
    build_cookie("", Duration::ZERO, public_url)
}

/// `__Host-` binds the cookie to https, this host and the root path; browsers refuse it on http.
fn cookie_name(public_url: &PublicUrl) -> &'static str {
    if public_url.is_https() { "__Host-beacon" } else { "beacon" }
}

fn build_cookie(value: &str, max_age: Duration, public_url: &PublicUrl) -> HeaderValue {
    let name = cookie_name(public_url);
    let secure = if public_url.is_https() { "; Secure" } else { "" };
    let max_age = max_age.as_secs();
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={max_age}{secure}");
    let mut cookie = HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""));
    cookie.set_sensitive(true);
    cookie
}

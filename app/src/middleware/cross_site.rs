//! Refuses forms that another site sends in an operator's name. Browsers say where a request comes
//! from: `Sec-Fetch-Site` on https and loopback, `Origin` with every POST. A request that says
//! neither is no form of ours. `SameSite` on the cookie is the second line.

use crate::error::AppError;
use crate::state::AppState;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

pub async fn layer(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let is_safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if is_safe || is_own(request.headers(), state.site.public_url.origin()) {
        next.run(request).await
    } else {
        AppError::CrossSite.into_response()
    }
}

fn is_own(headers: &HeaderMap, public_origin: &str) -> bool {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    if let Some(site) = text("sec-fetch-site") {
        return site == "same-origin";
    }
    let Some(origin) = text("origin") else { return false };
    let is_host = text(header::HOST.as_str()).is_some_and(|host| {
        origin.split_once("://").is_some_and(|(_, authority)| authority.eq_ignore_ascii_case(host))
    });
    origin.eq_ignore_ascii_case(public_origin) || is_host
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_pages_send_forms() {
        let own = |pairs: &[(&'static str, &'static str)]| {
            let headers = pairs.iter().map(|(k, v)| (k.parse().unwrap(), v.parse().unwrap()));
            is_own(&headers.collect(), "https://status.example.com")
        };
        assert!(own(&[("sec-fetch-site", "same-origin")]));
        assert!(own(&[("origin", "https://status.example.com")]));
        assert!(own(&[("origin", "http://127.0.0.1:9"), ("host", "127.0.0.1:9")]));
        assert!(!own(&[("sec-fetch-site", "same-site"), ("origin", "https://status.example.com")]));
        assert!(!own(&[("sec-fetch-site", "none")]));
        assert!(!own(&[("origin", "null"), ("host", "status.example.com")]));
        assert!(!own(&[("origin", "https://evil.example"), ("host", "status.example.com")]));
        assert!(!own(&[("host", "status.example.com")]));
    }
}

//! The pages that the edge has of its own, for when a release has none to give.
//!
//! One that has a style brings a content security policy that allows it and nothing else. Where a
//! release's own policy rules, the page goes without.

use crate::body::Answer;
use hyper::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, RETRY_AFTER,
};
use hyper::{Response, StatusCode};

const STYLE: &str = "\
:root{color-scheme:light dark}\
body{margin:0;min-height:100vh;display:grid;place-items:center;\
font:1.0625rem/1.6 system-ui,sans-serif;color:CanvasText;background:Canvas}\
main{max-width:34rem;padding:2rem;border-left:.25rem solid #2f6f9f}\
h1{margin:0 0 .5rem;font-size:1.75rem;line-height:1.2;text-wrap:balance}\
p{margin:0}small{display:block;margin-top:1.5rem;opacity:.75}";

/// The digest is that of [`STYLE`].
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'sha256-xT6JZOMYlQynNKBOrW8bzlj2d256yJ6y1f/5Nnds+cs='; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'",
);

/// When a client may try again that came while nothing was live, in seconds.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("5");

/// A page with this status, title and explanation, both plain text; without a style.
pub fn plain(status: StatusCode, title: &str, explanation: &str) -> Response<Answer> {
    answer(status, title, explanation, "")
}

fn styled(status: StatusCode, title: &str, explanation: &str) -> Response<Answer> {
    let mut answer = answer(status, title, explanation, &format!("<style>{STYLE}</style>\n"));
    answer.headers_mut().insert(CONTENT_SECURITY_POLICY, POLICY);
    answer
}

fn answer(status: StatusCode, title: &str, explanation: &str, style: &str) -> Response<Answer> {
    let code = status.as_str();
    let page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n\
         {style}</head>\n<body>\n<main>\n<h1>{title}</h1>\n\
         <p>{explanation}</p>\n<small>{code}</small>\n</main>\n</body>\n</html>\n"
    );
    let length = HeaderValue::from(page.len());
    let mut answer = Response::new(Answer::Whole(page.into()));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(CONTENT_LENGTH, length);
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(RETRY_AFTER, RETRY_AFTER_SECONDS);
    }
    answer
}

/// For an environment in which no release is live.
pub fn nothing_live() -> Response<Answer> {
    let explanation = "No release has been promoted here so far, or the one that was is still being \
                       loaded. Please try again in a moment.";
    styled(StatusCode::SERVICE_UNAVAILABLE, "Nothing is live in this environment yet", explanation)
}

/// For someone who asks for a release on purpose that is not loaded here.
pub fn not_loaded() -> Response<Answer> {
    let explanation = "The release that was asked for is not loaded in this environment.";
    styled(StatusCode::SERVICE_UNAVAILABLE, "This release is not here", explanation)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest, Sha256};

    #[test]
    fn the_policy_allows_the_style() {
        let expected = format!("'sha256-{}'", base64(&Sha256::digest(STYLE)));
        assert!(POLICY.to_str().unwrap().contains(&expected), "{expected}");
    }

    fn base64(bytes: &[u8]) -> String {
        const DIGITS: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let encode = |chunk: &[u8]| {
            let bits = chunk.iter().fold(0, |bits, byte| bits << 8 | u32::from(*byte));
            let bits = bits << (8 * (3 - chunk.len()));
            (0..4)
                .map(|at| match at <= chunk.len() {
                    true => char::from(DIGITS[(bits >> (18 - 6 * at) & 63) as usize]),
                    false => '=',
                })
                .collect::<String>()
        };
        bytes.chunks(3).map(encode).collect()
    }
}

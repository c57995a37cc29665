//! One request, one answer, within bounds.

use super::server::{Server, answer, closed_address};
use promote::http::{Http, HttpError};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(20);

#[test]
fn a_question_is_asked_as_it_was_meant() {
    let server = Server::start(|request| {
        let token = request.header("authorization").unwrap_or("none");
        answer(200, &[], &format!("{} {} {token}", request.method, request.path))
    });
    let http = Http::new(LONG);
    let url = format!("{}/api", server.url());
    let query = [("query", "sum(rate(a{release=\"r&1\"}[60s]))")];
    let body = http.get(&url, &query, Some("secret")).unwrap();
    assert_eq!(
        String::from_utf8(body).unwrap(),
        "GET /api?query=sum(rate(a%7Brelease%3D%22r%261%22%7D%5B60s%5D)) Bearer secret"
    );
    assert_eq!(http.get(&url, &[], None).unwrap(), b"GET /api none");
}

#[test]
fn a_webhook_is_told_json() {
    let server = Server::start(|request| {
        let kind = request.header("content-type").unwrap_or_default();
        answer(200, &[], &format!("{} {kind} {}", request.method, request.body))
    });
    let body = Http::new(LONG).post_json(&server.url(), br#"{"a":1}"#).unwrap();
    assert_eq!(body, br#"POST application/json {"a":1}"#);
}

#[test]
fn what_is_no_answer_says_why_and_never_where() {
    let http = Http::new(LONG);
    let server = Server::start(|request| match request.path.as_str() {
        "/refused/token" => answer(403, &[], "<b>go\naway</b>\n"),
        "/elsewhere/token" => answer(302, &[("location", "/refused/token")], ""),
        "/large/token" => answer(200, &[], &"x".repeat((4 << 20) + 1)),
        _ => None,
    });
    let error =
        |path: &str| http.get(&format!("{}{path}/token", server.url()), &[], None).unwrap_err();
    assert_eq!(
        error("/refused").to_string(),
        "expected status 200 to 299, found 403: <b>go away</b>"
    );
    assert_eq!(error("/elsewhere").to_string(), "expected status 200 to 299, found 302");
    assert_eq!(error("/large"), HttpError::TooLarge);
    let closed = http.get(&format!("http://{}/token", closed_address()), &[], None).unwrap_err();
    let none = [error("/nothing"), closed];
    for error in none {
        assert!(matches!(error, HttpError::NoAnswer { .. }), "{error}");
        assert!(!error.to_string().contains("token"), "{error}");
    }
    for address in ["ftp://127.0.0.1/token", "token", "http://"] {
        assert_eq!(http.get(address, &[], None).unwrap_err(), HttpError::Address, "{address}");
    }
}

#[test]
fn one_that_never_answers_is_given_up() {
    let server = Server::start(|_| {
        std::thread::sleep(Duration::from_secs(1));
        None
    });
    let http = Http::new(Duration::from_millis(100));
    let error = http.get(&server.url(), &[], None).unwrap_err();
    assert_eq!(error.to_string(), "it gave no answer: it took too long");
}

use crate::browser::{Browser, Page};
use app::middleware;
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::Method;
use axum::routing::get;
use http_body_util::BodyExt;
use std::sync::atomic::{AtomicUsize, Ordering};
use tower::ServiceExt;

const FORM: &str = "application/x-www-form-urlencoded";

#[track_caller]
fn is_guarded(page: &Page) {
    assert!(
        page.header("content-security-policy").starts_with("default-src 'none'; style-src 'self';")
    );
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    assert_eq!(page.header("referrer-policy"), "same-origin");
    assert_eq!(page.header("cross-origin-opener-policy"), "same-origin");
    assert_eq!(page.header("cross-origin-resource-policy"), "same-origin");
    assert!(!page.header("permissions-policy").is_empty());
    assert!(!page.header("cache-control").is_empty());
    assert_eq!(page.header("x-request-id").len(), 24);
}

#[tokio::test]
async fn every_answer_has_the_headers_and_every_refusal_a_page() {
    let mut browser = Browser::on_demo().await;
    let pages = [
        (200, browser.get("/").await),
        (200, browser.get("/health/live").await),
        (200, browser.get("/favicon.svg").await),
        (303, browser.get("/operator").await),
        (404, browser.get("/nothing/here").await),
        (405, browser.send(Method::DELETE, "/", Body::empty(), None).await),
        (413, browser.post("/report", &[("summary", &"x".repeat(70_000))]).await),
        (
            415,
            browser.send(Method::POST, "/report", Body::from("{}"), Some("application/json")).await,
        ),
        (422, browser.post("/report", &[]).await),
    ];
    for (status, page) in &pages {
        page.is(*status);
        is_guarded(page);
        if *status >= 400 {
            page.says("<html lang=\"en\">").says("<h1");
            assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        }
    }
    assert_eq!(pages[5].1.header("allow"), "GET,HEAD");
    assert_eq!(pages[0].1.header("strict-transport-security"), "");
    let mut https = Browser::with(&[("BEACON_PUBLIC_URL", "https://status.example.com")]).await;
    let page = https.get("/nothing").await;
    assert_eq!(page.header("strict-transport-security"), "max-age=31536000");
}

#[tokio::test]
async fn forms_of_other_sites_are_refused_before_they_are_read() {
    let mut browser = Browser::signed_in().await;
    for headers in [
        vec![("sec-fetch-site", "cross-site")],
        vec![("sec-fetch-site", "same-site")],
        vec![("origin", "https://evil.example")],
        vec![("origin", "null")],
        vec![],
    ] {
        browser.headers = headers.into_iter().map(|(k, v)| (k, v.to_owned())).collect();
        let page = browser.post("/operator/components/1/remove", &[]).await;
        page.is(403).says("That form came from somewhere else");
        is_guarded(&page);
    }
    browser.get("/").await.says("Website");
    browser.headers = vec![("origin", "http://127.0.0.1:8080".to_owned())];
    browser.post("/operator/components/1/remove", &[]).await.is(303);
}

#[tokio::test]
async fn a_form_with_endless_fields_is_too_much() {
    let mut browser = Browser::new().await;
    let fields = vec![("component", ""); 300];
    browser.post("/report", &fields).await.is(413);
    let bytes = Body::from(vec![b'%', 0xff, 0, b'=', b'&', b'=']);
    browser.send(Method::POST, "/report", bytes, Some(FORM)).await.is(422);
}

#[tokio::test]
async fn a_panic_is_a_page_with_a_reference() {
    let browser = Browser::new().await;
    async fn fault() -> &'static str {
        panic!("a fault");
    }
    let router = middleware::wrap(Router::new().route("/fault", get(fault)), &browser.state)
        .with_state(browser.state.clone());
    let request = Request::builder().uri("/fault").body(Body::empty()).unwrap();
    let (parts, body) = router.oneshot(request).await.unwrap().into_parts();
    let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
    let page = Page { status: parts.status, headers: parts.headers, text };
    page.is(500)
        .says("Something went wrong here")
        .says(page.header("x-request-id"))
        .lacks("a fault");
    is_guarded(&page);
}

#[tokio::test]
async fn request_ids_are_taken_over_from_trusted_proxies_only() {
    let mut browser = Browser::new().await;
    browser.headers.push(("x-request-id", "from-outside".to_owned()));
    assert_ne!(browser.get("/").await.header("x-request-id"), "from-outside");
    let mut browser = Browser::with(&[("BEACON_TRUSTED_PROXIES", "127.0.0.1")]).await;
    browser.headers.push(("x-request-id", "from-outside".to_owned()));
    assert_eq!(browser.get("/").await.header("x-request-id"), "from-outside");
    browser.headers.push(("x-request-id", "<b>".to_owned()));
    browser.headers.remove(1);
    assert_eq!(browser.get("/").await.header("x-request-id").len(), 24);
}

#[tokio::test]
async fn a_slow_request_is_ended() {
    let browser = Browser::new().await;
    tokio::time::pause();
    let router = middleware::wrap(
        Router::new().route("/slow", get(async || std::future::pending::<()>().await)),
        &browser.state,
    )
    .with_state(browser.state.clone());
    let request = Request::builder().uri("/slow").body(Body::empty()).unwrap();
    let response = router.oneshot(request).await.unwrap();
    assert_eq!(response.status().as_u16(), 503);
    assert_eq!(response.headers()["retry-after"], "2");
}

#[tokio::test]
async fn more_requests_than_there_are_places_are_refused() {
    static HELD: AtomicUsize = AtomicUsize::new(0);
    async fn hold() {
        HELD.fetch_add(1, Ordering::Relaxed);
        std::future::pending::<()>().await;
    }
    let browser = Browser::new().await;
    let router = middleware::wrap(
        Router::new().route("/slow", get(hold)).route("/health/live", get(async || "alive")),
        &browser.state,
    )
    .with_state(browser.state.clone());
    let ask = |path: &str| {
        let request = Request::builder().uri(path).body(Body::empty()).unwrap();
        router.clone().oneshot(request)
    };
    let held: Vec<_> = (0..256).map(|_| tokio::spawn(ask("/slow"))).collect();
    while HELD.load(Ordering::Relaxed) < held.len() {
        tokio::task::yield_now().await;
    }
    let refused = ask("/slow").await.unwrap();
    // Refused at the door, not after its time was up.
    assert_eq!(HELD.load(Ordering::Relaxed), held.len());
    assert_eq!(refused.status().as_u16(), 503);
    assert_eq!(ask("/health/live").await.unwrap().status().as_u16(), 200);
    for task in held {
        task.abort();
    }
}

use crate::browser::Browser;

#[tokio::test]
async fn health_is_told_in_json() {
    let mut browser = Browser::new().await;
    let live = browser.get("/health/live").await;
    live.is(200).says("\"status\":\"pass\"");
    assert_eq!(live.header("content-type"), "application/health+json");
    assert_eq!(live.header("cache-control"), "no-store");
    let ready = browser.get("/health/ready").await;
    ready.is(200).says("\"status\":\"pass\"").says("database:responseTime");
}

#[tokio::test]
async fn a_database_that_is_not_ours_is_not_ready() {
    let mut browser = Browser::new().await;
    browser
        .change(|t| {
            t.execute("UPDATE migrations SET version = version + 1, keeps = version + 1", [])?;
            Ok(())
        })
        .await;
    let ready = browser.get("/health/ready").await;
    ready.is(503).says("\"status\":\"fail\"");
    browser.get("/health/live").await.is(200);
}

#[tokio::test]
async fn metrics_are_for_this_machine_only() {
    let mut browser = Browser::new().await;
    browser.get("/").await;
    browser.get("/made/up/path").await;
    let page = browser.get("/metrics").await;
    assert_eq!(page.is(200).header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    page.says("beacon_http_requests_total{route=\"/\",method=\"GET\",status=\"2xx\"} 1")
        .says("beacon_http_requests_total{route=\"unmatched\",method=\"GET\",status=\"4xx\"} 1")
        .says("beacon_build_info{version=")
        .says("beacon_sessions 0")
        .lacks("made");
    browser.headers.push(("x-forwarded-for", "203.0.113.9".to_owned()));
    browser.get("/metrics").await.is(404);
    browser.headers.pop();
    browser.at("203.0.113.9").get("/metrics").await.is(404);
    let mut public = Browser::with(&[("BEACON_PUBLIC_URL", "https://status.example.com")]).await;
    public.get("/metrics").await.is(404);
}

#[tokio::test]
async fn metrics_with_a_token_are_for_whoever_has_it() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, "0123456789abcdef\n").unwrap();
    let path = file.path().to_str().unwrap();
    let mut browser = Browser::with(&[("BEACON_METRICS_TOKEN_FILE", path)]).await.at("203.0.113.9");
    browser.get("/metrics").await.is(404);
    browser.headers.push(("authorization", "Bearer 0123456789abcdeX".to_owned()));
    browser.get("/metrics").await.is(404);
    browser.headers.pop();
    browser.headers.push(("authorization", "Bearer 0123456789abcdef".to_owned()));
    browser.get("/metrics").await.is(200).says("beacon_build_info");
}

/// The rules of the text format that promtool checks: help and type before the samples of a
/// family, families whole, histograms cumulative and ending in `+Inf` with the count.
#[tokio::test]
async fn metrics_are_in_the_text_format() {
    let mut browser = Browser::new().await;
    browser.get("/").await;
    browser.get("/").await;
    let text = browser.get("/metrics").await.text;
    let mut families = Vec::new();
    let mut last_bucket = 0;
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let name = rest.split(' ').next().unwrap();
            assert!(!families.contains(&name), "{name} twice");
            families.push(name);
            continue;
        }
        let family = families.last().unwrap();
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            assert!(rest.starts_with(family), "{line}");
            continue;
        }
        let (name, value) = line.rsplit_once(' ').unwrap();
        assert!(name.starts_with(family), "{line} under {family}");
        assert!(value.parse::<f64>().is_ok(), "{line}");
        if name.contains("_bucket{") {
            let count: u64 = value.parse().unwrap();
            assert!(count >= last_bucket, "{line}");
            last_bucket = if name.contains("+Inf") { 0 } else { count };
        }
    }
    assert!(families.len() >= 9, "{families:?}");
}

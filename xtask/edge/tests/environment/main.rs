//! An environment, served: its routing followed, its traffic moved, its releases loaded and ended.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod backend;
mod background;
mod certificate;
mod crashes;
mod end;
mod exposition;
mod servers;
mod skew;
mod split;
#[path = "../support/mod.rs"]
mod support;
mod switch;

use std::fs;
use support::environment::{Environment, until};

/// Not a test: the server of the fixtures, which are started with this very binary.
#[test]
#[ignore = "the other half of the tests: they run it as the release's server"]
fn upstream() {
    backend::run();
}

#[test]
fn nothing_is_live_until_something_is() {
    let mut environment = Environment::new();
    let edge = environment.serve();
    let answer = edge.get("/");
    assert_eq!((answer.status, answer.header("retry-after")), (503, "5"));
    assert!(answer.text().contains("Nothing is live in this environment yet"), "{answer:?}");
    assert!(answer.header("content-security-policy").starts_with("default-src 'none'; style-src"));
    assert_eq!(edge.status()["live"], serde_json::Value::Null);

    let first = environment.add(&[("index.html", b"first")], None);
    environment.live(&first);
    edge.until_state(&first, "ready");
    let answer = edge.get("/");
    assert_eq!((answer.status, answer.text().as_str()), (200, "first"));
    assert_eq!(answer.header("x-slipway-release"), first.as_str());
    assert_eq!(answer.header("set-cookie"), "", "nobody is told apart without need");
    assert_eq!(answer.header("cache-control"), "no-cache");
}

#[test]
fn traffic_moves_to_the_new_live_release_and_back() {
    let mut environment = Environment::new();
    let first = environment.add(&[("index.html", b"first")], None);
    let second = environment.add(&[("index.html", b"second")], None);
    environment.live(&first);
    let edge = environment.serve();
    assert_eq!(edge.get("/").text(), "first", "ready before anyone is let in");
    environment.live(&second);
    until("the second is live", || {
        let text = edge.get("/").text();
        (text == "second", text)
    });
    let status = edge.status();
    assert_eq!(status["releases"][first.as_str()]["role"], "previous");
    assert_eq!(edge.page_of(first.as_str()).text(), "first", "it is kept warm");
    environment.live(&first);
    until("the first is live again", || {
        let text = edge.get("/").text();
        (text == "first", text)
    });
    assert_eq!(edge.status()["generation"], environment.generation());
}

#[test]
fn a_malformed_routing_changes_nothing_and_is_shown() {
    let mut environment = Environment::new();
    let first = environment.add(&[("index.html", b"first")], None);
    environment.live(&first);
    let edge = environment.serve();
    let path = environment.store.root().join("routing.json");
    let sound = fs::read(&path).unwrap();
    for malformed in ["", "{", "{\"version\":2}", "null"] {
        fs::write(&path, malformed).unwrap();
        edge.until("the fault is shown", |status| {
            status["routing_error"].as_str().is_some_and(|it| it.contains("not a routing document"))
        });
        let answer = edge.get("/");
        assert_eq!((answer.status, answer.text().as_str()), (200, "first"));
        fs::write(&path, &sound).unwrap();
        edge.until("it is well again", |status| status["routing_error"].is_null());
    }
}

#[test]
fn an_edge_says_in_the_store_that_it_runs() {
    let environment = Environment::new();
    let edge = environment.serve();
    let presence = || release::EdgePresence::all(&environment.store).unwrap();
    let [present] = &presence()[..] else { panic!("{:?}", presence()) };
    assert_eq!((present.pid, present.instance.as_str()), (edge.pid(), edge.instance.as_str()));
    assert_eq!(present.listen, format!("http://{}", edge.address));
    assert_eq!(present.admin, format!("http://{}", edge.admin));
    assert_eq!(present.environment, "test");
    until("it is refreshed", || {
        let now = presence();
        (now[0].seen_at != present.seen_at, now)
    });

    let address = edge.address.to_string();
    let (code, stdout, stderr) = environment.run(&["--listen", &address, "--with-parent"]);
    assert_eq!((code, stdout.as_str()), (Some(3), ""), "{stderr}");
    assert!(stderr.contains(&format!("an edge of test (process {}) listens there", edge.pid())));
    let (status, said) = edge.close();
    assert!(status.success() && presence().is_empty(), "{said}");
}

#[test]
fn requests_are_counted_for_the_release_that_answered() {
    let mut environment = Environment::new();
    let first = environment.add(&[("index.html", b"first")], None);
    environment.live(&first);
    let edge = environment.serve();
    for _ in 0..3 {
        edge.get("/");
    }
    edge.get("/nowhere");
    let metrics = until("all are counted", || {
        let metrics = edge.json("/metrics.json");
        (metrics["releases"][first.as_str()]["requests"] == 4, metrics)
    });
    let counts = &metrics["releases"][first.as_str()];
    assert_eq!((&counts["by_class"]["2xx"], &counts["by_class"]["4xx"]), (&3.into(), &1.into()));
    assert_eq!((&counts["errors"], &counts["in_flight"]), (&0.into(), &0.into()));
    let bounds = metrics["latency_bounds_ms"].as_array().unwrap().len();
    for name in ["latency_counts", "first_byte_counts"] {
        let buckets = counts[name].as_array().unwrap();
        assert_eq!(buckets.len(), bounds + 1);
        assert_eq!(buckets.iter().map(|it| it.as_u64().unwrap()).sum::<u64>(), 4, "{name}");
    }
    let text = support::client::get(edge.admin, "/metrics").text();
    let line = format!("slipway_edge_requests_total{{release=\"{first}\",class=\"2xx\"}} 3\n");
    assert!(text.contains(&line), "{text}");
    assert_eq!(support::client::get(edge.admin, "/health").text(), "ok\n");
}

//! `xtask-smoke` as seen from outside, against a server on a free port.

use crate::server::{Server, answer, closed_address};
use crate::support::{Run, run, shown};
use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

fn smoke(toml: &str, url: &str, wait: &str) -> Run {
    run(env!("CARGO_BIN_EXE_xtask-smoke"), toml, &["--url", url, "--wait", wait])
}

macro_rules! assert_findings {
    ($run:expr, $name:literal) => {
        insta::with_settings!({filters => vec![
            (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
            (r"\d+(\.\d+)? (ms|s)\b", "TIME"),
        ]}, { insta::assert_snapshot!($name, shown(&$run.outcome)) })
    };
}

const HEALTHY: &str = r#"
[headers]
x-content-type-options = "nosniff"

[[smoke]]
path = "/health/ready"
expect = { json = { "/status" = "pass", "/checks/0/count" = 1 }, headers = { content-type = "application/json" }, within = "5s" }

[[smoke]]
path = "/old?a=b"
expect = { redirect = "/new" }

[[smoke]]
path = "/echo"
method = "POST"
headers = { x-token = "42" }
body = "hello"
expect = { status = 201, body = ["token 42", "body hello"], headers = { x-content-type-options = "*" } }
"#;

fn healthy(request: &crate::server::Request) -> Option<String> {
    let safe = ("X-Content-Type-Options", "nosniff");
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/health/ready") => answer(
            200,
            &[safe, ("content-type", "application/json")],
            r#"{"status":"pass","checks":[{"count":1.0}]}"#,
        ),
        ("GET", "/old?a=b") => answer(308, &[safe, ("location", "/new")], ""),
        ("POST", "/echo") => {
            let token = request.headers.iter().find(|(name, _)| name == "x-token").unwrap();
            answer(201, &[safe], &format!("token {}, body {}", token.1, request.body))
        }
        _ => answer(404, &[safe], "no such page"),
    }
}

#[test]
fn answers_as_declared_pass() {
    let server = Server::start(healthy);
    let run = smoke(HEALTHY, &server.url(), "1s");
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_findings!(run, "declared");
    let names: Vec<_> = run.outcome.measures.iter().map(|m| m.name.as_str()).collect();
    assert_eq!(
        names,
        ["checks", "latency.GET /health/ready", "latency.GET /old?a=b", "latency.POST /echo"]
    );
    assert!(run.outcome.measures[1].limit.is_some());
}

#[test]
fn every_unmet_expectation_is_a_finding() {
    let server = Server::start(|request| match request.path.as_str() {
        "/health/ready" => answer(500, &[], "{\"status\":\"fail\"}"),
        "/old?a=b" => answer(302, &[("location", "https://elsewhere.example/")], ""),
        _ => answer(201, &[("x-content-type-options", "maybe")], "token 7"),
    });
    let run = smoke(HEALTHY, &server.url(), "1s");
    assert_eq!(run.code, 1);
    assert_findings!(run, "unmet");
}

#[test]
fn a_slow_answer_is_beyond_its_limit() {
    let server = Server::start(|_| {
        std::thread::sleep(Duration::from_millis(20));
        answer(200, &[], "")
    });
    let run = smoke("[[smoke]]\npath = \"/\"\nexpect = { within = \"1ms\" }", &server.url(), "1s");
    assert_eq!(run.code, 1);
    assert_findings!(run, "slow");
}

#[test]
fn a_body_that_never_ends_is_cut() {
    let server = Server::start(|_| {
        Some(format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{}", "x".repeat(6 << 20)))
    });
    let run = smoke("[[smoke]]\npath = \"/\"\nexpect = { body = [\"end\"] }", &server.url(), "1s");
    assert_eq!(run.code, 1);
    assert_findings!(run, "cut");
}

#[test]
fn a_starting_service_is_asked_again_and_that_is_said() {
    let asked = AtomicU32::new(0);
    let server = Server::start(move |_| match asked.fetch_add(1, Ordering::SeqCst) {
        0 => answer(503, &[], "starting"),
        1 => answer(502, &[], "starting"),
        _ => answer(200, &[], "ready"),
    });
    let run = smoke("[[smoke]]\npath = \"/\"", &server.url(), "60s");
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_findings!(run, "started");
}

#[test]
fn a_wrong_answer_is_not_asked_for_again() {
    let asked = AtomicU32::new(0);
    let server = Server::start(move |_| match asked.fetch_add(1, Ordering::SeqCst) {
        0 => answer(500, &[], "first"),
        _ => answer(200, &[], "ready"),
    });
    let run = smoke("[[smoke]]\npath = \"/\"", &server.url(), "60s");
    assert_eq!(run.code, 1);
    assert_findings!(run, "wrong");
}

#[test]
fn an_expected_503_is_an_answer() {
    let server = Server::start(|_| answer(503, &[("retry-after", "10")], ""));
    let toml =
        "[[smoke]]\npath = \"/\"\nexpect = { status = 503, headers = { retry-after = \"*\" } }";
    let run = smoke(toml, &server.url(), "60s");
    assert_eq!((run.code, run.outcome.findings.len()), (0, 0), "{}", run.stderr);
}

#[test]
fn a_connection_closed_without_an_answer_is_a_failed_check() {
    let server = Server::start(|request| match request.path.as_str() {
        "/dies" => None,
        _ => answer(200, &[], ""),
    });
    let toml = "[[smoke]]\npath = \"/\"\n[[smoke]]\npath = \"/dies\"";
    let run = smoke(toml, &server.url(), "1s");
    assert_eq!(run.code, 1);
    let finding = &run.outcome.findings[0];
    assert_eq!((run.outcome.findings.len(), finding.rule.as_str()), (1, "smoke::no-answer"));
}

#[test]
fn a_service_that_starts_listening_late_is_reached() {
    let address = closed_address();
    let starting = std::thread::spawn(move || {
        Server::on(TcpListener::bind(address).unwrap(), |_| answer(200, &[], ""))
    });
    let run = smoke("[[smoke]]\npath = \"/\"", &format!("http://{address}"), "60s");
    assert_eq!(run.code, 0, "{}", run.stderr);
    drop(starting.join().unwrap());
}

#[test]
fn nothing_there_is_exit_3() {
    let run = smoke("[[smoke]]\npath = \"/\"", &format!("http://{}", closed_address()), "300ms");
    assert_eq!((run.code, run.outcome.exit_code), (3, 3));
    assert!(run.outcome.summary.contains("connection refused"), "{}", run.outcome.summary);
    assert!(run.outcome.summary.contains("--url"), "{}", run.outcome.summary);
}

#[test]
fn nothing_to_ask_is_exit_2_and_says_what_to_write() {
    let run = smoke("", "http://127.0.0.1:1", "1s");
    assert_eq!(run.code, 2);
    assert_findings!(run, "nothing_to_ask");
}

#[test]
fn what_cannot_be_asked_is_exit_2_and_names_the_check() {
    for (check, expected) in [
        ("headers = { a = \"b\\u0000\" }", "not an HTTP header"),
        ("expect = { json = { status = 1 } }", "starts with `/`"),
        ("expect = { status = 99 }", "100 to 599"),
    ] {
        let toml = format!("[[smoke]]\npath = \"/\"\n[[smoke]]\npath = \"/\"\n{check}");
        let run = smoke(&toml, "http://127.0.0.1:1", "1s");
        assert_eq!(run.code, 2, "{check}: {}", run.outcome.summary);
        let summary = run.outcome.summary;
        assert!(summary.contains(expected) && summary.contains("xtask.toml"), "{summary}");
    }
}

#[test]
fn a_malformed_address_is_exit_2() {
    let run = smoke("[[smoke]]\npath = \"/\"", "127.0.0.1:80", "1s");
    assert_eq!(run.code, 2);
    assert!(run.outcome.summary.contains("such as http://"), "{}", run.outcome.summary);
}

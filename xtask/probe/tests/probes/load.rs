//! `xtask-load` as seen from outside, against a server on a free port.

use crate::server::{Server, answer, closed_address};
use crate::support::{Run, run, shown};
use report::Limit;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

fn load(toml: &str, url: &str, arguments: &[&str]) -> Run {
    let arguments = [&["--url", url], arguments].concat();
    run(env!("CARGO_BIN_EXE_xtask-load"), toml, &arguments)
}

fn value(run: &Run, name: &str) -> f64 {
    run.outcome.measures.iter().find(|measure| measure.name == name).unwrap().value
}

const LOAD: &str = "[load]\npaths = [\"/a\", \"/b\"]\nrate = 100\nfor = \"500ms\"\n";

#[test]
fn a_server_that_keeps_up_passes_and_gets_every_request() {
    let asked = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&asked);
    let server = Server::start(move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        answer(200, &[], "ok")
    });
    let toml = format!("{LOAD}latency-p95 = \"10s\"\nlatency-p99 = \"10s\"\n");
    let run = load(&toml, &server.url(), &[]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    // One second of warm-up at the same rate, then 50 that count.
    assert_eq!(asked.load(Ordering::SeqCst), 150);
    assert!((value(&run, "requests") - 50.0).abs() < f64::EPSILON);
    let p95 = run.outcome.measures.iter().find(|measure| measure.name == "latency.p95").unwrap();
    assert_eq!(p95.limit, Some(Limit::Max(10_000.0)));
}

#[test]
fn failures_beyond_the_share_fail_and_are_named() {
    let server = Server::start(|request| match request.path.as_str() {
        "/b" => answer(500, &[], ""),
        _ => answer(200, &[], ""),
    });
    let mut run = load(LOAD, &server.url(), &[]);
    assert_eq!(run.code, 1);
    // Whether this machine was busy meanwhile is not what this is about.
    run.outcome.findings.retain(|finding| finding.rule != "load::generator-late");
    insta::with_settings!({filters => vec![
        (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
        (r"\d+(\.\d+)? ms\b", "TIME"),
    ]}, { insta::assert_snapshot!("failures", shown(&run.outcome)) });

    let allowed = load(&format!("{LOAD}error-share = \"60%\"\n"), &server.url(), &[]);
    assert_eq!(allowed.code, 0, "{}", allowed.stderr);
}

#[test]
fn a_stall_is_counted_in_every_request_that_was_due_meanwhile() {
    // One connection thread stalls; a closed loop would record a single slow answer.
    let gate = Arc::new(std::sync::Mutex::new(0));
    let server = Server::start(move |_| {
        let mut asked = gate.lock().unwrap();
        *asked += 1;
        if *asked == 110 {
            std::thread::sleep(Duration::from_millis(300));
        }
        answer(200, &[], "")
    });
    let run = load(LOAD, &server.url(), &[]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    // 300 ms of 500 ms are 30 of 50 requests, due 10 ms apart: more than half waited.
    assert!(value(&run, "latency.p50") > 20.0, "{}", value(&run, "latency.p50"));
    assert!(value(&run, "latency.p95") > 200.0);
}

#[test]
fn requests_beyond_the_bound_are_dropped_and_fail() {
    // The warm-up is answered; of what counts, nothing is until the client gives up waiting.
    let asked = AtomicU32::new(0);
    let server = Server::start(move |_| {
        if asked.fetch_add(1, Ordering::SeqCst) >= 1_000 {
            std::thread::sleep(Duration::from_millis(1_500));
        }
        answer(200, &[], "")
    });
    let toml = "[load]\npaths = [\"/\"]\nrate = 1000\nfor = \"1s\"\n";
    let run = load(toml, &server.url(), &[]);
    assert_eq!(run.code, 1);
    assert!(value(&run, "dropped") > 0.0);
    assert!(run.outcome.findings.iter().any(|finding| finding.rule == "load::dropped"));
}

#[test]
fn another_machine_is_not_loaded() {
    let run = load(LOAD, "http://192.0.2.1", &[]);
    assert_eq!(run.code, 4);
    assert!(run.outcome.summary.contains("--allow-remote"), "{}", run.outcome.summary);
}

#[test]
fn nothing_there_is_exit_3() {
    let run = load(LOAD, &format!("http://{}", closed_address()), &["--rate", "5"]);
    assert_eq!(run.code, 3, "{}", run.stderr);
}

#[test]
fn nothing_to_send_is_exit_2_and_says_what_to_write() {
    let run = load("", "http://127.0.0.1:1", &[]);
    assert_eq!(run.code, 2);
    assert!(run.outcome.summary.contains("[load]\n  paths"), "{}", run.outcome.summary);
}

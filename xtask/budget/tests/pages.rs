//! Budgets of page loads through the real binary, in Chromium, against pages with known faults.

#![expect(clippy::unwrap_used, reason = "a test that meets an error has failed")]

use report::{Exit, Level, Outcome, Status};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;

/// Paints late, shifts once by half the viewport, and blocks for 300 ms after the first paint.
const FAULTY: &str = "<!doctype html><title>faulty</title><link rel=icon href=data:,>\
    <style>body { margin: 0 } #late { height: 0 } h1 { margin: 0; height: 100vh }</style>\
    <div id=late></div><h1>Hello</h1><script src=/big.js></script><script>\
    requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => {\
      const end = performance.now() + 300; while (performance.now() < end) {}\
      document.getElementById('late').style.height = '50vh';\
    }, 50)))</script>";

/// Serves the pages on a free port, until the process ends; gives the address.
fn serve() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || answer(stream));
        }
    });
    address
}

fn answer(mut stream: TcpStream) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let path = line.split_whitespace().nth(1)?.to_owned();
    while reader.read_line(&mut line).ok()? > 2 {}
    let script = format!("/* {} */", "x".repeat(20_000));
    let (status, kind, body) = match path.as_str() {
        "/" => (200, "text/html", FAULTY),
        "/big.js" => (200, "text/javascript", script.as_str()),
        _ => (404, "text/html", "nothing here"),
    };
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status} .\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
    .ok()?;
    // Closed by the browser, once it has read everything.
    stream.read(&mut [0]).ok().map(drop)
}

/// Runs the tool in a project with these pages; `None`, and the reason printed, when this machine
/// has no browser. Under CI that fails instead.
fn run(pages: &str) -> Option<Outcome> {
    if let Err(error) = e2e::find_browser() {
        assert!(std::env::var_os("CI").is_none(), "{error}");
        eprintln!("skipped: {error}");
        return None;
    }
    let project = tempfile::tempdir().unwrap();
    std::fs::create_dir(project.path().join("budgets")).unwrap();
    std::fs::write(project.path().join("budgets/a.json"), format!("{{\"pages\": [{pages}]}}"))
        .unwrap();
    let outcome = tool(project.path(), &["--url", &serve()]);
    if outcome.status == Status::Passed {
        assert!(project.path().join(&outcome.artifacts[0].path).exists());
    }
    Some(outcome)
}

fn tool(project: &Path, arguments: &[&str]) -> Outcome {
    let file = project.join("outcome.json");
    Command::new(env!("CARGO_BIN_EXE_xtask-budget"))
        .args(arguments)
        .current_dir(project)
        .env(report::OUTCOME_ENV, &file)
        .env_remove("XTASK_ARTIFACTS")
        .output()
        .unwrap();
    report::read_outcome(&file).unwrap().unwrap()
}

fn value(outcome: &Outcome, name: &str) -> f64 {
    outcome.measures.iter().find(|measure| measure.name == name).unwrap().value
}

#[test]
fn faults_are_measured_and_named() {
    let Some(outcome) = run(r#"{ "name": "home", "path": "/", "runs": 1, "limits": {
            "requests": 2, "transfer-bytes": "10 KB", "lcp-ms": 60000, "cls": 0.1, "tbt-ms": 100 } }"#)
    else {
        return;
    };
    assert_eq!(outcome.status, Status::Failed);
    assert_eq!(outcome.summary, "2 of 5 budgets kept");
    assert!((value(&outcome, "home.requests") - 2.0).abs() < 1e-9);
    assert!((20_000.0..21_500.0).contains(&value(&outcome, "home.transfer")));
    assert!((0.2..1.0).contains(&value(&outcome, "home.cls")), "{}", value(&outcome, "home.cls"));
    assert!(value(&outcome, "home.tbt") >= 250.0 - 1.0);
    let says = |rule: &str, part: &str| {
        let finding = outcome.findings.iter().find(|finding| finding.rule == rule).unwrap();
        assert!(finding.message.contains(part), "{}", finding.message);
    };
    says("budget::transfer", "/big.js 20.1 KB");
    says("budget::cls", "<h1>");
    says("budget::tbt", "a task of 3");
}

#[test]
fn throttling_is_applied() {
    let page = |throttling: &str| {
        format!(
            r#"{{ "name": "home", "path": "/", "runs": 1, "throttling": {throttling}, "limits": {{ "fcp-ms": 60000 }} }}"#
        )
    };
    let slow = r#"{ "rtt-ms": 400, "download-kbps": 200, "upload-kbps": 200 }"#;
    let Some(outcome) = run(&page(slow)) else { return };
    assert_eq!(outcome.summary, "1 of 1 budgets kept");
    // The document takes one round trip, and the script that blocks painting another; its 20 KB
    // take 800 ms at 200 kbps.
    assert!(value(&outcome, "home.fcp") > 400.0, "{}", value(&outcome, "home.fcp"));
}

#[test]
fn an_error_page_is_not_measured() {
    let Some(outcome) = run(r#"{ "name": "gone", "path": "/gone", "limits": { "cls": 0.1 } }"#)
    else {
        return;
    };
    assert_eq!(outcome.status, Status::Failed);
    assert!(outcome.measures.is_empty());
    assert_eq!(outcome.findings[0].level, Level::Error);
    assert_eq!(outcome.findings[0].message, "/gone answers 404: its budgets were not checked");
}

#[test]
fn a_budget_that_cannot_be_checked_is_no_pass() {
    let project = tempfile::tempdir().unwrap();
    let outcome = tool(project.path(), &["--url", "http://127.0.0.1:1"]);
    assert_eq!(outcome.exit_code, i32::from(Exit::Usage.code()));
    assert!(outcome.summary.contains("expected budgets in budgets/*.json"), "{}", outcome.summary);
    std::fs::create_dir(project.path().join("budgets")).unwrap();
    std::fs::write(project.path().join("budgets/a.json"), r#"{"site": {"kinds": {}}}"#).unwrap();
    let outcome = tool(project.path(), &[]);
    assert_eq!(outcome.exit_code, i32::from(Exit::Usage.code()));
    assert!(outcome.summary.contains("give --release DIR"), "{}", outcome.summary);
}

#[test]
fn no_browser_is_exit_code_3() {
    let project = tempfile::tempdir().unwrap();
    std::fs::create_dir(project.path().join("budgets")).unwrap();
    let budget = r#"{"pages": [{ "name": "home", "path": "/", "limits": { "cls": 0.1 } }]}"#;
    std::fs::write(project.path().join("budgets/a.json"), budget).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_xtask-budget"))
        .args(["--url", "http://127.0.0.1:1"])
        .current_dir(project.path())
        .env("PATH", project.path())
        .env_remove("CHROME")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(3));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("cargo xtask setup"), "{said}");
}

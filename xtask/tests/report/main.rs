//! What a run shows and leaves, seen from outside: the real binary on a small project.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use report::{Report, Status};
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// A project in which one step passes, one fails and one needs the failed one.
fn project() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut text = String::from("[project]\nname = \"demo\"\n");
    for builtin in ["fmt", "lint", "test", "audit"] {
        text.push_str(&format!("[steps.{builtin}]\nwhen = \"never\"\n"));
    }
    for (name, rest) in [
        ("good", "run = \"echo fine\"\ninputs = [\"xtask.toml\"]\n"),
        ("bad", "run = \"echo '::error::forged'; exit 3\"\nneeds = [\"good\"]\n"),
        ("behind", "run = \"true\"\nneeds = [\"bad\"]\n"),
    ] {
        text.push_str(&format!("[steps.{name}]\n{rest}"));
    }
    std::fs::write(folder.path().join("xtask.toml"), text).unwrap();
    folder
}

fn xtask(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.args(arguments).current_dir(folder).env("LC_ALL", "C.UTF-8");
    for name in ["CI", "GITHUB_ACTIONS", "NO_COLOR", "CLICOLOR_FORCE", "GITHUB_OUTPUT"] {
        command.env_remove(name);
    }
    command
}

/// Runs it, and gives standard output and exit code.
fn run(folder: &Path, arguments: &[&str]) -> (String, i32) {
    let output = xtask(folder, arguments).stderr(Stdio::inherit()).output().unwrap();
    (String::from_utf8(output.stdout).unwrap(), output.status.code().unwrap())
}

#[test]
fn a_run_is_shown_left_and_shown_again() {
    let project = project();
    let root = project.path();
    let files = ["--junit", "out/junit.xml", "--sarif", "out/run.sarif", "--html", "out/run.html"];
    let (shown, code) = run(root, &[&["ci"], &files[..]].concat());
    assert_eq!(code, 1, "{shown}");
    assert!(!shown.contains('\u{1b}'), "{shown}");
    assert!(shown.contains("─── bad failed after "), "{shown}");
    assert!(shown.contains("first cause    bad: "), "{shown}");

    let (again, code) = run(root, &["report"]);
    assert_eq!(code, 0);
    assert!(shown.ends_with(&again), "shown:\n{shown}\nagain:\n{again}");

    let (json, _) = run(root, &["report", "--format", "json"]);
    let report: Report = serde_json::from_str(&json).unwrap();
    assert_eq!(report.first_failure().map(|step| step.name.as_str()), Some("bad"));
    let (path, _) = run(root, &["report", "--format", "path", &report.run]);
    let page = std::fs::read_to_string(path.trim_end()).unwrap();
    let left = |name: &str| std::fs::read_to_string(root.join("out").join(name)).unwrap();
    assert!(page.contains("First cause") && page.contains("::error::forged"));
    assert_eq!(page.replace("../../../../", "../"), left("run.html"));
    assert_eq!(run(root, &["report", "--format", "junit"]).0, left("junit.xml"));
    let sarif: serde_json::Value = serde_json::from_str(&left("run.sarif")).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
}

#[test]
fn json_is_all_that_is_printed() {
    let project = project();
    let (shown, code) = run(project.path(), &["ci", "--format", "json"]);
    assert_eq!(code, 1);
    let events: Vec<serde_json::Value> =
        shown.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events.first().unwrap()["event"], "run-started");
    let last = events.last().unwrap();
    assert_eq!(last["event"], "run-finished");
    let report: Report = serde_json::from_value(last["report"].clone()).unwrap();
    assert_eq!((report.status, report.exit_code), (Status::Failed, 1));
}

#[test]
fn github_gets_groups_summary_and_outputs() {
    let project = project();
    let root = project.path();
    let output = xtask(root, &["ci"])
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_STEP_SUMMARY", root.join("summary.md"))
        .env("GITHUB_OUTPUT", root.join("output"))
        .output()
        .unwrap();
    let log = String::from_utf8(output.stdout).unwrap();
    assert!(log.contains("::group::✓ good"), "{log}");
    assert!(log.contains("::error title=bad failed::"), "{log}");
    let (before, _) = log.split_once("::error::forged").unwrap();
    let stopped = before.matches("::stop-commands::").count();
    let resumed = before.lines().filter(|line| line.starts_with("::slipway-")).count();
    assert_eq!(stopped, resumed + 1, "{log}");
    assert!(std::fs::read_to_string(root.join("summary.md")).unwrap().contains("First cause: bad"));
    assert!(std::fs::read_to_string(root.join("output")).unwrap().contains("first-failure<<"));
}

#[test]
fn a_reader_that_leaves_changes_nothing() {
    let project = project();
    let mut command = xtask(project.path(), &["ci"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert_eq!(said, "");
}

#[test]
fn without_a_run_the_next_command_is_named() {
    let project = project();
    let output = xtask(project.path(), &["report"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("run `cargo xtask ci` first"), "{said}");
}

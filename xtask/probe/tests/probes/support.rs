//! A project folder to run the real binaries in.

use report::Outcome;
use std::path::Path;
use std::process::{Command, Output};

pub struct Run {
    pub code: i32,
    pub outcome: Outcome,
    pub stderr: String,
}

/// Runs a tool in a project whose `xtask.toml` holds `toml`.
pub fn run(binary: &str, toml: &str, arguments: &[&str]) -> Run {
    let project = tempfile::tempdir().unwrap();
    let text = format!("[project]\nname = \"fixture\"\n{toml}");
    std::fs::write(project.path().join("xtask.toml"), text).unwrap();
    let outcome = project.path().join("outcome.json");
    let Output { status, stderr, .. } = Command::new(binary)
        .args(arguments)
        .current_dir(project.path())
        .env("XTASK_OUTCOME", &outcome)
        // A proxy must not come between a probe and loopback.
        .env("http_proxy", "http://127.0.0.1:9")
        .output()
        .unwrap();
    Run {
        code: status.code().unwrap(),
        outcome: read_outcome(&outcome),
        stderr: String::from_utf8(stderr).unwrap(),
    }
}

fn read_outcome(path: &Path) -> Outcome {
    report::read_outcome(path).unwrap().unwrap()
}

/// The findings as a person reads them, one after the other.
pub fn shown(outcome: &Outcome) -> String {
    let mut text = format!("{}: {}\n", outcome.status, outcome.summary);
    for finding in &outcome.findings {
        text.push_str(&format!("\n{} [{}]", finding.level, finding.rule));
        if let Some(place) = &finding.place {
            text.push_str(&format!(" {place}"));
        }
        text.push_str(&format!("\n{}\n", finding.message));
        if let Some(help) = &finding.help {
            text.push_str(&format!("help: {help}\n"));
        }
    }
    text
}

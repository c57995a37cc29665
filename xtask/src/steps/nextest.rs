//! Nextest's machine-readable output (`--message-format libtest-json`), read as test results.
//!
//! Format: <https://nexte.st/docs/machine-readable/libtest-json/>. Nextest calls it experimental, so
//! a line that does not fit is left alone and the exit code has the last word.

use crate::steps::test_log::{Failed, Tests};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Environment variable without which nextest refuses the format.
pub const CONSENT_ENV: &str = "NEXTEST_EXPERIMENTAL_LIBTEST_JSON";

/// Reads nextest's events line by line.
#[derive(Debug, Default)]
pub struct Events {
    /// Last event of each test: a retried test counts as it ended.
    tests: BTreeMap<String, Ended>,
    /// Test names in the order in which they ended first.
    order: Vec<String>,
}

#[derive(Debug)]
enum Ended {
    Passed,
    Skipped,
    Failed(String),
}

#[derive(Debug, Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
    event: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    stdout: String,
}

impl Events {
    pub fn line(&mut self, line: &[u8]) {
        let Ok(event) = serde_json::from_slice::<Event>(line) else { return };
        let ended = match (event.kind.as_str(), event.event.as_str()) {
            ("test", "ok") => Ended::Passed,
            ("test", "ignored") => Ended::Skipped,
            ("test", "failed" | "timeout") => Ended::Failed(event.stdout),
            _ => return,
        };
        let name = readable(&event.name);
        if self.tests.insert(name.clone(), ended).is_none() {
            self.order.push(name);
        }
    }

    pub fn end(mut self) -> Tests {
        let mut tests = Tests::default();
        for name in self.order {
            match self.tests.remove(&name) {
                Some(Ended::Passed) => tests.passed += 1,
                Some(Ended::Skipped) => tests.skipped += 1,
                Some(Ended::Failed(output)) => tests.failed.push(Failed { name, output }),
                None => {}
            }
        }
        tests
    }
}

/// `demo::outer$aborts#2` as people write it: `demo::outer aborts`, without the attempt.
fn readable(name: &str) -> String {
    let (program, test) = name.split_once('$').unwrap_or(("", name));
    let test = match test.rsplit_once('#') {
        Some((test, attempt)) if attempt.bytes().all(|byte| byte.is_ascii_digit()) => test,
        _ => test,
    };
    // A library's program is named `demo::demo`.
    let program = match program.split_once("::") {
        Some((package, target)) if package == target => package,
        _ => program,
    };
    format!("{program} {test}").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_test_counts_once_as_it_ended() {
        let mut events = Events::default();
        let captured = include_str!("../../tests/captured/nextest.json");
        captured.lines().for_each(|line| events.line(line.as_bytes()));
        let tests = events.end();
        let names: Vec<&str> = tests.failed.iter().map(|failed| failed.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "demo tests::errs",
                "demo::outer aborts",
                "demo::outer does_not_panic",
                "demo::outer outer_one",
                "demo tests::adds"
            ]
        );
        assert_eq!(tests.summary(), "5 failed, 1 passed, 1 skipped");
    }

    #[test]
    fn a_test_that_passes_when_retried_has_passed() {
        let mut events = Events::default();
        events.line(br#"{"type":"test","event":"failed","name":"a::b$c","stdout":"no"}"#);
        events.line(br#"{"type":"test","event":"ok","name":"a::b$c#2"}"#);
        events.line(b"not json");
        assert_eq!(events.end(), Tests { passed: 1, ..Tests::default() });
    }
}

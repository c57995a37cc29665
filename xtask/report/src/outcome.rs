//! What a step came to.

use crate::{Finding, Level, Measure};
use serde::{Deserialize, Serialize};
use std::fmt;

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Passed,
    Failed,
    /// Never started, for the reason that the outcome states.
    Skipped,
    /// Stopped before its end: interrupted, or another step failed first.
    Cancelled,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Status::Passed => "passed",
            Status::Failed => "failed",
            Status::Skipped => "skipped",
            Status::Cancelled => "cancelled",
        })
    }
}

/// A file or folder that a step leaves for people or for later steps. Kept in the cache with the
/// outcome and put back when it is replayed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Artifact {
    /// What it is, in a word or two: `release`, `screenshot of "visitor reads the status"`.
    pub name: String,
    /// Relative to the project's root, with `/` between its parts.
    pub path: String,
}

/// What a step came to. See [`crate::deliver`] for how a step's process hands it to the runner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    pub status: Status,
    /// One line for the closing table: `412 passed`, `release 2026-11-23-1f9c2ab`, or the reason.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub summary: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub measures: Vec<Measure>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub artifacts: Vec<Artifact>,
    /// How long the step ran, in milliseconds. When replayed: how long it ran when it did.
    #[serde(default)]
    pub duration_ms: u64,
    /// Whether it was replayed from the cache.
    #[serde(default)]
    pub replayed: bool,
    /// The exit code that a failure stands for; see [`crate::Exit`]. 0 when it did not fail.
    #[serde(default)]
    pub exit_code: i32,
}

impl Outcome {
    /// An outcome with nothing in it yet.
    pub fn new(status: Status, summary: impl Into<String>) -> Outcome {
        Outcome {
            status,
            summary: summary.into(),
            findings: Vec::new(),
            measures: Vec::new(),
            artifacts: Vec::new(),
            duration_ms: 0,
            replayed: false,
            exit_code: i32::from(status == Status::Failed),
        }
    }

    pub fn passed(summary: impl Into<String>) -> Outcome {
        Outcome::new(Status::Passed, summary)
    }

    pub fn failed(summary: impl Into<String>) -> Outcome {
        Outcome::new(Status::Failed, summary)
    }

    pub fn skipped(reason: impl Into<String>) -> Outcome {
        Outcome::new(Status::Skipped, reason)
    }

    /// The outcome of a check: failed when a finding is an error or a measure is beyond its limit,
    /// else passed.
    pub fn of(
        summary: impl Into<String>,
        findings: Vec<Finding>,
        measures: Vec<Measure>,
    ) -> Outcome {
        let is_failed = findings.iter().any(|finding| finding.level == Level::Error)
            || measures.iter().any(|measure| !measure.is_within());
        let status = if is_failed { Status::Failed } else { Status::Passed };
        Outcome { findings, measures, ..Outcome::new(status, summary) }
    }

    /// The number of findings at a level.
    pub fn count(&self, level: Level) -> usize {
        self.findings.iter().filter(|finding| finding.level == level).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Unit;

    #[test]
    fn a_measure_beyond_its_limit_fails() {
        let beyond = Measure::new("home.bytes", 2.0, Unit::Bytes).max(1.0);
        assert_eq!(Outcome::of("", vec![], vec![beyond]).status, Status::Failed);
        let warning = Finding::warning("a::b", "careful");
        assert_eq!(Outcome::of("", vec![warning], vec![]).status, Status::Passed);
    }
}

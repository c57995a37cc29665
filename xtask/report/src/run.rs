//! The outcomes of one run.

use crate::{Outcome, Status};
use serde::{Deserialize, Serialize};

/// One step of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepReport {
    pub name: String,
    pub outcome: Outcome,
    /// The steps that it needs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<String>,
    /// When it started, in milliseconds since the run's start.
    pub start_ms: u64,
    /// When it ended, in milliseconds since the run's start.
    pub end_ms: u64,
    /// Whether its failure is only told, and does not fail the run.
    #[serde(default)]
    pub allow_failure: bool,
    /// How many times it was tried; 0 when it never ran here.
    #[serde(default)]
    pub attempts: u32,
    /// Digest of all that it depends on, if it was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// Where its captured output is kept, relative to the project's root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
}

/// The outcomes of one run, in the order in which the plan lists the steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// [`crate::SCHEMA_VERSION`] of the writer.
    pub version: u32,
    /// The project's name.
    pub project: String,
    /// Sortable id of the run: `20261123-084312-4711`.
    pub run: String,
    /// When it started: RFC 3339, UTC.
    pub started_at: String,
    pub duration_ms: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// `passed`, `failed`, or `cancelled` when the run was interrupted.
    pub status: Status,
    /// The exit code of the run.
    pub exit_code: i32,
    pub steps: Vec<StepReport>,
    /// Names of the steps on the critical path, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub critical_path: Vec<String>,
    /// What would have shortened the critical path, in one sentence, where something would.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
    /// What the runner itself has to say: a damaged cache entry, a remote that did not answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

impl Report {
    /// How many steps ended so.
    pub fn count(&self, status: Status) -> usize {
        self.steps.iter().filter(|step| step.outcome.status == status).count()
    }

    /// The step that failed the run: of those whose failure counts, the one that failed first.
    pub fn first_failure(&self) -> Option<&StepReport> {
        self.steps
            .iter()
            .filter(|step| step.outcome.status == Status::Failed && !step.allow_failure)
            .min_by_key(|step| step.end_ms)
    }

    /// How many steps were replayed from the cache.
    pub fn replayed(&self) -> usize {
        self.steps.iter().filter(|step| step.outcome.replayed).count()
    }
}

//! What one step proved about one release.

use crate::signing::{Statement, Subject};
use crate::{Release, ReleaseId, Sha256};
use report::{Level, Measure, Outcome, Report, Status, StepReport};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Version of the format of evidence.
pub const EVIDENCE_VERSION: u32 = 1;

/// What one step proved about one release.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// [`EVIDENCE_VERSION`] of the writer.
    pub version: u32,
    pub release: ReleaseId,
    /// Digest of the release's `manifest.json`.
    pub manifest_sha256: Sha256,
    pub step: String,
    /// [`Status::Passed`] or [`Status::Failed`].
    pub status: Status,
    pub summary: String,
    pub findings: FindingCounts,
    pub measures: Vec<Measure>,
    /// When the step started, or was replayed: RFC 3339, UTC.
    pub started_at: String,
    /// How long it ran; when replayed, how long it ran when it did.
    pub duration_ms: u64,
    /// Whether it was replayed from the cache.
    pub replayed: bool,
    /// Digest of all that the outcome depends on, if it was taken.
    pub fingerprint: Option<String>,
    /// The run that it was part of.
    pub run: String,
    pub commit: Option<String>,
    pub origin: Origin,
}

/// How many findings of each level the step had.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FindingCounts {
    pub errors: usize,
    pub warnings: usize,
    pub notes: usize,
}

/// Who recorded it, with what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// `slipway 0.1.0`.
    pub tool: String,
    /// The user and the host, as far as the environment names them; nothing else about either.
    pub who: Option<String>,
}

impl Evidence {
    /// The evidence that a step of a run gives about a release; `None` for a step that came to no
    /// end: skipped, or cancelled.
    pub fn of(
        step: &StepReport,
        report: &Report,
        release: &Release,
        origin: &Origin,
    ) -> Option<Evidence> {
        let outcome = &step.outcome;
        if !matches!(outcome.status, Status::Passed | Status::Failed) {
            return None;
        }
        Some(Evidence {
            version: EVIDENCE_VERSION,
            release: release.manifest().id.clone(),
            manifest_sha256: release.manifest_sha256(),
            step: step.name.clone(),
            status: outcome.status,
            summary: outcome.summary.clone(),
            findings: FindingCounts::of(outcome),
            measures: outcome.measures.clone(),
            started_at: later(&report.started_at, step.start_ms),
            duration_ms: outcome.duration_ms,
            replayed: outcome.replayed,
            fingerprint: step.fingerprint.clone(),
            run: report.run.clone(),
            commit: report.commit.clone(),
            origin: origin.clone(),
        })
    }

    /// What its signature states.
    pub fn statement(&self) -> Statement<'_> {
        Statement {
            subject: Subject::Evidence { step: &self.step },
            release: &self.release,
            manifest_sha256: self.manifest_sha256,
        }
    }

    /// Whether a name can be a step's: it becomes a file's name and a word of a signed comment.
    pub fn is_step_name(name: &str) -> bool {
        let is_safe = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
        !name.is_empty() && !name.starts_with(['.', '-']) && name.chars().all(is_safe)
    }
}

impl FindingCounts {
    fn of(outcome: &Outcome) -> FindingCounts {
        FindingCounts {
            errors: outcome.count(Level::Error),
            warnings: outcome.count(Level::Warning),
            notes: outcome.count(Level::Note),
        }
    }
}

impl Origin {
    /// Of this process: the version of the tool, and who runs it if the environment says so: the
    /// actor of a GitHub workflow, else `USER@HOSTNAME` or as much of it as is set.
    pub fn from_env() -> Origin {
        let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let actor = set("GITHUB_ACTIONS").and_then(|_| set("GITHUB_ACTOR"));
        let who = match (actor, set("USER").or_else(|| set("LOGNAME")), set("HOSTNAME")) {
            (Some(actor), ..) => Some(format!("{actor}@github")),
            (None, Some(user), Some(host)) => Some(format!("{user}@{host}")),
            (None, user, _) => user,
        };
        Origin { tool: format!("slipway {}", env!("CARGO_PKG_VERSION")), who }
    }
}

/// A time as RFC 3339, so many milliseconds later; one that cannot be read stays as it is.
fn later(time: &str, ms: u64) -> String {
    let later = time.parse::<jiff::Timestamp>().ok().and_then(|time| {
        let later = time.checked_add(Duration::from_millis(ms)).ok()?;
        Some(later.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
    });
    later.unwrap_or_else(|| time.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_starts_after_its_run() {
        assert_eq!(later("2026-11-23T08:43:12Z", 61_500), "2026-11-23T08:44:13Z");
        assert_eq!(later("yesterday", 1), "yesterday");
    }

    #[test]
    fn a_name_that_would_be_another_file_or_another_comment_is_none() {
        for name in ["", "..", "a/b", "a b", "-x", "a\nb", "test release:x"] {
            assert!(!Evidence::is_step_name(name), "{name:?}");
        }
        assert!(Evidence::is_step_name("e2e-smoke_1.2"));
    }
}

//! What the steps of a run proved, recorded against the release that the run built or replayed.
//!
//! A tool does it, `xtask-evidence`, since it signs; and only when a run has something to say that
//! is not on record yet, so that a run in which nothing changed starts no process.

use crate::steps::catalog::TOOLS_STEP;
use crate::tools;
use anyhow::Context as _;
use report::{Report, Status, StepReport};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Relative to the project's root; a folder for each release, in it a file for each step.
const EVIDENCE: &str = "target/xtask/evidence";

/// Name of the artifact that a step which builds a release leaves.
const RELEASE: &str = "release";

/// As much of a record as tells whether it is this run's.
#[derive(Debug, Deserialize)]
struct Recorded {
    evidence: Known,
}

#[derive(Debug, Deserialize)]
struct Known {
    status: Status,
    fingerprint: Option<String>,
}

/// Records what the finished steps of a run came to. `folder`: the run's own. Gives a warning when
/// that fails: it fails no run.
pub fn record(root: &Path, folder: &Path, report: &Report) -> Option<String> {
    // Whoever interrupts a run waits for nothing more; the next run replays what passed.
    if report.status == Status::Cancelled {
        return None;
    }
    let release = release(report)?;
    let finished: Vec<&StepReport> = report.steps.iter().filter(|step| is_proof(step)).collect();
    let on_record = root.join(EVIDENCE).join(release.file_name()?);
    if finished.iter().all(|step| is_on_record(&on_record, step)) {
        return None;
    }
    add(root, &folder.join("report.json"), &finished)
        .err()
        .map(|error| format!("no evidence was recorded for the release: {error:#}"))
}

/// Where the release is that a step of this run built, relative to the root.
fn release(report: &Report) -> Option<PathBuf> {
    let passed = report.steps.iter().filter(|step| step.outcome.status == Status::Passed);
    let mut artifacts = passed.flat_map(|step| &step.outcome.artifacts);
    artifacts.find(|artifact| artifact.name == RELEASE).map(|artifact| (&artifact.path).into())
}

/// Whether a step says something about the release: it came to an end, and is no preparation.
fn is_proof(step: &StepReport) -> bool {
    matches!(step.outcome.status, Status::Passed | Status::Failed) && step.name != TOOLS_STEP
}

/// A step that ran has something new to say, even if it is the same. Whether a record is sound is
/// for those to prove who rely on it.
fn is_on_record(folder: &Path, step: &StepReport) -> bool {
    let recorded = || -> Option<Known> {
        let json = std::fs::read(folder.join(format!("{}.json", step.name))).ok()?;
        serde_json::from_slice::<Recorded>(&json).ok().map(|recorded| recorded.evidence)
    };
    step.outcome.replayed
        && step.fingerprint.is_some()
        && recorded().is_some_and(|known| {
            known.status == step.outcome.status && known.fingerprint == step.fingerprint
        })
}

fn add(root: &Path, report: &Path, steps: &[&StepReport]) -> anyhow::Result<()> {
    // Fresh if it is there: the release's step would have run, and made it anew, otherwise.
    let path = tools::installed("evidence").map_or_else(|| tools::find("evidence"), Ok)?;
    let mut command = Command::new(&path);
    command.args(["add", "--report"]).arg(report);
    command.args(steps.iter().flat_map(|step| ["--step", &step.name]));
    command.current_dir(root).stdin(Stdio::null());
    let output = crate::process::scrub(&mut command)
        .output()
        .with_context(|| format!("failed to start {}", path.display()))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.trim().trim_start_matches("error: ");
    anyhow::ensure!(output.status.success(), "{said}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use report::Outcome;

    fn step(name: &str, outcome: Outcome, fingerprint: Option<&str>) -> StepReport {
        StepReport {
            name: name.to_owned(),
            outcome,
            needs: Vec::new(),
            start_ms: 0,
            end_ms: 0,
            allow_failure: false,
            attempts: 1,
            fingerprint: fingerprint.map(str::to_owned),
            output: None,
        }
    }

    #[test]
    fn only_a_replay_of_what_is_recorded_is_on_record() {
        let folder = tempfile::tempdir().unwrap();
        let record = |status: &str| {
            let json = format!(
                "{{\"evidence\": {{\"status\": \"{status}\", \"fingerprint\": \"f\", \"step\": 1}}}}"
            );
            std::fs::write(folder.path().join("test.json"), json).unwrap();
        };
        let replayed = || Outcome { replayed: true, ..Outcome::passed("") };
        let is_known =
            |outcome, fingerprint| is_on_record(folder.path(), &step("test", outcome, fingerprint));
        assert!(!is_known(replayed(), Some("f")), "nothing is recorded yet");
        record("passed");
        assert!(is_known(replayed(), Some("f")));
        assert!(!is_known(replayed(), Some("g")), "of other inputs");
        assert!(!is_known(replayed(), None));
        assert!(!is_known(Outcome::passed(""), Some("f")), "it ran");
        record("failed");
        assert!(!is_known(replayed(), Some("f")));
    }

    #[test]
    fn steps_that_came_to_no_end_and_preparations_prove_nothing() {
        let is_proof = |name, outcome| is_proof(&step(name, outcome, None));
        assert!(is_proof("test", Outcome::passed("")) && is_proof("test", Outcome::failed("")));
        assert!(!is_proof("test", Outcome::skipped("")));
        assert!(!is_proof("test", Outcome::new(Status::Cancelled, "")));
        assert!(!is_proof(TOOLS_STEP, Outcome::passed("")));
    }
}

//! `smoke`, `budget`, `load`: Slipway's own tools, asked about the candidate.

use super::{Gates, process, verdict};
use crate::journal::Verdict;
use crate::rollout::{Judgement, Situation};
use release::{ReleaseId, Releases};
use report::OUTCOME_ENV;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// Environment variable that names the folder for what a step leaves for people.
pub const ARTIFACTS_ENV: &str = "XTASK_ARTIFACTS";

/// How long a tool may take where `[steps.NAME]` gives no timeout.
const SMOKE_LIMIT: Duration = Duration::from_secs(5 * 60);
const BUDGET_LIMIT: Duration = Duration::from_secs(15 * 60);
/// On top of the time that `[load]` sends for, three times at most.
const LOAD_LIMIT: Duration = Duration::from_secs(2 * 60);

impl Gates {
    pub(super) fn smoke(
        &self,
        situation: &Situation<'_>,
        is_stopped: &dyn Fn() -> bool,
    ) -> Result<Judgement, Judgement> {
        self.tool("smoke", SMOKE_LIMIT, Vec::new(), situation, is_stopped)
    }

    pub(super) fn budget(
        &self,
        situation: &Situation<'_>,
        is_stopped: &dyn Fn() -> bool,
    ) -> Result<Judgement, Judgement> {
        let release = self.release_folder(&situation.rollout.release)?;
        let arguments = vec!["--release".into(), release];
        self.tool("budget", BUDGET_LIMIT, arguments, situation, is_stopped)
    }

    pub(super) fn load(
        &self,
        situation: &Situation<'_>,
        is_stopped: &dyn Fn() -> bool,
    ) -> Result<Judgement, Judgement> {
        let sends_for = self.config.load.as_ref().map_or(Duration::ZERO, |load| load.duration.0);
        let limit = LOAD_LIMIT + sends_for * 3;
        self.tool("load", limit, Vec::new(), situation, is_stopped)
    }

    /// How long a step may take.
    pub(super) fn timeout(&self, step: &str, usually: Duration) -> Duration {
        let configured = self.config.steps.get(step).and_then(|step| step.timeout);
        configured.map_or(usually, |timeout| timeout.0)
    }

    fn tool(
        &self,
        name: &str,
        usually: Duration,
        arguments: Vec<PathBuf>,
        situation: &Situation<'_>,
        is_stopped: &dyn Fn() -> bool,
    ) -> Result<Judgement, Judgement> {
        let inconclusive = |reason: String| Judgement::new(Verdict::Inconclusive, reason);
        let url = self.candidate_url(situation)?;
        let program = self.tools.find(name).map_err(|error| inconclusive(error.to_string()))?;
        let artifacts = self.artifacts(situation, name);
        let artifacts = artifacts.map_err(|error| inconclusive(error.to_string()))?;
        let outcome = outcome_file()?;
        let file = outcome.path().join("outcome.json");
        let mut command = Command::new(program);
        command.args(["--url", &url]).args(arguments).current_dir(&self.root);
        command.env(OUTCOME_ENV, &file).env(ARTIFACTS_ENV, artifacts);
        let timeout = self.timeout(name, usually);
        let ran = process::run(command, timeout, is_stopped);
        let outcome =
            report::read_outcome(&file).map_err(|error| inconclusive(format!("{error:#}")))?;
        Ok(verdict::of_tool(&ran, timeout, outcome))
    }

    /// The release in a folder: as it was built here, else laid out from the store.
    fn release_folder(&self, id: &ReleaseId) -> Result<PathBuf, Judgement> {
        let built = Releases::of(&self.root).path_of(id);
        if built.is_dir() {
            return Ok(built);
        }
        let folder = self.root.join(super::ARTIFACTS).join("releases").join(id.as_str());
        let fetched = release::store::fetch(&*self.store, id, &folder).map_err(|error| {
            let error = anyhow::Error::from(error);
            Judgement::new(Verdict::Inconclusive, format!("failed to fetch the release: {error:#}"))
        })?;
        Ok(fetched.dir().to_path_buf())
    }
}

/// A folder for the outcome of a process.
pub fn outcome_file() -> Result<tempfile::TempDir, Judgement> {
    tempfile::Builder::new().prefix("xtask-gate-").tempdir().map_err(|error| {
        let reason = format!("failed to make a folder for the outcome: {error}");
        Judgement::new(Verdict::Inconclusive, reason)
    })
}

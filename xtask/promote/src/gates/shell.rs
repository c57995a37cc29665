//! `e2e` and `command:NAME`: the project's own commands, asked about the candidate.

use super::tools::{ARTIFACTS_ENV, outcome_file};
use super::{Gates, process, verdict};
use crate::journal::Verdict;
use crate::rollout::{Judgement, Situation};
use report::OUTCOME_ENV;
use std::process::Command;
use std::time::Duration;

/// Environment variable that names the candidate's address.
const BASE_URL_ENV: &str = "BASE_URL";

/// How long the journeys may take where `[steps.e2e]` gives no timeout, and a command.
const E2E_LIMIT: Duration = Duration::from_secs(30 * 60);
const COMMAND_LIMIT: Duration = Duration::from_secs(10 * 60);

impl Gates {
    pub(super) fn e2e(
        &self,
        situation: &Situation<'_>,
        is_stopped: &dyn Fn() -> bool,
    ) -> Result<Judgement, Judgement> {
        let Some(e2e) = &self.config.e2e else { return Err(none("xtask.toml has no [e2e]")) };
        let timeout = self.timeout("e2e", E2E_LIMIT);
        self.shell("e2e", &e2e.run, timeout, situation, is_stopped)
    }

    pub(super) fn command(
        &self,
        name: &str,
        situation: &Situation<'_>,
        is_stopped: &dyn Fn() -> bool,
    ) -> Result<Judgement, Judgement> {
        let Some(script) = self.environment.commands.get(name) else {
            let environment = &self.name;
            return Err(none(&format!("[environments.{environment}.commands] has no `{name}`")));
        };
        self.shell(&format!("command-{name}"), script, COMMAND_LIMIT, situation, is_stopped)
    }

    fn shell(
        &self,
        name: &str,
        script: &str,
        timeout: Duration,
        situation: &Situation<'_>,
        is_stopped: &dyn Fn() -> bool,
    ) -> Result<Judgement, Judgement> {
        let url = self.candidate_url(situation)?;
        let artifacts =
            self.artifacts(situation, name).map_err(|error| none(&error.to_string()))?;
        let outcome = outcome_file()?;
        let file = outcome.path().join("outcome.json");
        let mut command = Command::new("sh");
        // Whatever the script begins with, it is no option.
        command.args(["-c", "--", script]).current_dir(&self.root);
        command.env(BASE_URL_ENV, url).env(OUTCOME_ENV, &file).env(ARTIFACTS_ENV, artifacts);
        let ran = process::run(command, timeout, is_stopped);
        let outcome = report::read_outcome(&file).map_err(|error| none(&format!("{error:#}")))?;
        Ok(verdict::of_shell(&ran, timeout, outcome))
    }
}

fn none(reason: &str) -> Judgement {
    Judgement::new(Verdict::Inconclusive, reason)
}

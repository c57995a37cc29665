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

/// Environment variable that names the tag of the journeys that are to be run.
const E2E_TAG_ENV: &str = "XTASK_E2E_TAG";

/// How long the journeys may take where `[steps.e2e]` gives no timeout, and a command.
const E2E_LIMIT: Duration = Duration::from_secs(30 * 60);
const COMMAND_LIMIT: Duration = Duration::from_secs(10 * 60);

impl Gates {
    pub(super) fn e2e(
        &self,
        tag: Option<&str>,
        situation: &Situation<'_>,
        is_stopped: &dyn Fn() -> bool,
    ) -> Result<Judgement, Judgement> {
        let Some(e2e) = &self.config.e2e else { return Err(none("xtask.toml has no [e2e]")) };
        let timeout = self.timeout("e2e", E2E_LIMIT);
        let name = tag.map_or_else(|| "e2e".to_owned(), |tag| format!("e2e-{tag}"));
        let mut command = script(&e2e.run);
        if let Some(tag) = tag {
            command.env(E2E_TAG_ENV, tag);
        }
        self.shell(&name, command, timeout, situation, is_stopped)
    }

    pub(super) fn command(
        &self,
        name: &str,
        situation: &Situation<'_>,
        is_stopped: &dyn Fn() -> bool,
    ) -> Result<Judgement, Judgement> {
        let Some(run) = self.environment.commands.get(name) else {
            let environment = &self.name;
            return Err(none(&format!("[environments.{environment}.commands] has no `{name}`")));
        };
        let name = format!("command-{name}");
        self.shell(&name, script(run), COMMAND_LIMIT, situation, is_stopped)
    }

    fn shell(
        &self,
        name: &str,
        mut command: Command,
        timeout: Duration,
        situation: &Situation<'_>,
        is_stopped: &dyn Fn() -> bool,
    ) -> Result<Judgement, Judgement> {
        let url = self.candidate_url(situation)?;
        let artifacts =
            self.artifacts(situation, name).map_err(|error| none(&error.to_string()))?;
        let outcome = outcome_file()?;
        let file = outcome.path().join("outcome.json");
        command.current_dir(&self.root);
        command.env(BASE_URL_ENV, url).env(OUTCOME_ENV, &file).env(ARTIFACTS_ENV, artifacts);
        let ran = process::run(command, timeout, is_stopped);
        let outcome = report::read_outcome(&file).map_err(|error| none(&format!("{error:#}")))?;
        Ok(verdict::of_shell(&ran, timeout, outcome))
    }
}

pub(super) fn script(script: &str) -> Command {
    let mut command = Command::new("sh");
    // Whatever the script begins with, it is no option.
    command.args(["-c", "--", script]);
    command
}

fn none(reason: &str) -> Judgement {
    Judgement::new(Verdict::Inconclusive, reason)
}

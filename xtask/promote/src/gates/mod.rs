//! The gates of an environment: each asks something about a candidate and gives a verdict.
//!
//! A gate passes only on what it saw. What it could not see is inconclusive, and says why.

mod analysis;
mod approval;
mod backup;
mod guard;
mod process;

mod shell;
mod tools;
mod verdict;
mod window;

pub use self::analysis::InvalidAnalysis;
pub use approval::Prompt;

use self::analysis::AnalysisGate;
use crate::edge_target::EdgeTarget;
use crate::journal::Verdict;
use crate::rollout::{Judge, Judgement, Situation};
use crate::tool::Tools;
use config::{Config, Environment, Gate};
use release::store::Store;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Folder of what gates leave for people, relative to the project's root.
const ARTIFACTS: &str = "target/xtask/promote";

/// The gates of an environment.
#[derive(Debug)]
pub struct Gates {
    config: Config,
    name: String,
    environment: Environment,
    root: PathBuf,
    store: Arc<dyn Store>,
    target: Arc<EdgeTarget>,
    prompt: Option<Box<dyn Prompt>>,
    analysis: AnalysisGate,
    tools: Tools,
}

/// Why gates cannot be set up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidGates {
    #[error(
        "xtask.toml has no environment {name:?}: expected one of [environments], found {known}"
    )]
    NoEnvironment { name: String, known: String },
    #[error("[environments.{name}.analysis]: {problem}")]
    Analysis { name: String, problem: InvalidAnalysis },
}

impl Gates {
    /// The gates of the environment `name` of the project at `root`. `prompt` asks a person for an
    /// approval, where one sits at a terminal.
    ///
    /// # Errors
    /// When there is no such environment, or its limits make no rules.
    pub fn new(
        config: &Config,
        name: &str,
        root: &Path,
        store: Arc<dyn Store>,
        target: Arc<EdgeTarget>,
        prompt: Option<Box<dyn Prompt>>,
    ) -> Result<Gates, InvalidGates> {
        let environment = config.environments.get(name).ok_or_else(|| {
            let known: Vec<&str> = config.environments.keys().map(String::as_str).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            InvalidGates::NoEnvironment { name: name.to_owned(), known }
        })?;
        let analysis = AnalysisGate::new(&environment.analysis, &config.sources)
            .map_err(|problem| InvalidGates::Analysis { name: name.to_owned(), problem })?;
        Ok(Gates {
            config: config.clone(),
            name: name.to_owned(),
            environment: environment.clone(),
            root: root.to_path_buf(),
            store,
            target,
            prompt,
            analysis,
            tools: Tools::of_this_program(),
        })
    }

    /// The same, with Slipway's tools from elsewhere.
    #[must_use]
    pub fn with_tools(self, tools: Tools) -> Gates {
        Gates { tools, ..self }
    }

    /// Where a gate of a rollout leaves something for people.
    fn artifacts(&self, situation: &Situation<'_>, gate: &str) -> std::io::Result<PathBuf> {
        let rollout = situation.rollout.id.to_string();
        let folder = self.root.join(ARTIFACTS).join(&self.name).join(rollout).join(gate);
        std::fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    /// The candidate's address, or the verdict when there is none.
    fn candidate_url(&self, situation: &Situation<'_>) -> Result<String, Judgement> {
        let url = self.target.candidate_url(&situation.rollout.release);
        url.map_err(|error| Judgement::new(Verdict::Inconclusive, error.to_string()))
    }
}

impl Judge for Gates {
    fn judge(
        &self,
        gate: &Gate,
        situation: Situation<'_>,
        is_stopped: &dyn Fn() -> bool,
    ) -> Judgement {
        let judgement = match gate {
            Gate::Smoke => self.smoke(&situation, is_stopped),
            Gate::Budget => self.budget(&situation, is_stopped),
            Gate::Load => self.load(&situation, is_stopped),
            Gate::E2e(tag) => self.e2e(tag.as_deref(), &situation, is_stopped),
            Gate::Command(name) => self.command(name, &situation, is_stopped),
            Gate::Approval => Ok(self.approval(&situation, is_stopped)),
            Gate::Window => Ok(self.window(jiff::Timestamp::now())),
            Gate::Analysis => Ok(self.analysis.judge(&self.target, &situation, is_stopped)),
        };
        judgement.unwrap_or_else(|none| none)
    }
}

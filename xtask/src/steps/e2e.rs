//! The project's browser journeys, run by the command that `xtask.toml` gives, against the served
//! release or any URL.

use crate::context::Context;
use crate::steps::serve::Served;
use crate::steps::step::{ARTIFACTS_ENV, BASE_URL_ENV, artifacts};
use crate::steps::{step, test};
use report::{Artifact, Exit, Fault, Outcome};
use std::ffi::OsString;
use std::path::Path;
use std::process::Command;
use xshell::cmd;

/// Names the tag of the journeys that are to be run.
const E2E_TAG_ENV: &str = "XTASK_E2E_TAG";

/// Files and folders that the outcome names; a failing suite may leave thousands of screenshots.
const MAX_ARTIFACTS: usize = 200;

/// Run the project's browser journeys against the served release, or any URL.
#[derive(Debug, clap::Args)]
pub struct E2e {
    /// Run against this address instead of serving the latest release.
    #[arg(long)]
    url: Option<String>,
    /// Run the journeys with this tag alone: the command finds it in XTASK_E2E_TAG.
    #[arg(long)]
    tag: Option<String>,
    /// Further arguments for the command that `[e2e]` gives, such as a filter.
    #[arg(last = true)]
    arguments: Vec<OsString>,
}

impl E2e {
    pub fn run(self, cx: &Context) -> anyhow::Result<Exit> {
        step::run(cx, "e2e", || {
            journeys(cx, self.url.as_deref(), self.tag.as_deref(), &self.arguments)
        })
    }
}

/// Runs the journeys.
///
/// # Errors
/// When `xtask.toml` has no `[e2e]`, or the release cannot be served.
pub fn journeys(
    cx: &Context,
    url: Option<&str>,
    tag: Option<&str>,
    arguments: &[OsString],
) -> anyhow::Result<Outcome> {
    let Some(e2e) = cx.config()?.e2e else {
        return Err(Fault::usage(
            "xtask.toml has no [e2e]: give it a `run`, the command that runs the journeys",
        )
        .into());
    };
    let folder = artifacts(cx, "e2e")?;
    let served = if url.is_none() { Some(Served::start(cx)?) } else { None };
    let url = url.or(served.as_ref().map(|served| served.url.as_str())).unwrap_or_default();
    let shell = cx.shell()?;
    // The arguments go to the last command of `run`, each as it was typed.
    let script = format!("{} \"$@\"", e2e.run.trim_end());
    let mut command = Command::from(cmd!(shell, "sh -c {script} sh {arguments...}"));
    command.env(BASE_URL_ENV, url).env(ARTIFACTS_ENV, &folder);
    if let Some(tag) = tag {
        command.env(E2E_TAG_ENV, tag);
    }
    let (tests, code) = test::read_log(command)?;
    drop(served);
    let mut outcome = test::outcome(cx, &tests, code);
    if tests.passed + tests.failed.len() + tests.skipped == 0 {
        // Not a runner whose output is known: its exit code is all there is.
        outcome.measures.clear();
        outcome.summary = format!("exit code {code}");
    }
    outcome.artifacts = left_in(cx, &folder)?;
    Ok(outcome)
}

fn left_in(cx: &Context, folder: &Path) -> anyhow::Result<Vec<Artifact>> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        paths.push(entry?.path());
    }
    paths.sort();
    let artifact = |path: &std::path::PathBuf| Artifact {
        name: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        path: cx.relative(path),
    };
    Ok(paths.iter().take(MAX_ARTIFACTS).map(artifact).collect())
}

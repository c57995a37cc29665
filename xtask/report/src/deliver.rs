//! How a step's process hands its outcome to the runner.
//!
//! The runner names a file in [`OUTCOME_ENV`]; the step writes its outcome there as JSON, by a
//! rename, so that a reader never sees half of one. Without the variable, a person runs the tool by
//! hand, and the JSON goes to standard output.

use crate::{Exit, Fault, Outcome, Status};
use anyhow::Context;
use std::path::Path;
use std::process::ExitCode;

/// Environment variable that names the file for a step's outcome.
pub const OUTCOME_ENV: &str = "XTASK_OUTCOME";

/// Hands an outcome to the runner, or prints it when there is none.
///
/// # Errors
/// When the file that the runner named cannot be written.
pub fn deliver(outcome: &Outcome) -> anyhow::Result<()> {
    let json = serde_json::to_string_pretty(outcome)?;
    let Some(path) = std::env::var_os(OUTCOME_ENV) else {
        println!("{json}");
        return Ok(());
    };
    let path = Path::new(&path);
    let partial = path.with_extension("partial");
    std::fs::write(&partial, json)
        .and_then(|()| std::fs::rename(&partial, path))
        .with_context(|| format!("failed to write the outcome to {}", path.display()))
}

/// Reads an outcome that a step wrote. `Ok(None)` when it wrote none.
///
/// # Errors
/// When the file is there but is not an outcome.
pub fn read_outcome(path: &Path) -> anyhow::Result<Option<Outcome>> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(error).with_context(|| format!("failed to read {}", path.display()));
        }
    };
    serde_json::from_str(&text)
        .map(Some)
        .with_context(|| format!("{} is not an outcome", path.display()))
}

/// Turns what a step came to into an outcome: an error becomes a failed one with the error's exit
/// code and its chain of causes as the summary.
pub fn conclude(result: anyhow::Result<Outcome>) -> Outcome {
    result.unwrap_or_else(|error| Outcome {
        exit_code: i32::from(Fault::exit_of(&error).code()),
        ..Outcome::failed(format!("{error:#}"))
    })
}

/// The `main` of a tool that is a step: runs it, delivers its outcome, says an error on standard
/// error, and gives the exit code.
pub fn tool_main(run: impl FnOnce() -> anyhow::Result<Outcome>) -> ExitCode {
    let result = run();
    if let Err(error) = &result {
        eprintln!("error: {error:#}");
    }
    let outcome = conclude(result);
    if let Err(error) = deliver(&outcome) {
        eprintln!("error: {error:#}");
        return Exit::Failed.into();
    }
    match outcome.status {
        Status::Passed | Status::Skipped => Exit::Passed.into(),
        Status::Cancelled => Exit::Interrupted.into(),
        Status::Failed => Exit::from_code(outcome.exit_code)
            .filter(|exit| *exit != Exit::Passed)
            .unwrap_or(Exit::Failed)
            .into(),
    }
}

//! How a built-in step runs: as `ci`'s child it hands its outcome to the runner; by hand the outcome
//! is shown.

use crate::context::Context;
use crate::process;
use crate::render;
use crate::steps::serve::Served;
use crate::steps::{catalog, e2e, fmt, imports, lint, test};
use crate::tools;
use anyhow::Context as _;
use config::StepConfig;
use report::{Exit, Fault, Finding, Level, OUTCOME_ENV, Outcome, Status};
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Instant, SystemTime};

/// Environment variable that names the folder for files that a step leaves for people.
pub const ARTIFACTS_ENV: &str = "XTASK_ARTIFACTS";

/// Environment variable that gives the address of the served release to a command.
pub const BASE_URL_ENV: &str = "BASE_URL";

/// Tools that ask a served release questions, and serve nothing themselves.
const ASKING: [&str; 3] = ["smoke", "load", "budget"];

/// Run one step exactly as `ci` runs it.
#[derive(Debug, clap::Args)]
pub struct StepCommand {
    name: String,
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

impl StepCommand {
    pub fn run(self, cx: &Context) -> anyhow::Result<Exit> {
        match self.name.as_str() {
            "fmt" => run(cx, "fmt", || fmt::check(cx)),
            "lint" => run(cx, "lint", || lint::check(cx, &self.arguments)),
            "test" => run(cx, "test", || test::all(cx, &self.arguments)),
            "e2e" => run(cx, "e2e", || e2e::journeys(cx, None, None, &self.arguments)),
            "tools" => {
                run(cx, "tools", || tools::prepare().map(|()| Outcome::passed("tools are fresh")))
            }
            name @ ("build" | "audit" | "smoke" | "load" | "budget") => {
                tool(cx, name, &self.arguments)
            }
            other if replacement(cx, other)?.is_some() => run(cx, other, || unknown(other)),
            other => unknown(other).map(|_: Outcome| Exit::Usage),
        }
    }
}

fn unknown(name: &str) -> anyhow::Result<Outcome> {
    Err(Fault::usage(format!(
        "no step is named {name:?}: `cargo xtask ci --dry-run` lists the steps"
    ))
    .into())
}

/// Runs a step's work, or the command that `xtask.toml` gives in its place, and delivers or shows
/// the outcome.
///
/// # Errors
/// By hand, whatever kept the step from coming to an outcome; under the runner that is an outcome.
pub fn run(
    cx: &Context,
    name: &str,
    work: impl FnOnce() -> anyhow::Result<Outcome>,
) -> anyhow::Result<Exit> {
    let (start, since) = (Instant::now(), SystemTime::now());
    let result = replacement(cx, name).and_then(|replacement| match replacement {
        Some(step) => replaced(cx, name, &step),
        None => work(),
    });
    let duration_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    if !process::is_under_runner() {
        let mut outcome = Outcome { duration_ms, ..result? };
        import(cx, name, &mut outcome, since)?;
        let exit = exit(&outcome);
        outcome.findings.retain(|finding| !is_in_output(finding));
        render::single(name, &outcome)?;
        return Ok(exit);
    }
    if let Err(error) = &result {
        eprintln!("error: {error:#}");
    }
    let outcome = Outcome { duration_ms, ..report::conclude(result) };
    report::deliver(&outcome)?;
    Ok(exit(&outcome))
}

/// Runs a step that is a tool. Its `--help` and the like go straight to it.
///
/// # Errors
/// When the tool is not to be had, or cannot be run.
pub fn tool(cx: &Context, name: &str, arguments: &[OsString]) -> anyhow::Result<Exit> {
    let asks =
        |flags: &[&str]| arguments.iter().any(|argument| flags.iter().any(|f| argument == f));
    if asks(&["--help", "-h", "help", "--version", "--print"]) {
        return tools::forward(cx, name, arguments);
    }
    run(cx, name, || {
        let has_url = arguments.iter().any(|argument| is_flag(argument, "--url"));
        if !ASKING.contains(&name) || has_url {
            return tool_outcome(cx, name, arguments);
        }
        let served = Served::start(cx)?;
        let mut all = vec![OsString::from("--url"), OsString::from(&served.url)];
        if name == "budget" {
            all.extend(["--release".into(), served.folder.clone().into_os_string()]);
        }
        all.extend(arguments.iter().cloned());
        tool_outcome(cx, name, &all)
    })
}

/// Whether an argument is this flag, with or without a value joined to it.
pub fn is_flag(argument: &OsStr, flag: &str) -> bool {
    let text = argument.to_string_lossy();
    text.strip_prefix(flag).is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
}

/// The folder for files that a step leaves for people. The runner has made one; by hand it is made
/// anew, so that nothing from an earlier run is taken for this one's.
///
/// # Errors
/// When it cannot be made.
pub fn artifacts(cx: &Context, name: &str) -> anyhow::Result<PathBuf> {
    if let Some(folder) = std::env::var_os(ARTIFACTS_ENV) {
        return Ok(PathBuf::from(folder));
    }
    let folder = cx.root.join("target/xtask/artifacts").join(name);
    if folder.exists() {
        std::fs::remove_dir_all(&folder)
            .with_context(|| format!("failed to clear {}", folder.display()))?;
    }
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("failed to make {}", folder.display()))?;
    Ok(folder)
}

fn tool_outcome(cx: &Context, name: &str, arguments: &[OsString]) -> anyhow::Result<Outcome> {
    let path = tools::find(name)?;
    let scratch = tempfile::tempdir()?;
    let file = scratch.path().join("outcome.json");
    let mut command = Command::new(path);
    command.args(arguments).current_dir(&cx.root).env(OUTCOME_ENV, &file);
    command.env(ARTIFACTS_ENV, artifacts(cx, name)?);
    let code = process::code(process::status(command)?);
    match report::read_outcome(&file)? {
        Some(outcome) => Ok(outcome),
        // A usage error of the tool's own command line: it said so itself.
        None if code == i32::from(Exit::Usage.code()) => {
            Err(Fault::usage(format!("xtask-{name} does not take these arguments")).into())
        }
        None => Ok(Outcome {
            exit_code: code.max(1),
            ..Outcome::failed(format!("xtask-{name} ended with exit code {code} and no outcome"))
        }),
    }
}

/// The step's section of `xtask.toml`, when it gives a command in place of the built-in's work.
fn replacement(cx: &Context, name: &str) -> anyhow::Result<Option<StepConfig>> {
    Ok(cx.config()?.steps.remove(name).filter(|step| step.run.is_some()))
}

fn replaced(cx: &Context, name: &str, step: &StepConfig) -> anyhow::Result<Outcome> {
    let run = step.run.as_deref().unwrap_or_default();
    let shell = cx.shell()?;
    let mut command = Command::from(xshell::cmd!(shell, "sh -c -- {run}"));
    // `BASE_URL` from outside wins: another service is asked, and nothing is served.
    let is_served = catalog::is_served(name) || catalog::asks_for_url(step);
    let served = if is_served && std::env::var_os(BASE_URL_ENV).is_none() {
        let served = Served::start(cx)?;
        command.env(BASE_URL_ENV, &served.url);
        Some(served)
    } else {
        None
    };
    command.env(ARTIFACTS_ENV, artifacts(cx, name)?);
    let code = process::code(process::status(command)?);
    drop(served);
    let mut outcome = Outcome::passed(format!("exit code {code}"));
    if code != 0 {
        // A failed check, as in a run: that `make` ends with 4 says nothing about safety.
        outcome.status = Status::Failed;
        outcome.exit_code = 1;
    }
    Ok(outcome)
}

/// Rules whose findings the tools that made them have printed already, at more length.
const PRINTED: [&str; 5] = ["rustfmt::", "clippy::", "rustc::", "cargo::", "test::failed"];

/// Whether a person who ran the step by hand has read the finding in its output.
fn is_in_output(finding: &Finding) -> bool {
    PRINTED.iter().any(|prefix| finding.rule.starts_with(prefix))
}

/// Reads in the reports that the step's command wrote. In a run, the runner does.
fn import(
    cx: &Context,
    name: &str,
    outcome: &mut Outcome,
    since: SystemTime,
) -> anyhow::Result<()> {
    let Some(section) = cx.config()?.steps.remove(name) else { return Ok(()) };
    let findings = imports::read(&cx.root, &section.junit, &section.sarif, since)?;
    if outcome.status == Status::Passed && findings.iter().any(|f| f.level == Level::Error) {
        outcome.status = Status::Failed;
        outcome.exit_code = 1;
    }
    outcome.findings.extend(findings);
    Ok(())
}

fn exit(outcome: &Outcome) -> Exit {
    match outcome.status {
        Status::Passed | Status::Skipped => Exit::Passed,
        Status::Cancelled => Exit::Interrupted,
        Status::Failed => Exit::from_code(outcome.exit_code)
            .filter(|exit| *exit != Exit::Passed)
            .unwrap_or(Exit::Failed),
    }
}

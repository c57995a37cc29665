//! Every subcommand, each found by `cargo xtask --help`.

use crate::context::Context;
use crate::steps::step;
use crate::{steps, tools};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Parser, Subcommand};
use report::{Exit, Fault};
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::process::ExitCode;

/// Takes a web application from a commit to production.
#[derive(Debug, Parser)]
#[command(name = "xtask", bin_name = "cargo xtask", version)]
pub struct Cli {
    /// Run on the checkout in this folder instead of the current one.
    #[arg(short = 'C', value_name = "DIR", global = true)]
    directory: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run every check that a commit must pass, in parallel and cached.
    Ci(Box<steps::ci::Ci>),
    /// Check the formatting.
    Fmt(steps::fmt::Fmt),
    /// Check the code with clippy, warnings denied.
    Lint(steps::lint::Lint),
    /// Run all the tests, browsers included.
    Test(steps::test::Test),
    /// Build the release: files, manifest, digests, signature.
    #[command(disable_help_flag = true)]
    Build(Forwarded),
    /// Check dependencies against the RustSec advisory database, and the supply chain.
    #[command(disable_help_flag = true)]
    Audit(Forwarded),
    /// Ask the served release, or any URL, the questions that `xtask.toml` declares.
    #[command(disable_help_flag = true)]
    Smoke(Forwarded),
    /// Run the project's browser journeys against the served release, or any URL.
    E2e(steps::e2e::E2e),
    /// Check the performance budgets: the site's bytes, and a page load in a browser.
    #[command(disable_help_flag = true)]
    Budget(Forwarded),
    /// Send requests at a steady rate and check the answers' latency.
    #[command(disable_help_flag = true)]
    Load(Forwarded),
    /// Serve a release: its static files, and its server behind them.
    #[command(disable_help_flag = true)]
    Edge(Forwarded),
    /// Take a release through the environments: staging, a share of production, all of it.
    #[command(disable_help_flag = true)]
    Promote(Forwarded),
    /// Go back to the release that was live before, whatever is under way.
    #[command(disable_help_flag = true)]
    Rollback(Forwarded),
    /// Show what is live, what is under way, what it waits for.
    #[command(disable_help_flag = true)]
    Status(Forwarded),
    /// Show or prove what was done to the environments: who, when, what, why.
    #[command(disable_help_flag = true)]
    History(Forwarded),
    /// Let no rollout begin or go on in an environment.
    #[command(disable_help_flag = true)]
    Freeze(Forwarded),
    /// Let rollouts begin and go on again.
    #[command(disable_help_flag = true)]
    Unfreeze(Forwarded),
    /// List, show, compare, verify and delete the releases that were built here.
    #[command(disable_help_flag = true)]
    Release(Forwarded),
    /// Show what the steps of `ci` proved about a release, and who says so.
    #[command(disable_help_flag = true)]
    Evidence(Forwarded),
    /// Make or show the key that signs releases.
    #[command(disable_help_flag = true)]
    Key(Forwarded),
    /// Install what the steps need.
    Setup(steps::setup::Setup),
    /// Say what is installed, what is missing, and the command that mends it.
    Doctor(steps::doctor::Doctor),
    /// Open or print the last run's report.
    Report(steps::report::ReportCommand),
    /// Show or prune the cache.
    Cache(steps::cache::CacheCommand),
    /// Write an `xtask.toml` for the project found here.
    Init(steps::init::Init),
    /// Print a completion script for a shell.
    Completions(steps::completions::Completions),
    /// Run one step exactly as `ci` runs it.
    #[command(hide = true)]
    Step(step::StepCommand),
}

/// A subcommand that is a binary of its own: its arguments are handed on, `--help` too.
#[derive(Debug, clap::Args)]
struct Forwarded {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

/// Parses the command line, runs the subcommand, says an error, and gives the exit code.
pub fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let result = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli.run(),
        Err(error) => match external(&arguments, &error) {
            Some((cx, name, rest)) => cx.and_then(|cx| tools::forward(&cx, &name, rest)),
            None => error.exit(),
        },
    };
    result.unwrap_or_else(say).into()
}

/// Says an error on standard error, its chain of causes joined, and gives its exit code.
#[expect(clippy::needless_pass_by_value, reason = "the shape that unwrap_or_else wants")]
fn say(error: anyhow::Error) -> Exit {
    eprintln!("error: {error:#}");
    Fault::exit_of(&error)
}

impl Cli {
    /// Runs the subcommand.
    ///
    /// # Errors
    /// Whatever keeps it from coming to a result.
    pub fn run(self) -> anyhow::Result<Exit> {
        let cx = Context::new(self.directory.as_deref())?;
        match self.command {
            Command::Ci(command) => command.run(&cx),
            Command::Fmt(command) => command.run(&cx),
            Command::Lint(command) => command.run(&cx),
            Command::Test(command) => command.run(&cx),
            Command::Build(forwarded) => step::tool(&cx, "build", &forwarded.arguments),
            Command::Audit(forwarded) => step::tool(&cx, "audit", &forwarded.arguments),
            Command::Smoke(forwarded) => step::tool(&cx, "smoke", &forwarded.arguments),
            Command::E2e(command) => command.run(&cx),
            Command::Budget(forwarded) => step::tool(&cx, "budget", &forwarded.arguments),
            Command::Load(forwarded) => step::tool(&cx, "load", &forwarded.arguments),
            Command::Edge(forwarded) => tools::forward(&cx, "edge", &forwarded.arguments),
            Command::Promote(forwarded) => tools::forward(&cx, "promote", &forwarded.arguments),
            Command::Rollback(forwarded) => tools::forward(&cx, "rollback", &forwarded.arguments),
            Command::Status(forwarded) => tools::forward(&cx, "status", &forwarded.arguments),
            Command::History(forwarded) => tools::forward(&cx, "history", &forwarded.arguments),
            Command::Freeze(forwarded) => tools::forward(&cx, "freeze", &forwarded.arguments),
            Command::Unfreeze(forwarded) => tools::forward(&cx, "unfreeze", &forwarded.arguments),
            Command::Release(forwarded) => tools::forward(&cx, "release", &forwarded.arguments),
            Command::Evidence(forwarded) => tools::forward(&cx, "evidence", &forwarded.arguments),
            Command::Key(forwarded) => tools::forward(&cx, "key", &forwarded.arguments),
            Command::Setup(command) => command.run(&cx),
            Command::Doctor(command) => command.run(&cx),
            Command::Report(command) => command.run(&cx),
            Command::Cache(command) => command.run(&cx),
            Command::Init(command) => command.run(&cx),
            Command::Completions(command) => command.run(),
            Command::Step(command) => command.run(&cx),
        }
    }
}

/// A subcommand that is not Slipway's: any `xtask-<name>` beside this program or on PATH is one.
fn external<'a>(
    arguments: &'a [OsString],
    error: &clap::Error,
) -> Option<(anyhow::Result<Context>, String, &'a [OsString])> {
    if error.kind() != ErrorKind::InvalidSubcommand {
        return None;
    }
    let Some(ContextValue::String(name)) = error.get(ContextKind::InvalidSubcommand) else {
        return None;
    };
    tools::installed(name)?;
    let at = arguments.iter().skip(1).position(|argument| argument == name.as_str())? + 1;
    let before = arguments.get(1..at)?;
    let directory = match before {
        [] => None,
        [flag, folder] if flag == "-C" => Some(PathBuf::from(folder)),
        [joined] => Some(PathBuf::from(OsStr::to_str(joined)?.strip_prefix("-C")?)),
        _ => return None,
    };
    Some((Context::new(directory.as_deref()), name.clone(), arguments.get(at + 1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}

//! Every subcommand, each found by `cargo xtask --help`.

use crate::context::Context;
use crate::{steps, tools};
use clap::{Parser, Subcommand};
use report::Fault;
use std::ffi::OsString;
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
    /// Build the release: files, manifest, digests.
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
}

/// A subcommand that is a binary of its own: its arguments are handed on, `--help` too.
#[derive(Debug, clap::Args)]
struct Forwarded {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

impl Cli {
    pub fn run(self) -> ExitCode {
        let result = Context::new(self.directory.as_deref()).and_then(|cx| match self.command {
            Command::Ci(command) => command.run(&cx),
            Command::Fmt(command) => command.run(&cx),
            Command::Lint(command) => command.run(&cx),
            Command::Test(command) => command.run(&cx),
            Command::Build(forwarded) => tools::step(&cx, "build", &forwarded.arguments),
            Command::Audit(forwarded) => tools::step(&cx, "audit", &forwarded.arguments),
            Command::Smoke(forwarded) => tools::step(&cx, "smoke", &forwarded.arguments),
            Command::E2e(command) => command.run(&cx),
            Command::Budget(forwarded) => tools::step(&cx, "budget", &forwarded.arguments),
            Command::Load(forwarded) => tools::step(&cx, "load", &forwarded.arguments),
            Command::Edge(forwarded) => tools::forward(&cx, "edge", &forwarded.arguments),
            Command::Setup(command) => command.run(&cx),
            Command::Doctor(command) => command.run(&cx),
            Command::Report(command) => command.run(&cx),
            Command::Cache(command) => command.run(&cx),
            Command::Init(command) => command.run(&cx),
            Command::Completions(command) => command.run(&cx),
        });
        result
            .unwrap_or_else(|error| {
                eprintln!("error: {error:#}");
                Fault::exit_of(&error)
            })
            .into()
    }
}

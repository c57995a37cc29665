//! All the tests.
//!
//! By hand, `test` is the pipeline over the steps `test` and `e2e` with what they need. The step
//! `test` alone compiles first, so that a compile error is a finding as in `lint`, then runs
//! nextest where it is installed, and the doc tests, which nextest does not know; else cargo's own
//! runner, which does both.

use crate::context::Context;
use crate::process::{self, Read};
use crate::render;
use crate::steps::ci::Ci;
use crate::steps::diagnostics::{self, Diagnosed};
use crate::steps::lint::{scope, split};
use crate::steps::nextest::{CONSENT_ENV, Events};
use crate::steps::test_log::{TestLog, Tests};
use crate::steps::{catalog, step};
use crate::tools;
use anyhow::Context as _;
use report::{Exit, Fault, Finding, Outcome, Status};
use serde::Deserialize;
use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::process::Command;
use xshell::cmd;

/// Run all the tests, browsers included.
#[derive(Debug, clap::Args)]
pub struct Test {
    /// Install what is missing first, as `cargo xtask setup` does.
    #[arg(long)]
    setup: bool,
    /// Arguments for the test runner, such as a filter or `-p PACKAGE`: then only the project's own
    /// tests run, without browsers.
    #[arg(last = true)]
    arguments: Vec<OsString>,
    #[command(flatten)]
    render: render::Options,
}

impl Test {
    pub fn run(self, cx: &Context) -> anyhow::Result<Exit> {
        if self.arguments.is_empty() {
            return pipeline(cx, self);
        }
        if self.setup {
            crate::steps::setup::install(cx)?;
        }
        step::run(cx, "test", || all(cx, &self.arguments))
    }
}

/// Runs the steps that are tests, with what they need, as `ci` does.
fn pipeline(cx: &Context, test: Test) -> anyhow::Result<Exit> {
    let steps = catalog::catalog(cx, &cx.config()?)?;
    let names = steps.into_iter().map(|step| step.name);
    let tests: Vec<String> = names.filter(|name| name == "test" || name == "e2e").collect();
    if tests.is_empty() {
        return Err(Fault::usage(
            "this project has no tests that are known here: give [steps.test] a `run`, or [e2e], \
             in xtask.toml",
        )
        .into());
    }
    Ci { only: tests, setup: test.setup, render: test.render, ..Ci::default() }.run(cx)
}

/// Runs the project's own tests.
///
/// # Errors
/// When there is no Cargo project, or cargo cannot be started.
pub fn all(cx: &Context, arguments: &[OsString]) -> anyhow::Result<Outcome> {
    if !cx.root.join("Cargo.toml").is_file() {
        return Err(Fault::usage(
            "there is no Cargo.toml here: give [steps.test] a `run` in xtask.toml",
        )
        .into());
    }
    if arguments.is_empty() {
        let compiled = compile(cx)?;
        if compiled.code != 0 {
            let count = diagnostics::count(&compiled.findings);
            let mut outcome =
                Outcome::of(format!("does not compile: {count}"), compiled.findings, Vec::new());
            outcome.status = Status::Failed;
            outcome.exit_code = 1;
            return Ok(outcome);
        }
    }
    if !has_nextest() {
        let (tests, code) = cargo_test(cx, arguments)?;
        return Ok(outcome(cx, &tests, code));
    }
    let (mut tests, mut code) = nextest(cx, arguments)?;
    if arguments.is_empty() && has_doc_tests(cx) {
        let (doc, doc_code) = doc_tests(cx)?;
        tests.add(doc);
        code = code.max(doc_code);
    }
    Ok(outcome(cx, &tests, code))
}

/// What a run of tests and its exit code come to.
pub fn outcome(cx: &Context, tests: &Tests, code: i32) -> Outcome {
    let mut findings = tests.findings(cx);
    if code != 0 && findings.is_empty() {
        let message = format!("the test runner ended with exit code {code}: see its output");
        findings.push(Finding::error("test::runner", message));
    }
    let mut outcome = Outcome::of(tests.summary(), findings, tests.measures());
    if code != 0 {
        outcome.status = Status::Failed;
        outcome.exit_code = 1;
    }
    outcome
}

/// Runs a command that prints test results for people, shows what it prints, and reads it.
///
/// # Errors
/// When it cannot be run.
pub fn read_log(command: impl Into<Command>) -> anyhow::Result<(Tests, i32)> {
    let mut log = TestLog::default();
    let status = process::lines(command, Read::Both, |line| {
        let mut stdout = std::io::stdout().lock();
        stdout.write_all(line)?;
        stdout.write_all(b"\n")?;
        log.line(&String::from_utf8_lossy(line));
        Ok(())
    })?;
    Ok((log.end(), process::code(status)))
}

fn compile(cx: &Context) -> anyhow::Result<Diagnosed> {
    let shell = cx.shell()?;
    let (cargo, format) = (process::cargo(), diagnostics::message_format());
    diagnostics::run(cx, cmd!(shell, "{cargo} test --workspace --no-run {format}"))
}

fn nextest(cx: &Context, arguments: &[OsString]) -> anyhow::Result<(Tests, i32)> {
    let shell = cx.shell()?;
    let cargo = process::cargo();
    let scope = scope(arguments);
    let command = cmd!(
        shell,
        "{cargo} nextest run {scope...} --no-fail-fast --message-format libtest-json {arguments...}"
    );
    // By variable, not by flag: a nextest from before it knows neither and just runs.
    let command = command.env(CONSENT_ENV, "1").env("NEXTEST_NO_TESTS", "pass");
    let mut events = Events::default();
    let status = process::lines(command, Read::Stdout, |line| {
        events.line(line);
        Ok(())
    })?;
    Ok((events.end(), process::code(status)))
}

fn doc_tests(cx: &Context) -> anyhow::Result<(Tests, i32)> {
    let shell = cx.shell()?;
    let cargo = process::cargo();
    read_log(cmd!(shell, "{cargo} test --workspace --doc --no-fail-fast"))
}

fn cargo_test(cx: &Context, arguments: &[OsString]) -> anyhow::Result<(Tests, i32)> {
    let shell = cx.shell()?;
    let cargo = process::cargo();
    let (arguments, harness) = split(arguments);
    let scope = scope(arguments);
    read_log(cmd!(shell, "{cargo} test {scope...} --no-fail-fast {arguments...} -- {harness...}"))
}

fn has_nextest() -> bool {
    let file = format!("cargo-nextest{}", std::env::consts::EXE_SUFFIX);
    let home = std::env::var_os("CARGO_HOME").map(std::path::PathBuf::from);
    let home = home.or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    tools::on_path(OsStr::new(&file)).is_some()
        || home.is_some_and(|home| home.join("bin").join(file).is_file())
}

/// Whether a library of the workspace may have doc tests: cargo refuses `--doc` when none has.
fn has_doc_tests(cx: &Context) -> bool {
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Package>,
    }
    #[derive(Deserialize)]
    struct Package {
        targets: Vec<Target>,
    }
    #[derive(Deserialize)]
    struct Target {
        #[serde(default)]
        doctest: bool,
    }
    let ask = || {
        let shell = cx.shell()?;
        let cargo = process::cargo();
        let metadata = cmd!(shell, "{cargo} metadata --no-deps --format-version 1");
        let json = process::query(metadata).context("cargo metadata failed")?;
        anyhow::Ok(serde_json::from_str::<Metadata>(&json)?)
    };
    ask().is_ok_and(|metadata| {
        metadata.packages.iter().flat_map(|package| &package.targets).any(|target| target.doctest)
    })
}

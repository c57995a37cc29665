//! The code, checked by clippy with warnings denied: one finding for each diagnostic.

use crate::context::Context;
use crate::process;
use crate::steps::diagnostics::{self, Diagnosed};
use crate::steps::step;
use report::{Exit, Outcome, Status};
use std::ffi::OsString;
use xshell::cmd;

/// Check the code with clippy, warnings denied.
#[derive(Debug, clap::Args)]
pub struct Lint {
    /// Apply the suggestions that clippy is sure of; also to files with uncommitted changes.
    #[arg(long)]
    fix: bool,
    /// Further arguments for `cargo clippy`, such as `-p PACKAGE` or `--features NAME`.
    #[arg(last = true)]
    arguments: Vec<OsString>,
}

impl Lint {
    pub fn run(self, cx: &Context) -> anyhow::Result<Exit> {
        step::run(cx, "lint", || {
            if self.fix { fix(cx, &self.arguments) } else { check(cx, &self.arguments) }
        })
    }
}

/// Runs clippy over the workspace.
///
/// # Errors
/// When cargo cannot be started.
pub fn check(cx: &Context, arguments: &[OsString]) -> anyhow::Result<Outcome> {
    clippy(cx, arguments, &[])
}

fn fix(cx: &Context, arguments: &[OsString]) -> anyhow::Result<Outcome> {
    clippy(cx, arguments, &["--fix", "--allow-dirty", "--allow-staged", "--allow-no-vcs"])
}

fn clippy(cx: &Context, arguments: &[OsString], mode: &[&str]) -> anyhow::Result<Outcome> {
    let shell = cx.shell()?;
    let (cargo, format) = (process::cargo(), diagnostics::message_format());
    let (arguments, lints) = split(arguments);
    let scope = scope(arguments);
    let command = cmd!(
        shell,
        "{cargo} clippy {scope...} --all-targets {format} {mode...} {arguments...}
         -- -D warnings {lints...}"
    );
    let Diagnosed { findings, code } = diagnostics::run(cx, command)?;
    let summary = match diagnostics::count(&findings) {
        count if count.is_empty() => "no warnings".to_owned(),
        count => count,
    };
    let mut outcome = Outcome::of(summary, findings, Vec::new());
    if code != 0 {
        outcome.status = Status::Failed;
        outcome.exit_code = 1;
    }
    Ok(outcome)
}

/// The packages that a cargo command is about: all, unless the arguments name some.
pub fn scope(arguments: &[OsString]) -> &'static [&'static str] {
    let names_package = |argument: &OsString| {
        let text = argument.to_string_lossy();
        text.starts_with("-p") || text == "--package" || text.starts_with("--package=")
    };
    if arguments.iter().any(names_package) { &[] } else { &["--workspace"] }
}

/// Arguments for cargo, and those after `--` for what it runs.
pub fn split(arguments: &[OsString]) -> (&[OsString], &[OsString]) {
    let at = arguments.iter().position(|argument| argument == "--").unwrap_or(arguments.len());
    let (before, after) = arguments.split_at(at);
    (before, after.get(1..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_narrow_the_scope_and_reach_the_right_program() {
        let arguments = ["-p", "edge", "--", "-A", "clippy::all"].map(OsString::from);
        let (cargo, lints) = split(&arguments);
        assert_eq!((cargo.len(), lints.len()), (2, 2));
        assert!(scope(cargo).is_empty());
        assert_eq!(scope(&[]), ["--workspace"]);
    }
}

//! What is installed, what is missing, why it is needed, and the command that mends it.

use crate::context::Context;
use crate::process;
use crate::steps::requirements::{Requirement, requirements};
use crate::steps::setup::command_for;
use config::FILE_NAME;
use report::Exit;
use std::io::Write;
use std::process::Command;

/// Say what is installed, what is missing, and the command that mends it.
#[derive(Debug, clap::Args)]
pub struct Doctor {}

impl Doctor {
    pub fn run(self, cx: &Context) -> anyhow::Result<Exit> {
        let has_config = cx.root.join(FILE_NAME).exists();
        let config = if has_config { Some(cx.config()?) } else { None };
        let all = requirements(cx, config.as_ref())?;
        let mut out = std::io::stdout().lock();
        if !has_config {
            writeln!(out, "note: there is no {FILE_NAME} here; `cargo xtask init` writes one")?;
        }
        for requirement in &all {
            write!(out, "{}", line(requirement))?;
        }
        let missing = all.iter().filter(|r| r.found.is_none() && !r.is_optional).count();
        if missing == 0 {
            writeln!(out, "everything that the steps need is there")?;
            return Ok(Exit::Passed);
        }
        writeln!(out, "{missing} missing: `cargo xtask setup` installs what it can")?;
        Ok(Exit::Unreachable)
    }
}

fn line(requirement: &Requirement) -> String {
    let (name, why) = (requirement.name, &requirement.why);
    if let Some(path) = &requirement.found {
        let mut command = Command::new(path);
        command.args(requirement.version);
        let said = process::query(command).unwrap_or_default();
        let version = said.lines().next().unwrap_or_default();
        let version = if version.is_empty() { path.display().to_string() } else { version.into() };
        return format!("found    {name:<14} {version}\n");
    }
    let state = if requirement.is_optional { "optional" } else { "missing " };
    let command = command_for(requirement);
    format!("{state} {name:<14} for {why}\n{:<24}{command}\n", "")
}

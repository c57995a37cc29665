//! Subcommands that are binaries of their own, `xtask-<subcommand>`: found beside this one, else on
//! PATH, else built with cargo.

use crate::context::Context;
use report::Exit;
use std::ffi::OsString;

/// Runs a tool that is no step with the arguments as they are and gives its exit code.
pub fn forward(_cx: &Context, _tool: &str, _arguments: &[OsString]) -> anyhow::Result<Exit> {
    anyhow::bail!("not built yet")
}

/// Runs a tool that is a step, and shows its outcome when no runner asked for it.
pub fn step(cx: &Context, tool: &str, arguments: &[OsString]) -> anyhow::Result<Exit> {
    forward(cx, tool, arguments)
}

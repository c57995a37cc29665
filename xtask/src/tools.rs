//! Subcommands that are binaries of their own, `xtask-<subcommand>`: found beside this one, else on
//! PATH, else built with cargo. In Slipway's own checkout they are made fresh before they run, so
//! that a change to a tool's source is never missed.

use crate::context::Context;
use crate::process;
use anyhow::Context as _;
use report::{Exit, Fault};
use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use xshell::cmd;

/// A tool of Slipway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tool {
    pub name: &'static str,
    pub binary: &'static str,
    /// Folder of its own sources, relative to Slipway's workspace.
    pub sources: &'static str,
    /// Tools that it starts itself, by name.
    pub starts: &'static [&'static str],
}

impl Tool {
    const fn new(name: &'static str, binary: &'static str, sources: &'static str) -> Tool {
        Tool { name, binary, sources, starts: &[] }
    }

    const fn starting(self, starts: &'static [&'static str]) -> Tool {
        Tool { starts, ..self }
    }

    /// What is to be there when it runs: its own binary, and those that it starts.
    fn binaries(self) -> impl Iterator<Item = &'static str> {
        let others = self.starts.iter().filter_map(|name| tool(name)).map(|other| other.binary);
        std::iter::once(self.binary).chain(others)
    }
}

/// Every tool of Slipway.
pub const TOOLS: [Tool; 15] = [
    Tool::new("build", "xtask-build", "xtask/release"),
    Tool::new("key", "xtask-key", "xtask/release"),
    Tool::new("release", "xtask-release", "xtask/release"),
    Tool::new("evidence", "xtask-evidence", "xtask/release"),
    Tool::new("edge", "xtask-edge", "xtask/edge"),
    Tool::new("audit", "xtask-audit", "xtask/audit"),
    Tool::new("smoke", "xtask-smoke", "xtask/probe"),
    Tool::new("load", "xtask-load", "xtask/probe"),
    Tool::new("budget", "xtask-budget", "xtask/budget"),
    Tool::new("promote", "xtask-promote", "xtask/promote")
        .starting(&["edge", "smoke", "load", "budget"]),
    Tool::new("rollback", "xtask-rollback", "xtask/promote"),
    Tool::new("status", "xtask-status", "xtask/promote"),
    Tool::new("history", "xtask-history", "xtask/promote"),
    Tool::new("freeze", "xtask-freeze", "xtask/promote"),
    Tool::new("unfreeze", "xtask-unfreeze", "xtask/promote"),
];

/// Slipway's own workspace, and how this very program was built in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkout {
    pub root: PathBuf,
    target: PathBuf,
    profile: String,
}

/// The checkout of Slipway that this program was built in and still lies in the target folder of;
/// `None` for an installed one.
pub fn checkout() -> Option<Checkout> {
    let exe = std::env::current_exe().and_then(|exe| exe.canonicalize()).ok()?;
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    checkout_of(&exe, manifest.parent()?)
}

fn checkout_of(exe: &Path, root: &Path) -> Option<Checkout> {
    let folder = exe.parent()?;
    // Cargo keeps `.fingerprint` beside what it builds: an installed program has none.
    if !root.join("Cargo.toml").is_file() || !folder.join(".fingerprint").is_dir() {
        return None;
    }
    let profile = match folder.file_name()?.to_str()? {
        "debug" => "dev".to_owned(),
        other => other.to_owned(),
    };
    Some(Checkout { root: root.to_path_buf(), target: folder.parent()?.to_path_buf(), profile })
}

/// Replaces this process by a tool that is no step, its arguments as they are.
///
/// # Errors
/// When the tool is not to be had: exit code 3.
pub fn forward(cx: &Context, name: &str, arguments: &[OsString]) -> anyhow::Result<Exit> {
    let path = find(name)?;
    let mut command = Command::new(&path);
    command.args(arguments).current_dir(&cx.root);
    let error = process::scrub(&mut command).exec();
    Err(error).with_context(|| format!("failed to start {}", path.display()))
}

/// Where a tool is; made fresh first in Slipway's own checkout.
///
/// # Errors
/// When it is neither installed nor to be built: exit code 3, or cargo's failure.
pub fn find(name: &str) -> anyhow::Result<PathBuf> {
    if let (Some(checkout), Some(tool)) = (checkout(), tool(name)) {
        let path = checkout.binary(name);
        // Under the runner, the step `tools` made it fresh already.
        if !process::is_under_runner() || !path.is_file() {
            checkout.build(&tool.binaries().collect::<Vec<_>>())?;
        }
        return Ok(path);
    }
    installed(name).map_or_else(|| build_from_source(name), Ok)
}

/// Where a tool is if it is there already; nothing is built.
pub fn installed(name: &str) -> Option<PathBuf> {
    let file = format!("xtask-{name}{}", std::env::consts::EXE_SUFFIX);
    let exe = std::env::current_exe().ok();
    let beside = exe.as_deref().and_then(Path::parent).map(|folder| folder.join(&file));
    beside.filter(|path| path.is_file()).or_else(|| on_path(OsStr::new(&file)))
}

/// The first file of this name on PATH.
pub fn on_path(file: &OsStr) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(file)).find(|path| path.is_file())
}

/// Builds all the tools with one call of cargo: the preparation step `tools`.
///
/// # Errors
/// When cargo fails.
pub fn prepare() -> anyhow::Result<()> {
    let Some(checkout) = checkout() else { return Ok(()) };
    checkout.build(&TOOLS.map(|tool| tool.binary))
}

fn tool(name: &str) -> Option<Tool> {
    TOOLS.into_iter().find(|tool| tool.name == name)
}

fn build_from_source(name: &str) -> anyhow::Result<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().filter(|root| {
        root.join("Cargo.toml").is_file() && root.join("xtask/src/tools.rs").is_file()
    });
    let (Some(root), Some(tool)) = (root, tool(name)) else {
        return Err(Fault::unreachable(format!(
            "xtask-{name} is neither beside this program nor on PATH: install it with \
             `cargo install --path {}` from a checkout of Slipway",
            tool(name).map_or("xtask/<tool>", |tool| tool.sources)
        ))
        .into());
    };
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), PathBuf::from);
    let checkout = Checkout { root: root.to_path_buf(), target, profile: "dev".to_owned() };
    checkout.build(&tool.binaries().collect::<Vec<_>>())?;
    Ok(checkout.binary(name))
}

impl Checkout {
    fn binary(&self, name: &str) -> PathBuf {
        let profile = if self.profile == "dev" { "debug" } else { &self.profile };
        self.target.join(profile).join(format!("xtask-{name}{}", std::env::consts::EXE_SUFFIX))
    }

    /// As a build of the whole workspace, so that the features of shared dependencies, and with
    /// them the compiled crates, are those of the workspace's tests.
    fn build(&self, binaries: &[&str]) -> anyhow::Result<()> {
        let shell = xshell::Shell::new()?;
        shell.change_dir(&self.root);
        let (cargo, profile, target) = (process::cargo(), &self.profile, &self.target);
        let binaries = binaries.iter().flat_map(|binary| ["--bin", binary]);
        let build = cmd!(
            shell,
            "{cargo} build --quiet --workspace --profile {profile} --target-dir {target} {binaries...}"
        );
        let status = process::status(build)?;
        anyhow::ensure!(
            status.success(),
            "failed to build Slipway's tools in {}: see cargo's message above",
            self.root.display()
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_outside_a_target_folder_is_installed() {
        let temp = tempfile::tempdir().unwrap();
        let root = temp.path();
        std::fs::write(root.join("Cargo.toml"), "").unwrap();
        let exe = root.join("out/release/xtask");
        std::fs::create_dir_all(root.join("out/release")).unwrap();
        assert_eq!(checkout_of(&exe, root), None);
        std::fs::create_dir(root.join("out/release/.fingerprint")).unwrap();
        let found = checkout_of(&exe, root).unwrap();
        assert_eq!(found.binary("edge"), root.join("out/release/xtask-edge"));
        assert_eq!(checkout_of(&exe, &root.join("gone")), None);
    }

    #[test]
    fn what_a_tool_starts_is_made_with_it() {
        let made: Vec<&str> = tool("promote").unwrap().binaries().collect();
        assert_eq!(
            made,
            ["xtask-promote", "xtask-edge", "xtask-smoke", "xtask-load", "xtask-budget"]
        );
        for starting in TOOLS {
            assert_eq!(starting.binaries().count(), 1 + starting.starts.len(), "{}", starting.name);
        }
    }
}

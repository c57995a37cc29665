//! Slipway's other programs: beside this one, else on PATH.

use std::path::{Path, PathBuf};

/// A program that is not to be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{program} is neither beside this program nor on PATH: run `cargo xtask {subcommand} --help` once, \
     which makes it, or install it"
)]
pub struct NoTool {
    pub program: String,
    pub subcommand: String,
}

/// Where the program of a subcommand is: `xtask-edge` for `edge`.
///
/// # Errors
/// When it is nowhere.
pub fn find(subcommand: &str) -> Result<PathBuf, NoTool> {
    let program = format!("xtask-{subcommand}{}", std::env::consts::EXE_SUFFIX);
    let exe = std::env::current_exe().ok();
    let beside = exe.as_deref().and_then(Path::parent).map(|folder| folder.join(&program));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|folder| folder.join(&program));
    beside
        .into_iter()
        .chain(on_path)
        .find(|place| place.is_file())
        .ok_or_else(|| NoTool { program, subcommand: subcommand.to_owned() })
}

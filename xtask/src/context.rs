//! Where a command runs: the project's root and what lies under it.

use std::path::{Path, PathBuf};

/// Where a command runs.
#[derive(Debug, Clone)]
pub struct Context {
    /// The project's root: the nearest folder at or above the start that holds an `xtask.toml`,
    /// else the top of the git checkout, else the start itself. Absolute.
    pub root: PathBuf,
}

impl Context {
    pub fn new(directory: Option<&Path>) -> anyhow::Result<Context> {
        let start = match directory {
            Some(directory) => directory.canonicalize()?,
            None => std::env::current_dir()?,
        };
        Ok(Context { root: start })
    }
}

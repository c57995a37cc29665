//! What git knows: the changed files for `--affected`, and the commit.

use std::path::{Path, PathBuf};

/// Files changed since the merge base with `base` (default: the default branch), with uncommitted
/// and untracked ones; relative to `root`.
pub fn changed_files(_root: &Path, _base: Option<&str>) -> anyhow::Result<Vec<PathBuf>> {
    anyhow::bail!("not built yet")
}

/// The commit that is checked out, in full; `None` without git.
pub fn commit(_root: &Path) -> Option<String> {
    None
}

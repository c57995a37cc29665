//! The commit that a checkout is at, by git; and fine without git.

use std::path::Path;
use std::process::{Command, Stdio};

/// The commit that a checkout is at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// The full hash.
    pub hash: String,
    /// When it was committed: RFC 3339, UTC.
    pub date: String,
    /// Whether the checkout holds changes that are not in it.
    pub has_uncommitted_changes: bool,
}

/// Why git could not say which commit a checkout is at, although it is one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("git does not say which commit this is: {reason}")]
pub struct CommitError {
    pub reason: String,
}

impl Commit {
    /// The commit that the checkout at `root` is at; `None` when there is no git, no commit yet, or
    /// when git tracks nothing in this folder (a folder inside somebody else's checkout).
    ///
    /// # Errors
    /// When there is a repository but git refuses it, for instance because another user owns it.
    pub fn of(root: &Path) -> Result<Option<Commit>, CommitError> {
        let tracked = match git(root, &["ls-files", "--error-unmatch", "--", "."]) {
            Ok(tracked) => tracked,
            Err(error) if is_in_repository(root) => return explain(root, error),
            Err(_) => return Ok(None),
        };
        if tracked.is_empty() {
            return Ok(None);
        }
        let format = ["show", "-s", "--format=%H%n%cd", "--date=format-local:%Y-%m-%dT%H:%M:%SZ"];
        let Ok(shown) = git(root, &[&format[..], &["HEAD"]].concat()) else { return Ok(None) };
        let mut lines = shown.lines().map(str::to_owned);
        let (Some(hash), Some(date)) = (lines.next(), lines.next()) else {
            return Err(CommitError { reason: format!("expected a hash and a date: {shown:?}") });
        };
        // What the runner leaves is no source, also where nobody told git to ignore it.
        let sources = ["status", "--porcelain", "--", ".", ":(exclude)target/xtask"];
        let changes = git(root, &sources).map_err(|reason| CommitError { reason })?;
        Ok(Some(Commit { hash, date, has_uncommitted_changes: !changes.is_empty() }))
    }
}

/// Tells a folder that git tracks nothing of from a repository that git refuses to read.
fn explain(root: &Path, error: String) -> Result<Option<Commit>, CommitError> {
    match git(root, &["rev-parse", "--git-dir"]) {
        Ok(_) => Ok(None),
        Err(_) => Err(CommitError { reason: error }),
    }
}

fn is_in_repository(root: &Path) -> bool {
    root.ancestors().any(|folder| folder.join(".git").exists())
}

/// Git's standard output, or what it said was wrong.
fn git(root: &Path, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("git")
        .args(arguments)
        .current_dir(root)
        .env("TZ", "UTC")
        .env("GIT_OPTIONAL_LOCKS", "0")
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("failed to run git: {error}"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
    }
}

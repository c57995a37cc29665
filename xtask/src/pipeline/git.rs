//! What git knows: the changed files for `--affected`, and the commit. Nothing else needs git.

use anyhow::Context;
use inputs::{as_path, git_dir};
use report::Fault;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the default branch is looked for when nobody names a base and the remote does not say.
const DEFAULT_BRANCHES: [&str; 4] = ["origin/main", "origin/master", "main", "master"];
/// Set by GitHub for a pull request: the branch that it wants to go into.
const GITHUB_BASE: &str = "GITHUB_BASE_REF";

/// Files changed since the merge base with `base` (default: the pull request's target, else the
/// default branch), with uncommitted and untracked ones; relative to `root`, and only those in it.
/// A renamed file is there under both names.
///
/// # Errors
/// When there is no git, no checkout, or no such base; the message says what to do.
pub fn changed_files(root: &Path, base: Option<&str>) -> anyhow::Result<Vec<PathBuf>> {
    let base = match base {
        Some(base) => commit_of(root, base)?.ok_or_else(|| {
            Fault::usage(format!(
                "git knows no `{base}` to compare with; fetch it, or name another with \
                 `--affected=BASE`"
            ))
        })?,
        None => default_base(root)?,
    };
    let merge_base = git(root, &["merge-base", "HEAD", &base])?.ok_or_else(|| {
        let hint = match git(root, &["rev-parse", "--is-shallow-repository"]) {
            Ok(Some(answer)) if answer == b"true\n" => {
                "; this clone is shallow: fetch with full history (`fetch-depth: 0`)"
            }
            _ => "",
        };
        Fault::usage(format!("HEAD and {base} have no common commit{hint}"))
    })?;
    let merge_base = String::from_utf8_lossy(merge_base.trim_ascii_end()).into_owned();
    let compare =
        ["diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", "--relative", &merge_base];
    let untracked = ["ls-files", "-z", "--others", "--exclude-standard"];
    let mut names = BTreeSet::new();
    for arguments in [&compare[..], &untracked[..]] {
        let listed = git(root, arguments)?.ok_or_else(|| {
            Fault::usage(format!("`git {}` failed in {}", arguments.join(" "), root.display()))
        })?;
        let listed = listed.split(|byte| *byte == 0).filter(|name| !name.is_empty());
        names.extend(listed.map(|name| as_path(name).to_owned()));
    }
    Ok(names.into_iter().collect())
}

fn default_base(root: &Path) -> anyhow::Result<String> {
    let asked = std::env::var(GITHUB_BASE).ok().filter(|branch| !branch.is_empty());
    let remote = git(root, &["symbolic-ref", "--quiet", "refs/remotes/origin/HEAD"])?;
    let remote = remote.map(|name| String::from_utf8_lossy(name.trim_ascii_end()).into_owned());
    let candidates = (asked.map(|branch| format!("origin/{branch}")).into_iter())
        .chain(remote)
        .chain(DEFAULT_BRANCHES.map(str::to_owned));
    for candidate in candidates {
        if let Some(commit) = commit_of(root, &candidate)? {
            return Ok(commit);
        }
    }
    Err(Fault::usage(
        "found no default branch to compare with (neither origin/HEAD, main nor master); name one \
         with `--affected=BASE`",
    )
    .into())
}

/// The commit that a revision stands for; `None` when git knows no such revision.
fn commit_of(root: &Path, revision: &str) -> anyhow::Result<Option<String>> {
    let revision = format!("{revision}^{{commit}}");
    let found = git(root, &["rev-parse", "--verify", "--quiet", "--end-of-options", &revision])?;
    Ok(found.map(|commit| String::from_utf8_lossy(commit.trim_ascii_end()).into_owned()))
}

/// Runs git in `root`; `None` when it says no.
fn git(root: &Path, arguments: &[&str]) -> anyhow::Result<Option<Vec<u8>>> {
    let ran = Command::new("git")
        .args(arguments)
        .current_dir(root)
        // Looking at a checkout must not get in the way of a commit made at the same time.
        .env("GIT_OPTIONAL_LOCKS", "0")
        .output();
    let ran = match ran {
        Ok(ran) => ran,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(Fault::usage(
                "`--affected` and `when = { changed = … }` ask git what changed, and git is not \
                 installed; install it, or run without them",
            )
            .into());
        }
        Err(error) => return Err(error).context("failed to start git"),
    };
    if ran.status.success() {
        return Ok(Some(ran.stdout));
    }
    let said = String::from_utf8_lossy(&ran.stderr);
    if said.contains("not a git repository") || said.contains("dubious ownership") {
        let said = said.lines().next().unwrap_or_default().trim_start_matches("fatal: ");
        return Err(Fault::usage(format!(
            "`--affected` and `when = {{ changed = … }}` ask git what changed, and {} is no \
             checkout that git can read: {said}",
            root.display()
        ))
        .into());
    }
    Ok(None)
}

/// The commit that is checked out, in full; `None` without git. Read from git's own files, because
/// every run asks and starting git takes longer than all else that a run with nothing to do does.
pub fn commit(root: &Path) -> Option<String> {
    let top = root.ancestors().find(|folder| folder.join(".git").exists())?;
    let git = git_dir(top)?;
    let head = fs::read_to_string(git.join("HEAD")).ok()?;
    let Some(name) = head.strip_prefix("ref: ") else { return object_id(&head) };
    let name = name.trim_end();
    let shared = match fs::read(git.join("commondir")) {
        Ok(text) => git.join(as_path(text.trim_ascii_end())),
        Err(_) => git,
    };
    if let Ok(text) = fs::read_to_string(shared.join(name)) {
        return object_id(&text);
    }
    let packed = fs::read_to_string(shared.join("packed-refs")).ok()?;
    let found = packed.lines().find_map(|line| line.strip_suffix(name)?.strip_suffix(' '))?;
    object_id(found)
}

/// A SHA-1 or SHA-256 in hex.
fn object_id(text: &str) -> Option<String> {
    let text = text.trim();
    let is_id = matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_id.then(|| text.to_owned())
}

#[cfg(test)]
#[path = "git_tests.rs"]
mod tests;

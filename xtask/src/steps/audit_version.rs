//! What `audit` depends on besides the checkout's files: the databases, the day.

use crate::pipeline::step::Version;
use config::Audit;
use std::path::{Path, PathBuf};

/// Environment variable that names the folder of the advisory database.
const DB_ENV: &str = "XTASK_DB";

/// Environment variable that names a database of vulnerable npm versions.
const JS_DB_ENV: &str = "XTASK_JS_DB";

/// Files of a database that are looked at; RustSec's holds some 1,300. More than this, and the rest
/// is known only by its folder.
const MAX_FILES: usize = 20_000;

/// The parts of `audit`'s fingerprint that are not files of the checkout.
pub fn versions(audit: &Audit) -> Vec<Version> {
    let today = jiff::Timestamp::now().strftime("%Y-%m-%d").to_string();
    let named = |variable| std::env::var_os(variable).filter(|value| !value.is_empty());
    let mut versions = Vec::new();
    let mut add = |name: &str, value: String| {
        versions.push(Version { name: name.to_owned(), value });
    };
    // A database that is fetched is as good as new for a day.
    let database = named(DB_ENV).map(PathBuf::from);
    let fetched = || format!("fetched on {today}");
    add("advisory database", database.map_or_else(fetched, |path| identity(&path)));
    if let Some(path) = named(JS_DB_ENV).map(PathBuf::from) {
        add("JavaScript database", identity(&path));
    }
    // An ignored advisory counts again once its day has come.
    if !audit.ignore.is_empty() {
        add("day, because [audit] ignores until one", today.clone());
    }
    versions
}

/// A folder or file by what tells two of them apart: its commit, else the names, sizes and times of
/// its files.
fn identity(path: &Path) -> String {
    let shown = path.display();
    if let Some(commit) = commit(path) {
        return format!("{shown} at {commit}");
    }
    let mut hasher = blake3::Hasher::new();
    let files = if path.is_dir() {
        let all = inputs::Globs::new(&["**"]).ok();
        let found = all.and_then(|all| inputs::collect(path, &all, &[b".git"]).ok());
        let found = found.unwrap_or_default().into_keys();
        found.map(|file| path.join(inputs::as_path(&file))).collect()
    } else {
        vec![path.to_owned()]
    };
    for file in files.iter().take(MAX_FILES) {
        let Ok(metadata) = file.metadata() else { continue };
        hasher.update(file.as_os_str().as_encoded_bytes());
        hasher.update(&metadata.len().to_le_bytes());
        let modified = metadata.modified().ok();
        let modified = modified.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
        hasher.update(&modified.unwrap_or_default().as_nanos().to_le_bytes());
    }
    format!("{shown} with {}", hasher.finalize().to_hex())
}

/// The commit of a database that is a git checkout, read without git.
fn commit(path: &Path) -> Option<String> {
    let head = std::fs::read_to_string(path.join(".git/HEAD")).ok()?;
    match head.trim().strip_prefix("ref: ") {
        None => Some(head.trim().to_owned()),
        Some(name) => {
            let text = std::fs::read_to_string(path.join(".git").join(name)).ok()?;
            Some(text.trim().to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_known_by_its_commit_and_else_by_its_files() {
        let temp = tempfile::tempdir().unwrap();
        let folder = temp.path();
        std::fs::write(folder.join("a.md"), "one").unwrap();
        let one = identity(folder);
        std::fs::write(folder.join("a.md"), "longer").unwrap();
        assert_ne!(one, identity(folder));
        std::fs::create_dir_all(folder.join(".git/refs/heads")).unwrap();
        std::fs::write(folder.join(".git/HEAD"), "ref: refs/heads/main\n").unwrap();
        std::fs::write(folder.join(".git/refs/heads/main"), "abc123\n").unwrap();
        assert!(identity(folder).ends_with("at abc123"));
    }
}

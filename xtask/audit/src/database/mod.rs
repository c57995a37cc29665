//! A RustSec advisory database on disk: where it comes from, and what it says of a crate.
//!
//! Only the advisories of the names that are asked for are opened: a folder per crate makes the
//! repository its own index.

mod cached;
mod fetch;

use anyhow::Context;
use jiff::civil::Date;
use report::Fault;
use rustsec::Advisory;
use std::path::{Path, PathBuf};

/// Environment variable that names the folder of a database.
pub(crate) const VARIABLE: &str = "XTASK_DB";

/// Newest advisories that are opened to learn a database's date. Numbers are given in order of
/// filing, not of the date in the advisory, and are near enough in order.
const NEWEST: usize = 32;

/// What is wanted of a database.
#[derive(Debug)]
pub(crate) struct Request {
    /// A folder that a person named.
    pub(crate) given: Option<(PathBuf, Origin)>,
    pub(crate) is_offline: bool,
    /// CI has nobody who would rather not wait, and may try a failed step again.
    pub(crate) is_ci: bool,
}

/// Who named the folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    Option,
    Variable,
}

/// A database that can be asked.
#[derive(Debug)]
pub(crate) struct Database {
    dir: PathBuf,
    /// How many advisories it holds.
    pub(crate) advisories: usize,
    /// The day of its state: of its commit where that is known, else of its newest advisory.
    pub(crate) date: Option<Date>,
    /// Why it could not be brought up to date, if so.
    pub(crate) stale: Option<String>,
}

/// An advisory that could not be read.
#[derive(Debug)]
pub(crate) struct Unreadable {
    pub(crate) id: String,
    pub(crate) reason: String,
}

/// Finds the database: the given folder, else the user's cache, fetched or refreshed. The inner
/// error says why there is none.
///
/// # Errors
/// Exit 2 when the folder that a person named is not a database.
pub(crate) fn find(request: &Request) -> anyhow::Result<Result<Database, String>> {
    match &request.given {
        Some((dir, origin)) => Database::open(dir, *origin).map(Ok),
        None => Ok(cached::find(request)),
    }
}

impl Database {
    fn open(dir: &Path, origin: Origin) -> anyhow::Result<Database> {
        let crates = dir.join("crates");
        if !crates.is_dir() {
            let name = match origin {
                Origin::Option => "--db",
                Origin::Variable => VARIABLE,
            };
            return Err(Fault::usage(format!(
                "{name} names {}, which holds no folder `crates`; give a checkout of \
                 https://github.com/RustSec/advisory-db",
                dir.display()
            ))
            .into());
        }
        let ids = ids(&crates).with_context(|| format!("failed to list {}", crates.display()))?;
        Ok(Database { dir: dir.to_owned(), advisories: ids.len(), date: newest(ids), stale: None })
    }

    /// The advisories on a crate, in order of their ids. One that cannot be read is an error of
    /// its own.
    pub(crate) fn of(&self, name: &str) -> Vec<Result<Advisory, Unreadable>> {
        // The name becomes a folder's: nothing that could lead elsewhere is looked up.
        if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_') {
            return Vec::new();
        }
        let Ok(entries) = self.dir.join("crates").join(name).read_dir() else { return Vec::new() };
        let mut paths: Vec<PathBuf> = entries
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .filter(|path| is_advisory(path))
            .collect();
        paths.sort_unstable();
        paths
            .into_iter()
            .map(|path| {
                Advisory::load_file(&path).map_err(|error| Unreadable {
                    id: id_of(&path),
                    reason: error.to_string().lines().next().unwrap_or_default().to_owned(),
                })
            })
            .collect()
    }
}

fn is_advisory(path: &Path) -> bool {
    !Advisory::is_draft(path) && id_of(path).starts_with("RUSTSEC-")
}

fn id_of(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// Every advisory's path.
fn ids(crates: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in crates.read_dir()? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            let files =
                entry.path().read_dir()?.filter_map(|file| file.ok().map(|file| file.path()));
            paths.extend(files.filter(|path| is_advisory(path)));
        }
    }
    Ok(paths)
}

/// The latest date among the advisories with the highest numbers.
fn newest(mut paths: Vec<PathBuf>) -> Option<Date> {
    paths.sort_unstable_by(|a, b| b.file_name().cmp(&a.file_name()));
    paths
        .into_iter()
        .take(NEWEST)
        .filter_map(|path| date_in(&std::fs::read_to_string(path).ok()?))
        .max()
}

/// The `date = "2026-08-21"` of an advisory, without parsing the rest of it.
fn date_in(advisory: &str) -> Option<Date> {
    let line = advisory.lines().find(|line| line.starts_with("date"))?;
    line.split('"').nth(1)?.parse().ok()
}

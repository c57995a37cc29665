//! The immutable files of releases that are gone, for pages that are still open.
//!
//! Invariant: bounded, on disk as in memory.

use super::load::Loaded;
use crate::policy::Policy;
use crate::site::Site;
use anyhow::Context;
use release::{Release, ReleaseId};
use std::cmp::Reverse;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// How many releases' files are kept once they are gone: a page that was opened five releases ago
/// still finds its scripts.
pub const KEPT_RELEASES: usize = 5;

/// Fetching a release takes less.
const FETCHING: Duration = Duration::from_secs(60 * 60);

/// Releases that are gone, the one that went last first.
#[derive(Debug)]
pub struct Retired {
    folder: PathBuf,
    sites: Vec<(ReleaseId, Arc<Site>)>,
}

impl Retired {
    /// `folder`: where fetched releases are.
    pub fn new(folder: PathBuf) -> Retired {
        Retired { folder, sites: Vec::new() }
    }

    pub fn sites(&self) -> Vec<Arc<Site>> {
        self.sites.iter().map(|(_, site)| Arc::clone(site)).collect()
    }

    /// Takes over what an edge before this one had, see [`restore`]; what went since then comes first.
    pub fn take_over(&mut self, restored: Vec<(ReleaseId, Arc<Site>)>) {
        self.sites.extend(restored);
        self.sites.truncate(KEPT_RELEASES);
    }

    /// A release went. Gives those whose files nobody needs from now on, to be deleted; `is_wanted`
    /// tells of those that are here, or on their way.
    pub fn add(
        &mut self,
        id: &ReleaseId,
        loaded: &Loaded,
        is_wanted: impl Fn(&ReleaseId) -> bool,
    ) -> Vec<ReleaseId> {
        self.forget(id);
        let site = Arc::new(loaded.slot.answers.site.retire(&loaded.release));
        self.sites.insert(0, (id.clone(), site));
        let mut unneeded = Vec::new();
        while self.sites.len() > KEPT_RELEASES
            && let Some(oldest) = self.sites.iter().rposition(|(id, _)| !is_wanted(id))
        {
            unneeded.push(self.sites.remove(oldest).0);
        }
        unneeded
    }

    /// Whether a release's files are kept.
    pub fn has(&self, id: &ReleaseId) -> bool {
        self.sites.iter().any(|(other, _)| other == id)
    }

    /// Deletes what was fetched of a release.
    pub fn delete(&self, id: &ReleaseId) {
        let folder = self.folder.join(id.as_str());
        // Out of the way at once: it may be fetched anew while it is being deleted.
        let away = tempfile::Builder::new().prefix(".gone-").tempdir_in(&self.folder);
        let moved =
            away.and_then(|away| fs::rename(&folder, away.path().join("release")).map(|()| away));
        let warn = move |error: std::io::Error| {
            if error.kind() != ErrorKind::NotFound {
                say!("warning: failed to delete {}: {error}", folder.display());
            }
        };
        match moved {
            // A thread of its own: deleting thousands of files takes its time.
            Ok(away) => drop(tokio::task::spawn_blocking(move || away.close().map_err(warn))),
            Err(error) => warn(error),
        }
    }

    /// A release came back, or was never gone.
    pub fn forget(&mut self, id: &ReleaseId) {
        self.sites.retain(|(other, _)| other != id);
    }
}

/// The releases that an edge before this one had fetched, the one that was used last first, each
/// proved; all older ones, and what was never fetched to the end, is deleted. Those that are `wanted` are
/// passed over.
///
/// # Errors
/// When the folder cannot be read.
pub fn restore(folder: &Path, wanted: &[ReleaseId]) -> anyhow::Result<Vec<(ReleaseId, Arc<Site>)>> {
    let list = || format!("failed to list {}", folder.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(list)? {
        let entry = entry.with_context(list)?;
        let used = entry.metadata().and_then(|it| it.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
        let id = entry.file_name().to_str().and_then(|name| name.parse::<ReleaseId>().ok());
        if id.as_ref().is_none_or(|id| !wanted.contains(id)) {
            found.push((used, id, entry.path()));
        }
    }
    found.sort_by_key(|(used, ..)| Reverse(*used));
    let mut restored = Vec::new();
    for (used, id, path) in found {
        // One may be fetched at this moment.
        let is_new = used.elapsed().is_ok_and(|age| age < FETCHING);
        if let Some(id) = id
            && restored.len() < KEPT_RELEASES
        {
            // A damaged one is of no use; it is fetched anew if it is ever wanted.
            if let Ok(site) = open(&path) {
                restored.push((id, Arc::new(site)));
            }
        } else if !is_new && let Err(error) = fs::remove_dir_all(&path) {
            say!("warning: failed to delete {}: {error}", path.display());
        }
    }
    Ok(restored)
}

fn open(folder: &Path) -> anyhow::Result<Site> {
    let release = Release::open(folder)?;
    let policy = Policy::new(&release.manifest().headers)?;
    Ok(Site::load(&release, &policy)?.retire(&release))
}

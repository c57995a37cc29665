//! The immutable files of releases that are gone, for pages that are still open.
//!
//! Invariant: bounded, on disk as in memory.

use super::load::Loaded;

use crate::site::Site;
use release::ReleaseId;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

/// How many releases' files are kept once they are gone: a page that was opened five releases ago
/// still finds its scripts.
pub const KEPT_RELEASES: usize = 5;

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

    /// A release went.
    pub fn add(&mut self, id: &ReleaseId, loaded: &Loaded) {
        self.forget(id);
        let site = Arc::new(loaded.slot.answers.site.retire(&loaded.release));
        self.sites.insert(0, (id.clone(), site));
        for (id, _) in self.sites.drain(KEPT_RELEASES.min(self.sites.len())..) {
            let folder = self.folder.join(id.as_str());
            // A thread of its own: deleting thousands of files takes its time.
            tokio::task::spawn_blocking(move || {
                if let Err(error) = fs::remove_dir_all(&folder) {
                    eprintln!("warning: failed to delete {}: {error}", folder.display());
                }
            });
        }
    }

    /// A release came back.
    pub fn forget(&mut self, id: &ReleaseId) {
        self.sites.retain(|(other, _)| other != id);
    }
}

//! The oldest release, which makes way for the new one. Most of its files are the new one's, too,
//! under the same names: its folder becomes the new one's, and only what differs is touched.
//!
//! Invariants: nothing is changed before the folder has lost the name of a release; a file of it is
//! never written, since other releases have it, too; one stays only if it looks as a file did whose
//! digest is known.

use super::known::Known;
use crate::folder::Listing;
use crate::open::MANIFEST;
use crate::{ReleaseDir, Releases, Sha256};
use inputs::Stamp;
use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// A release that makes way, and how its folder looks.
#[derive(Debug)]
pub struct Outgoing {
    pub dir: ReleaseDir,
    /// Relative to the release.
    files: HashMap<OsString, Stamp>,
    /// Relative to the release; each before those inside it.
    folders: Vec<PathBuf>,
}

impl Outgoing {
    /// None when fewer releases are here than are kept, or when its folder holds what no release
    /// has.
    pub fn of(releases: &Releases) -> Option<Outgoing> {
        let dir = releases.outgoing()?;
        let Listing { files, folders } = Listing::of(&dir.path).ok()?;
        // As bytes: to take paths apart takes longer than to look at the files.
        let start = dir.path.as_os_str().len() + 1;
        let relative = |path: &Path| {
            path.as_os_str().as_bytes().get(start..).map(|path| OsStr::from_bytes(path).to_owned())
        };
        let files = files.into_iter().map(|(path, stamp)| Some((relative(&path)?, stamp)));
        let folders = folders.iter().map(|path| relative(path).map(PathBuf::from));
        Some(Outgoing {
            files: files.collect::<Option<_>>()?,
            folders: folders.collect::<Option<_>>()?,
            dir,
        })
    }

    /// Whether the file at a path of the release has these contents. It is not read.
    pub fn holds(&self, path: &str, sha256: Sha256, known: &Known) -> bool {
        let stamp = self.files.get(OsStr::new(path));
        stamp.and_then(|stamp| known.recall_inside(path, stamp)) == Some(sha256)
    }

    /// Moves the folder to another place, if it is still to go and the one that was looked at.
    pub fn move_to(&self, folder: &Path, releases: &Releases) -> bool {
        let manifest = fs::symlink_metadata(self.dir.path.join(MANIFEST));
        let manifest = manifest.map(|metadata| Stamp::of(&metadata)).ok();
        manifest.is_some()
            && manifest.as_ref() == self.files.get(OsStr::new(MANIFEST))
            && releases.take(&self.dir, folder)
    }

    /// Paths relative to the release.
    pub fn files(&self) -> impl Iterator<Item = &OsStr> {
        self.files.keys().map(OsString::as_os_str)
    }

    /// Paths relative to the release; each before those inside it.
    pub fn folders(&self) -> &[PathBuf] {
        &self.folders
    }
}

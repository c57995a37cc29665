//! Digests of files that were read before: a file that looks the same as then is not read again.
//!
//! Only a look that no edit can hide behind is believed; see [`Stamp::is_settled`].

use crate::{Release, ReleaseError, Sha256};
use inputs::{Record, Stamp};
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Relative to the project's root.
const RECORD: &str = "target/xtask/state/release.stat";

/// How long is waited for the file system's clock to leave the tick in which a release was written:
/// longer than a tick of those that count in fractions of a second. On any other the next build
/// reads the release once more.
const SETTLES_WITHIN: Duration = Duration::from_millis(100);
const POLL: Duration = Duration::from_millis(5);

/// Digests of files that were read before.
#[derive(Debug)]
pub struct Known {
    record: Record,
    /// The file system's clock before anything was read.
    now_ns: Option<i64>,
    learnt: Mutex<Vec<(PathBuf, Stamp, Sha256)>>,
}

/// All files of a release's folder, as they look.
pub type Listing = Vec<(PathBuf, Stamp)>;

impl Known {
    /// What is known of the files of the project at `root`.
    pub fn load(root: &Path) -> Known {
        let record = Record::load(&root.join(RECORD));
        let now_ns = record.now_ns();
        Known { record, now_ns, learnt: Mutex::default() }
    }

    /// The digest of a file that looks so, without reading it.
    pub fn recall(&self, path: &Path, stamp: &Stamp) -> Option<Sha256> {
        self.record.recall(path.as_os_str().as_bytes(), stamp).map(Sha256::from_bytes)
    }

    /// The digest of a file that looks so; read if need be.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn digest(&self, path: &Path, stamp: &Stamp) -> Result<Sha256, ReleaseError> {
        if let Some(known) = self.recall(path, stamp) {
            return Ok(known);
        }
        let file = File::open(path).map_err(ReleaseError::io("open", path))?;
        let (sha256, _) = Sha256::of_reader(&file).map_err(ReleaseError::io("read", path))?;
        let after = file.metadata().map_err(ReleaseError::io("look at", path))?;
        if Stamp::of(&after) == *stamp {
            self.learn(path.into(), *stamp, sha256);
        }
        Ok(sha256)
    }

    fn learn(&self, path: PathBuf, stamp: Stamp, sha256: Sha256) {
        let mut learnt = self.learnt.lock().unwrap_or_else(PoisonError::into_inner);
        learnt.push((path, stamp, sha256));
    }

    /// Proves a release as [`Release::verify`] does, reading only what changed since it was read.
    ///
    /// # Errors
    /// The first file that is missing, changed or not listed.
    pub fn verify(&self, release: &Release) -> Result<(), ReleaseError> {
        release.verify_with(|path, _, sha256| {
            let metadata = fs::symlink_metadata(path);
            let stamp = Stamp::of(&metadata.map_err(ReleaseError::io("look at", path))?);
            let found = self.digest(path, &stamp)?;
            if found != sha256 {
                return Err(ReleaseError::Digest { path: path.into(), expected: sha256, found });
            }
            Ok(())
        })
    }

    /// Learns what a release looks like that was just written or proved, file by file. Waits until
    /// an edit could no longer hide behind the files' times; so briefly that no processor is used.
    ///
    /// # Errors
    /// When its folder cannot be listed.
    pub fn learn_release(&mut self, release: &Release) -> Result<(), ReleaseError> {
        // First: a file that was read before its last look was taken is not settled by then.
        self.remember_learnt();
        let digests: HashMap<PathBuf, Sha256> =
            release.listed().into_iter().map(|(path, _, sha256)| (path, sha256)).collect();
        let files = listing(release.dir())?;
        let start = Instant::now();
        let is_settled = |now_ns| files.iter().all(|(_, stamp)| stamp.is_settled(now_ns));
        while start.elapsed() < SETTLES_WITHIN && !self.record.now_ns().is_some_and(is_settled) {
            std::thread::sleep(POLL);
        }
        let Some(now_ns) = self.record.now_ns() else { return Ok(()) };
        for (path, stamp) in files {
            if let Some(sha256) = digests.get(&path) {
                self.record.remember(
                    path.as_os_str().as_bytes(),
                    stamp,
                    *sha256.as_bytes(),
                    now_ns,
                );
            }
        }
        Ok(())
    }

    /// Writes down what was learnt, and forgets all files but those that `is_kept` keeps. That it
    /// cannot be written costs the next build some reading and nothing else.
    pub fn save(mut self, is_kept: impl Fn(&Path) -> bool) {
        self.remember_learnt();
        self.record.retain(|path| is_kept(inputs::as_path(path)));
        let _ = self.record.save();
    }

    fn remember_learnt(&mut self) {
        let learnt = std::mem::take(&mut self.learnt);
        let Some(now_ns) = self.now_ns else { return };
        for (path, stamp, sha256) in learnt.into_inner().unwrap_or_else(PoisonError::into_inner) {
            let path = path.as_os_str().as_bytes();
            self.record.remember(path, stamp, *sha256.as_bytes(), now_ns);
        }
    }

    /// Whether anything was learnt that is not written down yet.
    pub fn has_learnt(&self) -> bool {
        !self.learnt.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}

/// All files in a folder, sorted by the bytes of their paths. A folder that is not there has none.
///
/// # Errors
/// When it cannot be listed, or holds what is neither file nor folder.
pub fn listing(folder: &Path) -> Result<Listing, ReleaseError> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(ReleaseError::io("list", &folder)(error)),
        };
        for entry in entries {
            let entry = entry.map_err(ReleaseError::io("list", &folder))?;
            let metadata = entry.metadata().map_err(ReleaseError::io("look at", &folder))?;
            let path = entry.path();
            if metadata.is_dir() {
                folders.push(path);
            } else if metadata.is_file() {
                found.push((path, Stamp::of(&metadata)));
            } else {
                return Err(ReleaseError::Unlisted { path });
            }
        }
    }
    // As bytes: to compare paths part by part takes as long as to look at the files.
    found.sort_unstable_by(|(a, _), (b, _)| a.as_os_str().cmp(b.as_os_str()));
    Ok(found)
}

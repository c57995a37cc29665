//! Digests of files that were read before: a file that looks the same as then is not read again.
//!
//! Only a look that no edit can hide behind is believed; see [`Stamp::is_settled`].

use crate::open::check_digest;
use crate::{Release, ReleaseError, Releases, Sha256};
use inputs::{Record, Stamp};
use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Relative to the project's root.
const RECORD: &str = "target/xtask/state/release.stat";

/// How much the next build may have to read once more because it was written just before this one
/// ended: reading it takes less time than waiting.
const MAX_YOUNG_BYTES: u64 = 8 * 1024 * 1024;

/// How long is waited, where more was written, for the file system's clock to leave that tick:
/// longer than a tick of those that count in fractions of a second. On any other the next build
/// reads the release once more.
const SETTLES_WITHIN: Duration = Duration::from_millis(100);
const POLL: Duration = Duration::from_millis(5);

/// Digests of files that were read before.
///
/// A file of a release is known by its path there, whichever release that is: a file that did not
/// change is the same one in many of them, and its inode and times tell it apart from any other.
#[derive(Debug)]
pub struct Known {
    record: Record,
    /// The folder of releases, as bytes, with a `/` at its end.
    releases: Vec<u8>,
    /// The file system's clock before anything was read.
    now_ns: Option<i64>,
    learnt: Mutex<Vec<(PathBuf, Stamp, Sha256)>>,
}

impl Known {
    /// What is known of the files of the project at `root`, and of its releases.
    pub fn load(root: &Path, releases: &Releases) -> Known {
        let record = Record::load(&root.join(RECORD));
        let now_ns = record.now_ns();
        let releases = releases.dir().join("").into_os_string().into_vec();
        Known { record, releases, now_ns, learnt: Mutex::default() }
    }

    /// What a path is called in the record: one of a release without the folder of that.
    fn key<'p>(&self, path: &'p Path) -> &'p [u8] {
        let path = path.as_os_str().as_bytes();
        let inside = path.strip_prefix(self.releases.as_slice()).and_then(|inside| {
            let end_of_id = inside.iter().position(|byte| *byte == b'/')?;
            inside.get(end_of_id + 1..)
        });
        inside.unwrap_or(path)
    }

    /// The digest of a file that looks so, without reading it.
    pub fn recall(&self, path: &Path, stamp: &Stamp) -> Option<Sha256> {
        self.record.recall(self.key(path), stamp).map(Sha256::from_bytes)
    }

    /// [`Known::recall`] for a path inside a release, whichever it is.
    pub fn recall_inside(&self, path: &str, stamp: &Stamp) -> Option<Sha256> {
        self.record.recall(path.as_bytes(), stamp).map(Sha256::from_bytes)
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
        release.verify_with(|path, metadata, sha256| {
            check_digest(path, sha256, self.digest(path, &Stamp::of(metadata))?)
        })
    }

    /// Learns what the files of a release look like that were just written, all but those of whose
    /// path in the release `is_known`. Where they are many, waits until an edit could no longer hide behind their times;
    /// so briefly that no processor is used.
    ///
    /// # Errors
    /// When one of them is gone.
    pub fn learn_written(
        &mut self,
        release: &Release,
        is_known: impl Fn(&OsStr) -> bool,
    ) -> Result<(), ReleaseError> {
        // First: a file that was read before its last look was taken is not settled by then.
        self.remember_learnt();
        let mut written = Vec::new();
        for (path, size_bytes, sha256) in release.listed() {
            if !is_known(OsStr::from_bytes(self.key(&path))) {
                let metadata = fs::symlink_metadata(&path);
                let metadata = metadata.map_err(ReleaseError::io("look at", &path))?;
                written.push((path, Stamp::of(&metadata), size_bytes, sha256));
            }
        }
        let young_bytes = |now_ns| -> u64 {
            let young = written.iter().filter(|(_, stamp, ..)| !stamp.is_settled(now_ns));
            young.map(|(.., size_bytes, _)| size_bytes).sum()
        };
        let start = Instant::now();
        let mut now_ns = self.record.now_ns();
        while start.elapsed() < SETTLES_WITHIN
            && now_ns.is_some_and(|now_ns| young_bytes(now_ns) > MAX_YOUNG_BYTES)
        {
            std::thread::sleep(POLL);
            now_ns = self.record.now_ns();
        }
        self.now_ns = now_ns;
        for (path, stamp, _, sha256) in written {
            self.learn(path, stamp, sha256);
        }
        self.remember_learnt();
        Ok(())
    }

    /// Writes down what was learnt, and forgets all files but those `kept`; `None` forgets none. That
    /// it cannot be written costs the next build some reading and nothing else.
    pub fn save<'k>(mut self, kept: Option<impl Iterator<Item = &'k Path>>) {
        self.remember_learnt();
        if let Some(kept) = kept {
            let kept: HashSet<&[u8]> = kept.map(|path| self.key(path)).collect();
            self.record.retain(|key| kept.contains(key));
        }
        let _ = self.record.save();
    }

    fn remember_learnt(&mut self) {
        let learnt = std::mem::take(&mut self.learnt);
        let Some(now_ns) = self.now_ns else { return };
        for (path, stamp, sha256) in learnt.into_inner().unwrap_or_else(PoisonError::into_inner) {
            let key = self.key(&path).to_vec();
            self.record.remember(&key, stamp, *sha256.as_bytes(), now_ns);
        }
    }

    /// Whether anything was learnt that is not written down yet.
    pub fn has_learnt(&self) -> bool {
        !self.learnt.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}

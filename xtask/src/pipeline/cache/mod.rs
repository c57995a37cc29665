//! The local cache: outcomes, captured outputs and output files, by step and fingerprint.
//!
//! - A blob is a file named by the digest of its content; equal contents are kept once. An entry
//!   is a document that names blobs, with a checksum. An entry is written after its blobs, both as
//!   a temporary file that is renamed, so nobody ever sees half of one.
//! - Nothing is believed: a blob is hashed whenever it is read, an entry checked whenever it is
//!   looked up. What is damaged is a miss with a warning.
//! - Storing and replaying hold the cache's lock shared, pruning holds it alone, so that no blob
//!   goes away between being found and being used. Readers of one entry need no lock.
//! - Files are put back only where they differ. A file that matches a step's outputs but is not
//!   in the entry is left where it is: running the command would leave it as well, and what
//!   matches a glob may be a person's own.

mod blobs;
mod entry;
mod keep;
mod lock;
mod prune;
mod restore;
mod trail;

pub use entry::Entry;
pub use prune::{Pruned, Stats};
pub use restore::Replayed;
pub use trail::Trail;

use crate::pipeline::fingerprint::{Fingerprint, Ingredients};
use crate::pipeline::step::Step;
use blobs::Blobs;
use report::{Outcome, Status};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock};

/// Where the cache is kept, relative to the project's root.
pub const CACHE_FOLDER: &str = "target/xtask/cache";
/// Where a checkout's own memory is kept: stat caches, what steps were last made of.
pub const STATE_FOLDER: &str = "target/xtask/state";
/// Bound of the cache when `[cache] max-size` says nothing: some hundred builds of a web
/// application, and little beside a target folder.
pub const DEFAULT_MAX_SIZE_BYTES: u64 = 5 << 30;

/// The local cache. All its methods may be called from several threads and processes at once.
#[derive(Debug)]
pub struct Cache {
    root: PathBuf,
    folder: PathBuf,
    blobs: Blobs,
    trail: Trail,
    /// Digests of output files in the checkout; read when first needed.
    outputs: OnceLock<Mutex<inputs::Record>>,
    max_size_bytes: u64,
}

/// What the cache holds for a step and a fingerprint.
#[derive(Debug)]
pub enum Lookup {
    Hit(Box<Entry>),
    Miss,
    /// Something is there, but it is not what was stored: a miss, with this warning.
    Damaged(String),
}

impl Cache {
    /// Opens the cache of the project in `root`; creates nothing.
    ///
    /// # Errors
    /// When the root is not a folder that can be resolved.
    pub fn open(root: &Path, max_size_bytes: u64) -> anyhow::Result<Cache> {
        let root = root.canonicalize()?;
        let folder = root.join(CACHE_FOLDER);
        Ok(Cache {
            blobs: Blobs::new(&folder),
            trail: Trail::new(&root.join(STATE_FOLDER)),
            outputs: OnceLock::new(),
            folder,
            root,
            max_size_bytes,
        })
    }

    /// What is kept for a step and a fingerprint. A hit counts as a use, for pruning.
    pub fn lookup(&self, step: &str, fingerprint: &Fingerprint) -> Lookup {
        let path = entry::path(&self.folder, step, fingerprint);
        match entry::read(&path) {
            Ok(Some(entry)) if entry.step == step && entry.fingerprint == *fingerprint => {
                entry::touch(&path);
                Lookup::Hit(Box::new(entry))
            }
            Ok(Some(_)) => Lookup::Damaged(format!(
                "the cache entry of `{step}` belongs to something else ({}); running it",
                path.display()
            )),
            Ok(None) => Lookup::Miss,
            Err(error) => Lookup::Damaged(format!(
                "the cache entry of `{step}` is not used: {error:#}; running it"
            )),
        }
    }

    /// Puts outputs and artifacts back (only what differs), gives outcome and captured output.
    ///
    /// # Errors
    /// When something kept is gone or damaged, or cannot be put back. Treat it as a damaged miss:
    /// warn, run the step.
    pub fn replay(&self, entry: &Entry) -> anyhow::Result<Replayed> {
        let _lock = lock::shared(&self.folder);
        restore::replay(self, entry)
    }

    /// Keeps outcome, captured output, files matching `step.outputs` and all artifacts. To be
    /// called for every step that ran: one that did not pass is only remembered for `explain`.
    ///
    /// # Errors
    /// Full disk, an artifact that is not there, an output outside the root: a warning, never a
    /// failed run. Nothing is kept then.
    pub fn store(
        &self,
        step: &Step,
        ingredients: &Ingredients,
        outcome: &Outcome,
        output: &[u8],
    ) -> anyhow::Result<()> {
        let has_passed = outcome.status == Status::Passed;
        let kept = match ingredients.fingerprint() {
            Some(fingerprint) if has_passed && step.cache && !outcome.replayed => {
                let lock = lock::shared(&self.folder);
                let kept = keep::keep(self, step, fingerprint, outcome, output);
                drop(lock);
                kept.map(|added_bytes| prune::count(self, added_bytes))
            }
            _ => Ok(()),
        };
        let remembered = self.trail.remember(ingredients, outcome.status);
        kept.and(remembered)
    }

    /// What is remembered of the last runs of each step in this checkout.
    pub fn trail(&self) -> &Trail {
        &self.trail
    }

    /// Removes the least recently used entries beyond the size bound, and what no entry uses.
    ///
    /// # Errors
    /// When the cache cannot be read or written.
    pub fn prune(&self) -> anyhow::Result<Pruned> {
        let _lock = lock::alone(&self.folder)?;
        prune::prune(self, self.max_size_bytes)
    }

    /// Counts what the cache holds.
    ///
    /// # Errors
    /// When the cache cannot be read.
    pub fn stats(&self) -> anyhow::Result<Stats> {
        prune::stats(self)
    }

    /// The digest of an output file's content, from the record if its stamp is known.
    fn output_digest(&self, path: &[u8]) -> std::io::Result<inputs::Digest> {
        self.record().content(&self.root, path)
    }

    fn record(&self) -> std::sync::MutexGuard<'_, inputs::Record> {
        let file = || self.root.join(STATE_FOLDER).join("outputs.stat");
        let record = self.outputs.get_or_init(|| Mutex::new(inputs::Record::load(&file())));
        // A panic elsewhere leaves every record as true as it was.
        record.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
pub mod fixture;
#[cfg(test)]
mod tests;

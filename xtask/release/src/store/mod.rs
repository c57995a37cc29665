//! Where an environment keeps its releases, evidence, journal and routing.
//!
//! A store holds objects under keys. Its contract, which every implementation keeps and
//! `tests/store` checks: an object is seen whole or not at all; of two that create the same key one
//! wins; a replacement that has not seen the present object changes nothing; what was flushed
//! survives a crash of the machine.

mod directory;
mod key;
mod layout;
mod releases;

pub use directory::Directory;
pub use key::{InvalidKey, Key};
pub use layout::{
    ROUTING, blob, edge_presence, evidence, evidence_prefix, journal_prefix, journal_record, lease,
    manifest, release_prefix, signature,
};
pub use releases::{Uploaded, damaged_blob, fetch, stored_manifest, stored_releases, upload};

use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Largest document that is read whole: manifests of the largest sites, far below what a machine
/// has to spare.
pub const MAX_DOCUMENT_BYTES: u64 = 64 * 1024 * 1024;

/// Which contents of an object were seen. Opaque; equal contents may have equal tags.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Etag(String);

impl Etag {
    /// The tag of these contents, for a store that makes its own.
    pub fn of(bytes: &[u8]) -> Etag {
        Etag(crate::Sha256::of(bytes).to_string())
    }
}

impl fmt::Display for Etag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A document, and the tag by which it can be replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    pub bytes: Vec<u8>,
    pub etag: Etag,
}

/// Where an environment's objects are. All methods may be called by several threads, processes and
/// machines at once.
pub trait Store: fmt::Debug + Send + Sync {
    /// A document as a whole, `None` when there is none.
    ///
    /// # Errors
    /// When the store cannot be reached, or the document is beyond [`MAX_DOCUMENT_BYTES`].
    fn read(&self, key: &Key) -> Result<Option<Stored>, StoreError>;

    /// Writes a document that is not there yet, durably.
    ///
    /// # Errors
    /// [`StoreError::Exists`] when it is there: then nothing was changed.
    fn create(&self, key: &Key, bytes: &[u8]) -> Result<Etag, StoreError>;

    /// Writes a document in the place of the one that was seen, durably.
    ///
    /// # Errors
    /// [`StoreError::Changed`] when another one is there by now, or none: then nothing was changed.
    fn replace(&self, key: &Key, bytes: &[u8], seen: &Etag) -> Result<Etag, StoreError>;

    /// Removes an object; one that is not there is no error.
    ///
    /// # Errors
    /// When it cannot be removed.
    fn delete(&self, key: &Key) -> Result<(), StoreError>;

    /// All keys that start with these parts (`journal`), sorted. One that is being written is not
    /// among them.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn list(&self, prefix: &Key) -> Result<Vec<Key>, StoreError>;

    /// Whether an object of this size is there.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn has(&self, key: &Key, size_bytes: u64) -> Result<bool, StoreError>;

    /// Copies a file into the store under a key that its contents give. Durable after
    /// [`Store::flush`].
    ///
    /// # Errors
    /// When the file cannot be read, or the object not written.
    fn put_file(&self, key: &Key, file: &Path) -> Result<(), StoreError>;

    /// The contents of an object, as a stream; `None` when there is none.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn open(&self, key: &Key) -> Result<Option<Box<dyn Read + Send>>, StoreError>;

    /// Where an object is on this machine's disk, for a store that is a folder.
    fn place(&self, key: &Key) -> Option<PathBuf>;

    /// Makes all that was put so far durable.
    ///
    /// # Errors
    /// When the disk refuses.
    fn flush(&self) -> Result<(), StoreError>;
}

/// What a store could not do.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("{key} is in the store already")]
    Exists { key: Key },
    #[error("{key} was changed by another in the meantime")]
    Changed { key: Key },
    #[error("failed to {action} {}", place.display())]
    Io { action: &'static str, place: PathBuf, source: io::Error },
    #[error(
        "{} is too large: expected at most {MAX_DOCUMENT_BYTES} bytes, found {found}; nothing of \
         Slipway's writes so much: move it away and run the command again",
        place.display()
    )]
    TooLarge { place: PathBuf, found: u64 },
    #[error("{} is not a store: {reason}", place.display())]
    NoStore { place: PathBuf, reason: String },
    #[error("the store holds no release {id}")]
    NoRelease { id: crate::ReleaseId },
    #[error("release {id} in the store is damaged: {reason}")]
    Damaged { id: crate::ReleaseId, reason: String },
}

impl StoreError {
    /// For `map_err`: what was being done to which place.
    pub(crate) fn io(action: &'static str, place: &Path) -> impl FnOnce(io::Error) -> StoreError {
        let place = place.to_path_buf();
        move |source| StoreError::Io { action, place, source }
    }

    /// Whether another was faster: the store itself is sound.
    pub fn is_conflict(&self) -> bool {
        matches!(self, StoreError::Exists { .. } | StoreError::Changed { .. })
    }
}

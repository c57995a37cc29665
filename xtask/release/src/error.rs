//! What can be wrong with a release: always which file, what was expected, what was found.

use crate::signing::InvalidKey;
use crate::{InvalidId, Sha256};
use std::io;
use std::path::{Path, PathBuf};

/// What is wrong with a release, or with the folder that holds them.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    #[error("failed to {action} {}", path.display())]
    Io { action: &'static str, path: PathBuf, source: io::Error },
    #[error("{} is not a release: it has no manifest.json", dir.display())]
    NoManifest { dir: PathBuf },
    #[error("{} is not a manifest: {reason}", path.display())]
    Malformed { path: PathBuf, reason: String },
    #[error("{}: expected manifest version {expected} or older, found {found}", path.display())]
    Version { path: PathBuf, expected: u32, found: u64 },
    #[error("{}: expected id {expected}, which its contents give, found {found}", path.display())]
    Id { path: PathBuf, expected: String, found: String },
    #[error("{}: expected a path inside the release, found {entry:?}", path.display())]
    UnsafePath { path: PathBuf, entry: String },
    #[error("{} is missing; the manifest lists it", path.display())]
    Missing { path: PathBuf },
    #[error("{} is not in the manifest", path.display())]
    Unlisted { path: PathBuf },
    #[error("{}: expected {expected} bytes, found {found}", path.display())]
    Size { path: PathBuf, expected: u64, found: u64 },
    #[error("{}: expected SHA-256 {expected}, found {found}", path.display())]
    Digest { path: PathBuf, expected: Sha256, found: Sha256 },
    #[error("{} does not name a release; run `cargo xtask build` to write it anew", path.display())]
    Pointer { path: PathBuf, source: InvalidId },
    #[error("{} names release {id}, which is gone; run `cargo xtask build`", path.display())]
    Gone { path: PathBuf, id: String },
    #[error("failed to sign {}", dir.display())]
    Sign { dir: PathBuf, source: InvalidKey },
}

impl ReleaseError {
    /// Whether the release itself is not what it should be, whatever was being done with it.
    pub fn is_damage(&self) -> bool {
        matches!(
            self,
            ReleaseError::Malformed { .. }
                | ReleaseError::Version { .. }
                | ReleaseError::Id { .. }
                | ReleaseError::UnsafePath { .. }
                | ReleaseError::Missing { .. }
                | ReleaseError::Unlisted { .. }
                | ReleaseError::Size { .. }
                | ReleaseError::Digest { .. }
        )
    }

    /// For `map_err`: what was being done to which path.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ReleaseError {
        let path = path.to_path_buf();
        move |source| ReleaseError::Io { action, path, source }
    }
}

//! A release: an immutable built application, its files, a manifest with their digests, and an id
//! made from that manifest.
//!
//! Invariants: the same sources and compilers give the same id, whatever the machine, the clock or
//! the order of a folder; a release folder is complete from the instant it has its name; nothing is
//! believed about a file that its digest in the manifest does not prove.

mod cache_class;
pub mod command;
mod commit;
mod content_type;
pub mod diff;
mod digest;
mod error;
pub mod evidence;
mod folder;
mod id;
pub mod make;
mod manifest;
mod open;
mod presence;
mod provenance;
mod releases;
pub mod routing;
mod signed;
pub mod signing;
pub mod store;
pub mod table;

pub use cache_class::{CacheClass, CacheClasses};
pub use commit::{Commit, CommitError};
pub use content_type::{content_type, is_compressible};
pub use digest::{Digester, Sha256};
pub use error::ReleaseError;
pub use id::{InvalidId, ReleaseId};
pub use manifest::{Encoding, FileEntry, MANIFEST_VERSION, Manifest, ServerEntry, Variant};
pub use open::Release;
pub use presence::{EdgePresence, PRESENCE_REFRESH_SECONDS};
pub use releases::{FindError, KEPT_RELEASES, ReleaseDir, Releases, latest};

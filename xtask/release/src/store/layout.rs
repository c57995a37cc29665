//! Which object is under which key.

use super::Key;
use crate::{ReleaseId, Sha256};

/// The key of the one document that moves traffic, see [`crate::routing`].
pub const ROUTING: &str = "routing.json";

/// Whether traffic cannot be moved without writing this document.
pub(super) fn moves_traffic(key: &Key) -> bool {
    *key == lease() || key.as_str() == ROUTING || key.as_str().starts_with("journal/")
}

/// Who may move the environment now.
pub fn lease() -> Key {
    Key::plain("lease.json")
}

/// All records of the journal.
pub fn journal_prefix() -> Key {
    Key::plain("journal")
}

/// A record of the journal. Numbers have ten digits, so that they sort as texts do.
pub fn journal_record(number: u64) -> Key {
    Key::plain(format!("journal/{number:010}.json"))
}

/// All objects of a release but its contents.
pub fn release_prefix(id: &ReleaseId) -> Key {
    Key::plain(format!("releases/{id}"))
}

pub fn manifest(id: &ReleaseId) -> Key {
    Key::plain(format!("releases/{id}/manifest.json"))
}

/// The signature of the manifest.
pub fn signature(id: &ReleaseId) -> Key {
    Key::plain(format!("releases/{id}/manifest.sig"))
}

/// What a step proved about a release; step names are plain.
pub fn evidence(id: &ReleaseId, step: &str) -> Key {
    Key::plain(format!("releases/{id}/evidence/{step}.json"))
}

pub fn evidence_prefix(id: &ReleaseId) -> Key {
    Key::plain(format!("releases/{id}/evidence"))
}

/// The contents with this digest: a file of a site, a variant, a server. Releases share them.
pub fn blob(sha256: &Sha256) -> Key {
    let name = sha256.to_string();
    Key::plain(format!("blobs/{}/{name}", &name[..2]))
}

/// Says that an edge is running, and where it can be asked.
pub fn edge_presence(instance: &str) -> Key {
    Key::plain(format!("edges/{instance}.json"))
}

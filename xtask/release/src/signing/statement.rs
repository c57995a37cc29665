//! What a signature is a signature of, as its trusted comment says it.

use crate::signing::KeyName;
use crate::{ReleaseId, Sha256};

/// What is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject<'a> {
    /// The manifest of a release.
    Manifest,
    /// The outcome of this step, recorded against a release.
    Evidence { step: &'a str },
}

/// What a signature states beside the bytes that it covers. A signature is good for one statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement<'a> {
    pub subject: Subject<'a>,
    pub release: &'a ReleaseId,
    /// Digest of the release's `manifest.json`.
    pub manifest_sha256: Sha256,
}

/// What stands before the key's name, at the end of a trusted comment.
const KEY: &str = " key:";

impl Statement<'_> {
    /// The trusted comment: `release:ID sha256:DIGEST key:NAME`, for evidence with `evidence:STEP`
    /// before it.
    pub fn comment(&self, key: &KeyName) -> String {
        format!("{}{KEY}{key}", self.what())
    }

    /// The name of the key in a trusted comment that makes this statement; `None` when it makes
    /// another one.
    pub(super) fn key_of(&self, comment: &str) -> Option<KeyName> {
        comment.strip_prefix(&self.what())?.strip_prefix(KEY)?.parse().ok()
    }

    pub(super) fn what(&self) -> String {
        let release = format!("release:{} sha256:{}", self.release, self.manifest_sha256);
        match self.subject {
            Subject::Manifest => release,
            Subject::Evidence { step } => format!("evidence:{step} {release}"),
        }
    }
}

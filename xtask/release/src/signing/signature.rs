//! A signature file: four lines in minisign's format.

use crate::signing::KeyId;
use std::path::PathBuf;

/// The first line of every signature, without minisign's prefix. It is not covered by the
/// signature, so only this one is accepted: then there is no byte that could be changed unseen.
pub(super) const UNTRUSTED_COMMENT: &str = "signature by slipway";

/// Largest signature file that is read; ours are below 500 bytes.
pub(crate) const MAX_SIGNATURE_BYTES: u64 = 4096;

/// Why a signature is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    #[error("there is no signature at {}; `cargo xtask build` signs a release", path.display())]
    Missing { path: PathBuf },
    #[error("failed to read {}: {reason}", path.display())]
    Unreadable { path: PathBuf, reason: String },
    #[error("expected a signature in minisign's format as Slipway writes it, {reason}")]
    Malformed { reason: String },
    #[error(
        "signed by the key {id}, which this project does not trust; if it should, add its public \
         key to `[signing] trusted` in xtask.toml"
    )]
    UnknownKey { id: KeyId },
    #[error("signed as `{found}`, expected `{expected} key:…`")]
    Statement { expected: String, found: String },
    #[error("the signature of the key {id} does not match: what it covers was changed")]
    Mismatch { id: KeyId },
}

/// A signature file that has the one spelling which is accepted.
pub(super) struct Parsed {
    pub key: KeyId,
    pub comment: String,
    pub verifier: minisign_verify::Signature,
}

/// Reads a signature file.
///
/// # Errors
/// When it differs in anything from the way in which Slipway writes it.
pub(super) fn parse(text: &str) -> Result<Parsed, SignatureError> {
    let malformed = |reason: &str| SignatureError::Malformed { reason: reason.to_owned() };
    let verifier = minisign_verify::Signature::decode(text)
        .map_err(|error| malformed(&format!("found something else: {error}")))?;
    let parsed = minisign::SignatureBox::from_string(text)
        .map_err(|error| malformed(&format!("found something else: {error}")))?;
    let comment = parsed.trusted_comment().map_err(|_| malformed("it has no trusted comment"))?;
    let key = KeyId::from_bytes(parsed.keynum()).ok_or_else(|| malformed("it names no key"))?;
    if parsed.untrusted_comment().ok().as_deref() != Some(UNTRUSTED_COMMENT)
        || parsed.into_string() != text
    {
        return Err(malformed("found another spelling of one"));
    }
    Ok(Parsed { key, comment, verifier })
}

//! Who vouches for a release: Ed25519 signatures in minisign's format, the keys that make them, and
//! the keys that a project trusts.
//!
//! Invariants: a signature says in its trusted comment what it is a signature of, so that one made
//! for another release, another step or by another key's name is refused; a signature file has one
//! spelling, so that no byte of it can be changed unseen; a secret key is never printed, and is not
//! read from a file that others can read; what a development key signed is never for production.
//!
//! <https://jedisct1.github.io/minisign/#signature-format>

mod key;
mod keyring;
mod private_file;
mod signature;
mod statement;
mod trust;

pub use key::{InvalidKey, KeyId, KeyName, PublicKey, SigningKey};
pub use keyring::{KEY_DATA_ENV, KEY_FILE_ENV, KeyError, KeySource, Keyring};
pub(crate) use signature::MAX_SIGNATURE_BYTES;
pub use signature::SignatureError;
pub use statement::{Statement, Subject};
pub use trust::{Signer, Trust};

/// What every surface says of a release that no production key signed.
pub const UNSIGNED: &str = "unsigned for production use";

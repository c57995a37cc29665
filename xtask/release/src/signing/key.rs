//! Keys: the public half as `xtask.toml` writes it, the secret half as minisign keeps it, without a
//! password, since a build has nobody to ask for one.

use crate::signing::{Statement, signature};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The name of the key that is made where none was given.
const DEVELOPMENT: &str = "development";

/// Longest name of a key; it stands in every signature.
const MAX_NAME_BYTES: usize = 40;

/// What the comment of a secret key file of ours starts with; the key's name follows.
const SECRET_COMMENT: &str = "slipway signing key ";

/// What minisign starts the first line of each of its files with.
const COMMENT_PREFIX: &str = "untrusted comment: ";

/// The public half of a signing key: `RW…`, 56 characters of base64, as minisign prints it.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    text: String,
    id: KeyId,
    pub(super) verifier: minisign_verify::PublicKey,
}

/// The number by which a signature names its key: 16 hexadecimal digits, as minisign prints it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(u64);

/// What people call a key: `release-2026`. Lowercase letters, digits, `-`, `.` and `_`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyName(String);

/// A key that signs. Its secret is in no output, neither by `Display` nor by `Debug`.
#[derive(Clone)]
pub struct SigningKey {
    secret: minisign::SecretKey,
    public: PublicKey,
    name: KeyName,
}

/// Why a text is not a key, or not a key's name. It never quotes a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKey {
    #[error(
        "expected a public key such as `RW…`, 56 characters from `cargo xtask key show`, found {found:?}"
    )]
    Public { found: String },
    #[error(
        "expected a minisign secret key: a line `untrusted comment: …` and a line of base64; \
         `cargo xtask key new` makes one"
    )]
    Secret,
    #[error(
        "the key is protected by a password, which a build cannot be asked for; \
         make one without by `cargo xtask key new`"
    )]
    Password,
    #[error(
        "expected a key's name of at most {MAX_NAME_BYTES} lowercase letters, digits, `-`, `.` and `_`, found {found:?}"
    )]
    Name { found: String },
    #[error("`development` names the key that is made by itself; choose another name")]
    Reserved,
    #[error("failed to make a key: {reason}")]
    Generate { reason: String },
}

impl PublicKey {
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// The `RW…` text.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for PublicKey {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<PublicKey, InvalidKey> {
        let invalid = || InvalidKey::Public { found: text.to_owned() };
        let verifier = minisign_verify::PublicKey::from_base64(text).map_err(|_| invalid())?;
        let parsed = minisign::PublicKey::from_base64(text).map_err(|_| invalid())?;
        // One key has one spelling.
        if parsed.to_base64() != text {
            return Err(invalid());
        }
        let id = KeyId::from_bytes(parsed.keynum()).ok_or_else(invalid)?;
        Ok(PublicKey { text: text.to_owned(), id, verifier })
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.text)
    }
}

impl KeyId {
    /// Of the eight bytes in a key or a signature.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<KeyId> {
        Some(KeyId(u64::from_le_bytes(bytes.try_into().ok()?)))
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016X}", self.0)
    }
}

impl KeyName {
    /// The name of the key that is made where none was given.
    pub fn development() -> KeyName {
        KeyName(DEVELOPMENT.to_owned())
    }

    pub fn is_development(&self) -> bool {
        self.0 == DEVELOPMENT
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for KeyName {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<KeyName, InvalidKey> {
        let is_allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_');
        if text.is_empty() || text.len() > MAX_NAME_BYTES || !text.bytes().all(is_allowed) {
            return Err(InvalidKey::Name { found: text.to_owned() });
        }
        Ok(KeyName(text.to_owned()))
    }
}

impl TryFrom<String> for KeyName {
    type Error = InvalidKey;

    fn try_from(text: String) -> Result<KeyName, InvalidKey> {
        text.parse()
    }
}

impl From<KeyName> for String {
    fn from(name: KeyName) -> String {
        name.0
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl SigningKey {
    /// Makes a new key of the system's randomness.
    ///
    /// # Errors
    /// When the system gives none.
    pub fn generate(name: KeyName) -> Result<SigningKey, InvalidKey> {
        let generate = |error: minisign::PError| InvalidKey::Generate { reason: error.to_string() };
        let pair = minisign::KeyPair::generate_unencrypted_keypair().map_err(generate)?;
        SigningKey::of(pair.sk, name)
    }

    /// Reads a secret key file of minisign's without a password. A file of ours says the key's
    /// name; the name of any other is its id.
    ///
    /// # Errors
    /// When it is none, or is protected by a password.
    pub fn parse(text: &str) -> Result<SigningKey, InvalidKey> {
        let secret_box = || minisign::SecretKeyBox::from(text.to_owned());
        let comment = text.lines().next().and_then(|line| line.strip_prefix(COMMENT_PREFIX));
        let comment = comment.ok_or(InvalidKey::Secret)?;
        let secret = secret_box().into_unencrypted_secret_key().map_err(|error| {
            let is_protected = error.to_string().contains("encrypted");
            if is_protected { InvalidKey::Password } else { InvalidKey::Secret }
        })?;
        let id = KeyId::from_bytes(secret.keynum()).ok_or(InvalidKey::Secret)?;
        let name = comment.strip_prefix(SECRET_COMMENT).and_then(|name| name.parse().ok());
        let name = name.unwrap_or_else(|| KeyName(id.to_string().to_lowercase()));
        SigningKey::of(secret, name)
    }

    /// The secret key file: for a file that nobody else can read, and nothing else.
    pub(super) fn to_secret_text(&self) -> Result<String, InvalidKey> {
        let comment = format!("{SECRET_COMMENT}{}", self.name);
        let secret = self.secret.to_box(Some(&comment));
        secret.map(String::from).map_err(|_| InvalidKey::Secret)
    }

    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    pub fn name(&self) -> &KeyName {
        &self.name
    }

    /// The signature file of some bytes, in minisign's format, that says in its trusted comment what
    /// it is a signature of and by which key.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn sign(&self, bytes: &[u8], statement: &Statement<'_>) -> Result<String, InvalidKey> {
        let trusted = statement.comment(&self.name);
        let untrusted = Some(signature::UNTRUSTED_COMMENT);
        minisign::sign(None, &self.secret, bytes, Some(&trusted), untrusted)
            .map(minisign::SignatureBox::into_string)
            .map_err(|error| InvalidKey::Generate { reason: error.to_string() })
    }

    fn of(secret: minisign::SecretKey, name: KeyName) -> Result<SigningKey, InvalidKey> {
        let public = minisign::PublicKey::from_secret_key(&secret);
        let public = public.map_err(|_| InvalidKey::Secret)?.to_base64().parse()?;
        Ok(SigningKey { secret, public, name })
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({} {})", self.name, self.public.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From minisign's own documentation.
    const PUBLIC: &str = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";

    #[test]
    fn a_public_key_has_minisigns_id_and_one_spelling() {
        let key: PublicKey = PUBLIC.parse().unwrap();
        assert_eq!(key.id().to_string(), "E7620F1842B4E81F");
        assert_eq!(key.to_string(), PUBLIC);
        for text in ["", "RW", &PUBLIC[1..], &format!("{PUBLIC}\n"), &format!(" {PUBLIC}")] {
            assert!(text.parse::<PublicKey>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_secret_key_survives_its_file_and_is_in_no_output() {
        let key = SigningKey::generate("release-2026".parse().unwrap()).unwrap();
        let text = key.to_secret_text().unwrap();
        let read = SigningKey::parse(&text).unwrap();
        assert_eq!((read.public(), read.name()), (key.public(), key.name()));
        let secret = text.lines().nth(1).unwrap();
        let shown = format!("{key:?}");
        assert!(!shown.contains(&secret[..8]) && shown.len() < 60, "{shown}");
    }

    #[test]
    fn a_key_of_minisigns_own_is_named_by_its_id() {
        let key = SigningKey::generate("x".parse().unwrap()).unwrap();
        let text = key.to_secret_text().unwrap().replace("slipway signing key x", "minisign key");
        let read = SigningKey::parse(&text).unwrap();
        assert_eq!(read.name().as_str(), key.public().id().to_string().to_lowercase());
    }

    #[test]
    fn what_is_no_secret_key_is_refused_without_being_quoted() {
        let key = SigningKey::generate("x".parse().unwrap()).unwrap();
        let text = key.to_secret_text().unwrap();
        let mut damaged = text.clone().into_bytes();
        let at = damaged.len() - 40;
        damaged[at] = if damaged[at] == b'A' { b'B' } else { b'A' };
        let damaged = String::from_utf8(damaged).unwrap();
        for wrong in ["", "secret", "untrusted comment: x\nc2VjcmV0", damaged.as_str()] {
            let error = SigningKey::parse(wrong).unwrap_err();
            assert_eq!(error, InvalidKey::Secret, "{wrong}");
            assert!(!error.to_string().contains("c2VjcmV0"));
        }
    }

    #[test]
    fn a_name_is_plain() {
        assert!("release-2026.a_b".parse::<KeyName>().is_ok());
        for name in ["", "a b", "A", "a:b", "é", &"a".repeat(41)] {
            assert!(name.parse::<KeyName>().is_err(), "{name:?}");
        }
    }
}

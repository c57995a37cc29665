//! The name of an object in a store.

use std::fmt;
use std::str::FromStr;

/// Parts of plain characters with `/` between them: safe as a path, as a URL and as a bucket's key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(String);

/// Why a text is no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a key such as releases/2026-11-23-1f9c2ab04d7e/manifest.json, found {found:?}")]
pub struct InvalidKey {
    pub found: String,
}

impl Key {
    /// For keys whose parts are known to be plain.
    pub(crate) fn plain(text: impl Into<String>) -> Key {
        let text = text.into();
        debug_assert!(is_plain(&text), "{text:?}");
        Key(text)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last part.
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }
}

fn is_plain(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    text.split('/').all(|part| {
        // A leading dot would be a hidden file, or `..`.
        !part.is_empty() && !part.starts_with('.') && part.chars().all(is_plain)
    })
}

impl FromStr for Key {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Key, InvalidKey> {
        if is_plain(text) {
            Ok(Key(text.to_owned()))
        } else {
            Err(InvalidKey { found: text.into() })
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_leave_the_store_is_no_key() {
        for text in ["", "/", "a/", "/a", "a//b", "..", "a/../b", ".hidden", "a b", "a\0", "ä"] {
            assert!(text.parse::<Key>().is_err(), "{text:?}");
        }
        let key: Key = "journal/0000000001.json".parse().unwrap();
        assert_eq!((key.as_str(), key.name()), ("journal/0000000001.json", "0000000001.json"));
    }
}

//! A release's name: `2026-11-23-1f9c2ab04d7e`.
//!
//! The date is the commit's, in UTC, so that ids sort by age; the twelve digits are the start of the
//! digest of the manifest without its id. A release built from no commit has no date that the same
//! sources would give again: it gets `0000-00-00`, which nobody takes for one and which sorts first.

use crate::Sha256;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The date of a release that was built from no commit.
const NO_DATE: &str = "0000-00-00";

/// Digits of the digest in an id: 48 bits, ample to tell one day's releases apart, short enough to
/// read out.
const DIGEST_DIGITS: usize = 12;

/// The name of a release, and of its folder. Sorts by the commit's date. Always a safe file name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ReleaseId(String);

/// Why a text is not a release's id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a release id such as 2026-11-23-1f9c2ab04d7e, found {found:?}")]
pub struct InvalidId {
    pub found: String,
}

impl ReleaseId {
    /// The id of a manifest with this digest, from a commit of this time (RFC 3339, UTC).
    pub(crate) fn new(created: Option<&str>, digest: &Sha256) -> ReleaseId {
        let date = created
            .and_then(|time| time.get(..NO_DATE.len()))
            .filter(|date| is_date(date))
            .unwrap_or(NO_DATE);
        ReleaseId(format!("{date}-{}", &digest.to_string()[..DIGEST_DIGITS]))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_date(text: &str) -> bool {
    text.len() == NO_DATE.len()
        && text.bytes().enumerate().all(|(index, byte)| match index {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}

impl FromStr for ReleaseId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<ReleaseId, InvalidId> {
        let is_id = text.len() == NO_DATE.len() + 1 + DIGEST_DIGITS
            && text.is_ascii()
            && is_date(&text[..NO_DATE.len()])
            && text.as_bytes()[NO_DATE.len()] == b'-'
            && text.bytes().skip(NO_DATE.len() + 1).all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if is_id {
            Ok(ReleaseId(text.to_owned()))
        } else {
            Err(InvalidId { found: text.to_owned() })
        }
    }
}

impl TryFrom<String> for ReleaseId {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<ReleaseId, InvalidId> {
        text.parse()
    }
}

impl From<ReleaseId> for String {
    fn from(id: ReleaseId) -> String {
        id.0
    }
}

impl fmt::Display for ReleaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_starts_with_the_commits_date() {
        let digest = Sha256::of(b"abc");
        let id = ReleaseId::new(Some("2026-11-23T09:15:00Z"), &digest);
        assert_eq!(id.as_str(), "2026-11-23-ba7816bf8f01");
        assert_eq!(id.as_str().parse(), Ok(id));
    }

    #[test]
    fn without_a_commit_an_id_sorts_before_all_dated_ones() {
        let digest = Sha256::of(b"abc");
        let id = ReleaseId::new(None, &digest);
        assert_eq!(id.as_str(), "0000-00-00-ba7816bf8f01");
        assert!(id < ReleaseId::new(Some("1970-01-01T00:00:00Z"), &digest));
    }

    #[test]
    fn what_is_no_safe_folder_name_is_no_id() {
        for text in
            ["", "latest", "../../etc", "2026-11-23-ba7816bf8f0/", "2026-11-23-BA7816BF8F01"]
        {
            assert!(text.parse::<ReleaseId>().is_err(), "{text}");
        }
    }
}

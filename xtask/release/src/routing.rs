//! The routing of an environment: one small document says which releases get its traffic. One
//! conditional write of it moves all traffic.
//!
//! Invariants: a generation is written once; a write bears the fencing number of the lease under
//! which it was made, and no write bears a smaller one than the document that it replaces.

use crate::ReleaseId;
use crate::store::{Etag, Key, ROUTING, Store, StoreError};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Version of the document's format.
pub const ROUTING_VERSION: u32 = 1;

/// Generations and fencing numbers stay below: one step each a microsecond would not reach it in a
/// lifetime, so what is there was not counted, and cannot be counted on.
pub const NUMBERS_END: u64 = 1 << 62;

/// Which releases get an environment's traffic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Routing {
    /// [`ROUTING_VERSION`] of the writer.
    pub version: u32,
    /// Grows by one with each write.
    pub generation: u64,
    /// Fencing number of the lease under which it was written.
    pub fencing: u64,
    /// Gets all traffic but the candidate's share; none before the first promotion.
    pub live: Option<ReleaseId>,
    pub candidate: Option<Candidate>,
    /// What was live before: a rollback's goal, kept warm.
    pub previous: Option<ReleaseId>,
    /// The rollout that wrote it.
    pub rollout: Option<String>,
    /// Goes into the choice of the clients that get the candidate: the same through one rollout, so
    /// that a growing share takes nobody back, another in the next, so that not always the same
    /// people come first.
    pub salt: String,
}

/// The release that may become the live one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    pub release: ReleaseId,
    pub share: TrafficShare,
}

/// A share of an environment's traffic, in per mille: 0 (reached on purpose only) to 1000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct TrafficShare(u16);

/// Why a number is no share.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a share of 0 to 1000 per mille, found {found}")]
pub struct InvalidShare {
    pub found: u16,
}

impl TrafficShare {
    pub const NONE: TrafficShare = TrafficShare(0);
    pub const ALL: TrafficShare = TrafficShare(1000);

    pub fn per_mille(self) -> u16 {
        self.0
    }
}

impl TryFrom<u16> for TrafficShare {
    type Error = InvalidShare;

    fn try_from(per_mille: u16) -> Result<TrafficShare, InvalidShare> {
        if per_mille <= TrafficShare::ALL.0 {
            Ok(TrafficShare(per_mille))
        } else {
            Err(InvalidShare { found: per_mille })
        }
    }
}

impl From<TrafficShare> for u16 {
    fn from(share: TrafficShare) -> u16 {
        share.0
    }
}

/// `5%`, `0.1%`.
impl fmt::Display for TrafficShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 % 10 {
            0 => write!(f, "{}%", self.0 / 10),
            tenth => write!(f, "{}.{tenth}%", self.0 / 10),
        }
    }
}

/// Why a routing document is not followed.
#[derive(Debug, thiserror::Error)]
pub enum RoutingError {
    #[error("{ROUTING} is not a routing document: {reason}")]
    Malformed { reason: String },
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Routing {
    /// The routing of an environment in which nothing was promoted yet.
    pub fn empty() -> Routing {
        Routing {
            version: ROUTING_VERSION,
            generation: 0,
            fencing: 0,
            live: None,
            candidate: None,
            previous: None,
            rollout: None,
            salt: String::new(),
        }
    }

    /// Reads a document and checks it.
    ///
    /// # Errors
    /// When it is not one, or of another version.
    pub fn parse(json: &[u8]) -> Result<Routing, RoutingError> {
        let malformed = |reason: String| RoutingError::Malformed { reason };
        let routing: Routing =
            serde_json::from_slice(json).map_err(|error| malformed(error.to_string()))?;
        if routing.version != ROUTING_VERSION {
            let found = routing.version;
            return Err(malformed(format!("expected version {ROUTING_VERSION}, found {found}")));
        }
        if let Some(found) =
            [routing.generation, routing.fencing].into_iter().find(|it| *it >= NUMBERS_END)
        {
            return Err(malformed(format!("expected numbers below 2^62, found {found}")));
        }
        if let (Some(live), Some(candidate)) = (&routing.live, &routing.candidate)
            && *live == candidate.release
        {
            return Err(malformed(format!("{live} is both live and candidate")));
        }
        Ok(routing)
    }

    /// The present routing of a store, with its tag; `None` before the first promotion.
    ///
    /// # Errors
    /// When the store cannot be read, or what it holds is no routing document.
    pub fn read(store: &dyn Store) -> Result<Option<(Routing, Etag)>, RoutingError> {
        let Some(stored) = store.read(&key())? else { return Ok(None) };
        Ok(Some((Routing::parse(&stored.bytes)?, stored.etag)))
    }

    /// Writes this routing in the place of the one that was seen (`None`: there was none).
    ///
    /// # Errors
    /// A conflict when another was faster; see [`StoreError::is_conflict`].
    pub fn write(&self, store: &dyn Store, seen: Option<&Etag>) -> Result<Etag, StoreError> {
        let mut json = serde_json::to_vec_pretty(self)
            .map_err(|error| StoreError::io("encode", ROUTING.as_ref())(error.into()))?;
        json.push(b'\n');
        match seen {
            Some(seen) => store.replace(&key(), &json, seen),
            None => store.create(&key(), &json),
        }
    }

    /// The releases that it names, the live one first.
    pub fn releases(&self) -> impl Iterator<Item = &ReleaseId> {
        let candidate = self.candidate.as_ref().map(|candidate| &candidate.release);
        self.live.iter().chain(candidate).chain(&self.previous)
    }
}

fn key() -> Key {
    Key::plain(ROUTING)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routing() -> Routing {
        Routing {
            generation: 7,
            fencing: 3,
            live: Some("2026-11-23-ba7816bf8f01".parse().unwrap()),
            candidate: Some(Candidate {
                release: "2026-11-24-ba7816bf8f02".parse().unwrap(),
                share: TrafficShare(50),
            }),
            rollout: Some("r1".into()),
            salt: "s".into(),
            ..Routing::empty()
        }
    }

    #[test]
    fn a_document_survives_its_json() {
        let json = serde_json::to_vec(&routing()).unwrap();
        assert_eq!(Routing::parse(&json).unwrap(), routing());
    }

    #[test]
    fn what_no_promoter_writes_is_not_followed() {
        let text = serde_json::to_string(&routing()).unwrap();
        for (from, to) in [
            ("\"version\":1", "\"version\":2"),
            ("\"share\":50", "\"share\":1001"),
            ("\"generation\":7", "\"generation\":18446744073709551615"),
            ("\"fencing\":3", "\"fencing\":18446744073709551615"),
            ("2026-11-24-ba7816bf8f02", "2026-11-23-ba7816bf8f01"),
            ("2026-11-24-ba7816bf8f02", "../../etc"),
            ("\"salt\"", "\"sugar\""),
        ] {
            let changed = text.replace(from, to);
            assert_ne!(changed, text);
            assert!(Routing::parse(changed.as_bytes()).is_err(), "{changed}");
        }
    }

    #[test]
    fn shares_are_shown_in_percent() {
        let shown = [0, 1, 50, 255, 1000].map(|share| TrafficShare(share).to_string());
        assert_eq!(shown, ["0%", "0.1%", "5%", "25.5%", "100%"]);
    }
}

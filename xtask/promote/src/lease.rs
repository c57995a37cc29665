//! Who may move an environment: a lease with a fencing number.
//!
//! A lease ends by itself when its holder no longer renews it. The number grows with each holder,
//! and stands in the routing too: what an earlier holder writes after that, however late it wakes
//! up, meets a routing that it has not seen, and changes nothing.

use crate::clock;
use crate::journal::{Head, Journal, JournalError, last_fencing};
use crate::state::State;
use release::routing::{NUMBERS_END, Routing, RoutingError};
use release::store::{Etag, Store, StoreError, lease as key};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// How long a lease holds without being renewed: long enough for a machine that swaps, short enough
/// for a person who waits.
pub const TERM: Duration = Duration::from_secs(30);

/// How often it is renewed: two renewals may fail before it ends.
pub const RENEW_EVERY: Duration = Duration::from_secs(10);

/// How often a lease or a routing is tried again, when others write at the same time.
const MAX_TRIES: usize = 50;

/// Version of the document's format.
const LEASE_VERSION: u32 = 1;

/// The document in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lease {
    version: u32,
    /// Nobody, once it was given back.
    pub holder: Option<Holder>,
    pub fencing: u64,
    /// RFC 3339, UTC.
    pub until: String,
    /// The journal's end when the lease was last written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub journal: Option<Head>,
}

/// A process that holds a lease.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holder {
    /// `user@host`.
    pub who: String,
    pub host: String,
    pub pid: u32,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (process {})", self.who, self.pid)
    }
}

/// Why a lease was not had, or is no longer.
#[derive(Debug, thiserror::Error)]
pub enum LeaseError {
    #[error("{holder} is moving this environment, until {until} unless it renews its lease")]
    Held { holder: String, until: String },
    #[error("another took over this environment (fencing {found}, ours was {ours})")]
    Lost { ours: u64, found: u64 },
    #[error("the environment's lease is written to by many others at once; try again")]
    Busy,
    #[error("routing.json is gone, and what was live cannot be known: {0}")]
    NoRouting(String),
    #[error(transparent)]
    Routing(#[from] RoutingError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A lease that this process holds.
#[derive(Debug, Clone)]
pub struct Held {
    pub fencing: u64,
    /// Who held it before and had not given it back: a process that died, or one that was overruled.
    pub taken_from: Option<Holder>,
    /// When its term began.
    pub acquired_at: jiff::Timestamp,
    holder: Holder,
    etag: Etag,
}

/// Whether a lease that somebody still holds is taken all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// Only when its holder is gone or its term over.
    IfFree,
    /// In any case: a person wants to go back now.
    ByForce,
}

/// The lease of a store as it stands, `None` when there never was one.
///
/// # Errors
/// When the store cannot be read. A document that is none counts as one that nobody holds.
pub fn read(store: &dyn Store) -> Result<Option<Lease>, StoreError> {
    Ok(load(store)?.and_then(|(lease, _)| lease))
}

impl Holder {
    /// This process.
    pub fn this_process() -> Holder {
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let user = ["USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok());
        let user = user.filter(|user| !user.is_empty()).unwrap_or_else(|| "unknown".to_owned());
        Holder { who: format!("{user}@{host}"), host, pid: std::process::id() }
    }

    /// Whether it is known to be gone: a process of this host that no longer is.
    pub fn is_gone(&self, here: &Holder) -> bool {
        let pid = i32::try_from(self.pid).ok().and_then(rustix::process::Pid::from_raw);
        self.host == here.host
            && pid.is_none_or(|pid| {
                rustix::process::test_kill_process(pid) == Err(rustix::io::Errno::SRCH)
            })
    }
}

/// Takes the lease and fences off whoever held it before.
///
/// # Errors
/// When another holds it, or the store cannot be written.
pub fn acquire(
    store: &dyn Store,
    holder: Holder,
    claim: Claim,
    now: jiff::Timestamp,
) -> Result<Held, LeaseError> {
    for _ in 0..MAX_TRIES {
        let loaded = load(store)?;
        let present = loaded.as_ref().and_then(|(lease, _)| lease.as_ref());
        if let Some(lease) = present
            && let Some(other) = &lease.holder
            && claim == Claim::IfFree
            && *other != holder
            && !lease.is_over(now)
            && !other.is_gone(&holder)
        {
            return Err(LeaseError::Held { holder: other.to_string(), until: lease.until.clone() });
        }
        // A lease that was damaged may have borne any number. The routing bears the last that counted,
        // and where both were lost, the journal the last under which something was done.
        let routed = Routing::read(store)?.map_or(0, |(routing, _)| routing.fencing);
        let written = last_fencing(store)?.unwrap_or(0);
        let fencing = present.map_or(0, |lease| lease.fencing).max(routed).max(written) + 1;
        let lease = Lease {
            version: LEASE_VERSION,
            holder: Some(holder.clone()),
            fencing,
            until: clock::text(now + TERM),
            journal: present.and_then(|lease| lease.journal),
        };
        let written = match &loaded {
            Some((_, etag)) => store.replace(&key(), &lease.encode()?, etag),
            None => store.create(&key(), &lease.encode()?),
        };
        match written {
            Ok(etag) => {
                let taken_from = present.and_then(|lease| lease.holder.clone());
                let held = Held { fencing, taken_from, acquired_at: now, holder, etag };
                fence(store, fencing)?;
                return Ok(held);
            }
            Err(error) if error.is_conflict() => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(LeaseError::Busy)
}

/// Puts the number into the routing: an earlier holder has not seen it so.
fn fence(store: &dyn Store, fencing: u64) -> Result<(), LeaseError> {
    for _ in 0..MAX_TRIES {
        let (mut routing, etag) = routing(store)?;
        if routing.fencing > fencing {
            return Err(LeaseError::Lost { ours: fencing, found: routing.fencing });
        }
        if routing.fencing == fencing {
            return Ok(());
        }
        routing.fencing = fencing;
        routing.generation += 1;
        match routing.write(store, etag.as_ref()) {
            Ok(_) => return Ok(()),
            Err(error) if error.is_conflict() => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(LeaseError::Busy)
}

/// The present routing. One that is not there was never written, or was lost: then it is what the
/// journal came to, for an empty one would take the release that is live from its visitors.
///
/// # Errors
/// When the store cannot be read; [`LeaseError::NoRouting`] when the journal does not hold either.
pub fn routing(store: &dyn Store) -> Result<(Routing, Option<Etag>), LeaseError> {
    if let Some((routing, etag)) = Routing::read(store)? {
        return Ok((routing, Some(etag)));
    }
    let journal = journal(store).map_err(|error| match error {
        JournalError::Store(error) => LeaseError::Store(error),
        error => LeaseError::NoRouting(error.to_string()),
    })?;
    Ok((Routing { live: State::of(journal.records()).live, ..Routing::empty() }, None))
}

/// The journal, proved to reach as far as the lease remembers.
///
/// # Errors
/// When the store cannot be read, or the journal does not hold.
pub fn journal(store: &dyn Store) -> Result<Journal, JournalError> {
    // The lease first: it remembers nothing that is not written by then.
    let head = read(store)?.and_then(|lease| lease.journal);
    let journal = Journal::read(store)?;
    head.iter().try_for_each(|head| journal.check_head(head))?;
    Ok(journal)
}

impl Held {
    /// Holds it for another term, and remembers the journal's end.
    ///
    /// # Errors
    /// [`LeaseError::Lost`] when another has it by now.
    pub fn renew(
        &mut self,
        store: &dyn Store,
        now: jiff::Timestamp,
        journal: Option<Head>,
    ) -> Result<(), LeaseError> {
        self.write(store, Some(self.holder.clone()), clock::text(now + TERM), journal)
    }

    /// Gives it back. One that another has by now is no longer ours to give: no error.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn release(
        mut self,
        store: &dyn Store,
        now: jiff::Timestamp,
        journal: Option<Head>,
    ) -> Result<(), LeaseError> {
        match self.write(store, None, clock::text(now), journal) {
            Err(LeaseError::Lost { .. }) => Ok(()),
            written => written,
        }
    }

    fn write(
        &mut self,
        store: &dyn Store,
        holder: Option<Holder>,
        until: String,
        journal: Option<Head>,
    ) -> Result<(), LeaseError> {
        let lease = Lease { version: LEASE_VERSION, holder, fencing: self.fencing, until, journal };
        match store.replace(&key(), &lease.encode()?, &self.etag) {
            Ok(etag) => {
                self.etag = etag;
                Ok(())
            }
            Err(error) if error.is_conflict() => {
                let found = read(store)?.map_or(0, |lease| lease.fencing);
                Err(LeaseError::Lost { ours: self.fencing, found })
            }
            Err(error) => Err(error.into()),
        }
    }
}

impl Lease {
    /// Who has it now: nobody once its term is over, or its holder is known to be gone.
    pub fn held_by(&self, here: &Holder, now: jiff::Timestamp) -> Option<&Holder> {
        self.holder.as_ref().filter(|holder| !self.is_over(now) && !holder.is_gone(here))
    }

    /// Whether its term is over.
    pub fn is_over(&self, now: jiff::Timestamp) -> bool {
        // One that cannot be read ends at once: it would hold the environment for ever.
        self.until.parse::<jiff::Timestamp>().map_or(true, |until| until <= now)
    }

    fn encode(&self) -> Result<Vec<u8>, StoreError> {
        serde_json::to_vec_pretty(self).map_err(|error| StoreError::Io {
            action: "encode",
            place: key().as_str().into(),
            source: error.into(),
        })
    }
}

/// The document with its tag; one that is no lease has a tag only.
fn load(store: &dyn Store) -> Result<Option<(Option<Lease>, Etag)>, StoreError> {
    let Some(stored) = store.read(&key())? else { return Ok(None) };
    let lease = serde_json::from_slice(&stored.bytes).ok();
    let lease =
        lease.filter(|lease: &Lease| lease.version == LEASE_VERSION && lease.fencing < NUMBERS_END);
    Ok(Some((lease, stored.etag)))
}

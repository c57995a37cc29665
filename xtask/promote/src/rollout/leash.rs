//! A lease that is kept while a rollout goes on.

use crate::clock::{self, Clock};
use crate::journal::{Head, Writer};
use crate::lease::{self, Held, LeaseError, RENEW_EVERY};
use release::store::Store;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A lease, renewed by whoever looks at it: the rollout between its moves, and a thread while a gate
/// takes its time.
#[derive(Debug)]
pub struct Leash {
    who: String,
    fencing: u64,
    kept: Mutex<Kept>,
}

#[derive(Debug)]
struct Kept {
    held: Held,
    renewed_at: jiff::Timestamp,
    journal: Option<Head>,
    /// The number of whoever has it now.
    lost_to: Option<u64>,
}

impl Leash {
    pub fn new(who: String, held: Held) -> Leash {
        let fencing = held.fencing;
        let renewed_at = held.acquired_at;
        let kept = Kept { held, renewed_at, journal: None, lost_to: None };
        Leash { who, fencing, kept: Mutex::new(kept) }
    }

    pub fn writer(&self) -> Writer {
        Writer { who: self.who.clone(), fencing: self.fencing }
    }

    /// Renews the lease when it is time.
    ///
    /// # Errors
    /// [`LeaseError::Lost`] when another has it. A store that does not answer is an error only once
    /// the term would be over.
    pub fn keep(&self, store: &dyn Store, clock: &dyn Clock) -> Result<(), LeaseError> {
        let mut kept = self.kept();
        if let Some(found) = kept.lost_to {
            return Err(LeaseError::Lost { ours: self.fencing, found });
        }
        let now = clock.now();
        let age = clock::since(kept.renewed_at, now);
        if age < RENEW_EVERY {
            return Ok(());
        }
        let journal = kept.journal;
        match kept.held.renew(store, now, journal) {
            Ok(()) => kept.renewed_at = now,
            Err(LeaseError::Lost { found, .. }) => {
                kept.lost_to = Some(found);
                return Err(LeaseError::Lost { ours: self.fencing, found });
            }
            Err(error) if age >= crate::lease::TERM => return Err(error),
            Err(_) => {}
        }
        Ok(())
    }

    /// Looks whether another has it by now, between two renewals: a person who goes back is not to be
    /// kept waiting by a gate. What cannot be read says nothing.
    pub fn look(&self, store: &dyn Store) {
        if let Ok(Some(found)) = lease::read(store)
            && found.fencing > self.fencing
        {
            self.kept().lost_to = Some(found.fencing);
        }
    }

    /// Remembers the journal's end for the next renewal.
    pub fn remember(&self, journal: Option<Head>) {
        self.kept().journal = journal;
    }

    /// Whether another is known to have the lease.
    pub fn is_lost(&self) -> bool {
        self.kept().lost_to.is_some()
    }

    /// Gives the lease back.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn release(self, store: &dyn Store, clock: &dyn Clock) -> Result<(), LeaseError> {
        let kept = self.kept.into_inner().unwrap_or_else(PoisonError::into_inner);
        kept.held.release(store, clock.now(), kept.journal)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // A panic elsewhere leaves what is known as true as it was.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

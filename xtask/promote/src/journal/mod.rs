//! The journal of an environment: what was done to it, in order, each record naming the digest of
//! the one before.
//!
//! Invariants: a record is created once under its number, so two writers never write the same one;
//! the chain of digests shows a record that was changed, removed or put in between.

mod record;

pub use record::{
    Act, InvalidRolloutId, Override, Phase, RECORD_VERSION, Record, RolloutId, RolloutPlan, Verdict,
};

use crate::clock;
use release::Sha256;
use release::routing::NUMBERS_END;
use release::store::{Key, Store, StoreError, journal_prefix, journal_record};
use serde::{Deserialize, Serialize};

/// How often a record is tried under the next number, when people act at the same time.
const MAX_TRIES: usize = 20;

/// The journal as it was read, up to its last record.
#[derive(Debug, Clone, Default)]
pub struct Journal {
    records: Vec<Record>,
    /// Digest of the last record's bytes.
    digest: Option<Sha256>,
}

/// The journal's end, as others remember it: a journal that is shorter was cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    pub number: u64,
    pub sha256: Sha256,
}

/// What a journal could not do, or is not.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    #[error("record {number} of the journal is not what was written: {reason}")]
    Tampered { number: u64, reason: String },
    #[error("the journal ends at record {found}, expected {expected}: its end was removed")]
    Cut { expected: u64, found: u64 },
    #[error("the journal is written to by many others at once; try again")]
    Busy,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Who writes, and under which lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Writer {
    /// `user@host`.
    pub who: String,
    pub fencing: u64,
}

impl Journal {
    /// Reads the journal and checks its chain.
    ///
    /// # Errors
    /// When the store cannot be read, or the chain is broken.
    pub fn read(store: &dyn Store) -> Result<Journal, JournalError> {
        let mut journal = Journal::default();
        journal.refresh(store)?;
        let last = store.list(&journal_prefix())?.iter().filter_map(number).max().unwrap_or(0);
        if last >= journal.next_number() {
            // Others may have written since. A record that is lost stays lost, and looks like the end.
            journal.refresh(store)?;
        }
        if last >= journal.next_number() {
            let (number, reason) =
                (journal.next_number(), "it is missing, and later ones are there");
            return Err(JournalError::Tampered { number, reason: reason.to_owned() });
        }
        Ok(journal)
    }

    /// Reads what was written since.
    ///
    /// # Errors
    /// See [`Journal::read`].
    pub fn refresh(&mut self, store: &dyn Store) -> Result<(), JournalError> {
        loop {
            let number = self.next_number();
            let Some(stored) = store.read(&journal_record(number))? else { return Ok(()) };
            let tampered = |reason: String| JournalError::Tampered { number, reason };
            let record: Record = serde_json::from_slice(&stored.bytes)
                .map_err(|error| tampered(error.to_string()))?;
            if record.version != RECORD_VERSION {
                let found = record.version;
                return Err(tampered(format!("expected version {RECORD_VERSION}, found {found}")));
            }
            if record.number != number {
                return Err(tampered(format!("it says that it is record {}", record.number)));
            }
            if record.previous != self.digest {
                return Err(tampered("it does not follow the record before it".to_owned()));
            }
            self.digest = Some(Sha256::of(&stored.bytes));
            self.records.push(record);
        }
    }

    /// Checks that the journal reaches as far as is remembered elsewhere.
    ///
    /// # Errors
    /// When its end was removed, or is another.
    pub fn check_head(&self, head: &Head) -> Result<(), JournalError> {
        let found = self.records.len() as u64;
        if found < head.number {
            return Err(JournalError::Cut { expected: head.number, found });
        }
        let digest = match self.records.get(index(head.number) + 1) {
            Some(next) => next.previous,
            None => self.digest,
        };
        if digest != Some(head.sha256) {
            let reason = "its digest is another than was remembered".to_owned();
            return Err(JournalError::Tampered { number: head.number, reason });
        }
        Ok(())
    }

    /// Its end; `None` when it is empty.
    pub fn head(&self) -> Option<Head> {
        self.digest.map(|sha256| Head { number: self.records.len() as u64, sha256 })
    }

    /// All records, the first one first.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// The number that the next record gets.
    pub fn next_number(&self) -> u64 {
        self.records.len() as u64 + 1
    }

    /// Writes one record at the end. `may_follow` looks at what others wrote in the meantime, and
    /// says whether the record still holds.
    ///
    /// # Errors
    /// When the store cannot be written, or what `may_follow` says.
    pub fn append<E: From<JournalError>>(
        &mut self,
        store: &dyn Store,
        writer: &Writer,
        at: jiff::Timestamp,
        make: impl Fn(u64) -> (Option<RolloutId>, Act),
        may_follow: impl Fn(&[Record]) -> Result<(), E>,
    ) -> Result<(), E> {
        for _ in 0..MAX_TRIES {
            let number = self.next_number();
            let (rollout, act) = make(number);
            let record = Record {
                version: RECORD_VERSION,
                number,
                previous: self.digest,
                at: clock::text(at),
                who: writer.who.clone(),
                fencing: writer.fencing,
                rollout,
                act,
            };
            let bytes = encode(&record)?;
            match store.create(&journal_record(number), &bytes) {
                Ok(_) => {
                    self.digest = Some(Sha256::of(&bytes));
                    self.records.push(record);
                    return Ok(());
                }
                Err(error) if error.is_conflict() => {
                    let known = self.records.len();
                    self.refresh(store).map_err(E::from)?;
                    may_follow(&self.records[known..])?;
                }
                Err(error) => return Err(JournalError::from(error).into()),
            }
        }
        Err(JournalError::Busy.into())
    }
}

/// The fencing number of the last record; `None` where there is none, or it is no record.
///
/// # Errors
/// When the store cannot be read.
pub fn last_fencing(store: &dyn Store) -> Result<Option<u64>, StoreError> {
    let Some(last) = store.list(&journal_prefix())?.iter().filter_map(number).max() else {
        return Ok(None);
    };
    let stored = store.read(&journal_record(last))?;
    let record = stored.and_then(|stored| serde_json::from_slice::<Record>(&stored.bytes).ok());
    Ok(record.map(|record| record.fencing).filter(|fencing| *fencing < NUMBERS_END))
}

/// The number of a record that is under this key.
fn number(key: &Key) -> Option<u64> {
    key.name().strip_suffix(".json")?.parse().ok()
}

fn encode(record: &Record) -> Result<Vec<u8>, JournalError> {
    let mut bytes = serde_json::to_vec_pretty(record).map_err(|error| JournalError::Tampered {
        number: record.number,
        reason: error.to_string(),
    })?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn index(number: u64) -> usize {
    usize::try_from(number.saturating_sub(1)).unwrap_or(usize::MAX - 1)
}

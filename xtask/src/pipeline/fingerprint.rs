//! The digest of all that a step's result depends on, and the parts that it is made of.

use crate::pipeline::step::Step;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::Path;

/// Digest of all that a step's result depends on. Shown in hex.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub(super) [u8; 32]);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The parts of a fingerprint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ingredients {
    pub step: String,
}

impl Ingredients {
    /// `None` when a needed step has none: then this step has none either.
    pub fn fingerprint(&self) -> Option<Fingerprint> {
        None
    }
}

/// The checkout's input files, hashed once, through the stat cache.
///
/// The order in which a run uses it: [`Snapshot::take`]; for each step, once all it needs are
/// done, [`Snapshot::refresh`] if one of them ran or put files back, [`Snapshot::fingerprint`],
/// then replay or run; after a run [`Snapshot::first_change`] before storing; at the end
/// [`Snapshot::save`].
#[derive(Debug)]
pub struct Snapshot {}

impl Snapshot {
    /// Walks `root` once, matches the inputs of all steps in one pass, and hashes what a step reads.
    pub fn take(_root: &Path, _steps: &[Step]) -> anyhow::Result<Snapshot> {
        anyhow::bail!("not built yet")
    }

    /// Looks at the inputs of one step again, because a step that it needs has run or has put
    /// files back since the snapshot was taken.
    pub fn refresh(&mut self, _index: usize) -> anyhow::Result<()> {
        anyhow::bail!("not built yet")
    }

    /// The ingredients of the step at `index` of the steps given to [`Snapshot::take`]. `needs`:
    /// fingerprints of the needed steps in `step.needs` order.
    pub fn fingerprint(
        &self,
        _index: usize,
        step: &Step,
        _needs: &[(&str, Option<Fingerprint>)],
    ) -> Ingredients {
        Ingredients { step: step.name.clone() }
    }

    /// The first input of a step that is not what it was when the snapshot was taken, as a person
    /// reads it; `None` when all are. Asked after the step ran: only then may its outcome be stored.
    pub fn first_change(&self, _index: usize) -> anyhow::Result<Option<String>> {
        anyhow::bail!("not built yet")
    }

    /// Whether the inputs of a step still are what they were.
    pub fn is_unchanged(&self, index: usize) -> anyhow::Result<bool> {
        Ok(self.first_change(index)?.is_none())
    }

    /// Keeps the stat cache for the next run, if it has anything new.
    pub fn save(&self) -> anyhow::Result<()> {
        anyhow::bail!("not built yet")
    }
}

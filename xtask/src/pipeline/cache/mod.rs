//! The local cache: outcomes, captured outputs and output files by fingerprint.

use crate::pipeline::fingerprint::{Fingerprint, Ingredients};
use crate::pipeline::step::Step;
use report::Outcome;
use std::path::Path;

/// The local cache. All its methods may be called from several threads and processes at once.
#[derive(Debug)]
pub struct Cache {}

/// What the cache holds for a step and a fingerprint.
#[derive(Debug)]
pub enum Lookup {
    Hit(Box<Entry>),
    Miss,
    /// Something is there, but it is not what was stored: a miss, with this warning.
    Damaged(String),
}

/// A stored result, not yet put back.
#[derive(Debug)]
pub struct Entry {}

/// A stored result, put back.
#[derive(Debug)]
pub struct Replayed {
    /// `replayed` is set.
    pub outcome: Outcome,
    pub output: Vec<u8>,
    /// How many files had to be written or taken away because they differed.
    pub restored: usize,
}

/// What a pruning removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pruned {
    pub entries: usize,
    pub freed_bytes: u64,
    pub left_bytes: u64,
}

/// What the cache holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stats {
    pub entries: usize,
    pub blobs: usize,
    pub size_bytes: u64,
    pub max_size_bytes: u64,
}

impl Cache {
    /// Opens the cache of the project in `root`; creates nothing.
    pub fn open(_root: &Path, _max_size_bytes: u64) -> anyhow::Result<Cache> {
        anyhow::bail!("not built yet")
    }

    pub fn lookup(&self, _step: &str, _fingerprint: &Fingerprint) -> Lookup {
        Lookup::Miss
    }

    /// Puts outputs and artifacts back (only what differs), gives outcome and captured output.
    /// An error means: treat as a damaged miss, warn, run the step.
    pub fn replay(&self, _entry: &Entry) -> anyhow::Result<Replayed> {
        anyhow::bail!("not built yet")
    }

    /// Keeps outcome, captured output, files matching `step.outputs` and all artifacts. To be
    /// called for every step that ran: what did not pass is only remembered for `explain`.
    /// An error (disk full …) is a warning, never a failed run.
    pub fn store(
        &self,
        _step: &Step,
        _ingredients: &Ingredients,
        _outcome: &Outcome,
        _output: &[u8],
    ) -> anyhow::Result<()> {
        anyhow::bail!("not built yet")
    }

    /// Removes the least recently used entries beyond the size bound, and what no entry uses.
    pub fn prune(&self) -> anyhow::Result<Pruned> {
        anyhow::bail!("not built yet")
    }

    pub fn stats(&self) -> anyhow::Result<Stats> {
        anyhow::bail!("not built yet")
    }
}

//! Gates, as a rollout sees them.

use crate::journal::{Phase, Verdict};
use crate::state::Rollout;
use config::Gate;
use report::Measure;
use std::fmt;

/// What a gate is asked about.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    pub rollout: &'a Rollout,
    pub phase: Phase,
    /// RFC 3339: numbers from before are not this share's.
    pub since: jiff::Timestamp,
    /// Which look at this share it is, from 1, and how many are planned at most over the whole
    /// rollout: many looks find more by chance.
    pub look: u32,
    pub looks: u32,
}

/// What a gate says, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    pub verdict: Verdict,
    /// One sentence with the numbers and the limit.
    pub reason: String,
    pub numbers: Vec<Measure>,
}

/// Judges a candidate.
pub trait Judge: fmt::Debug + Send + Sync {
    /// Called again while the verdict is inconclusive. `is_stopped` becomes true when nobody waits
    /// for the verdict any more.
    fn judge(
        &self,
        gate: &Gate,
        situation: Situation<'_>,
        is_stopped: &dyn Fn() -> bool,
    ) -> Judgement;
}

impl Judgement {
    pub fn new(verdict: Verdict, reason: impl Into<String>) -> Judgement {
        Judgement { verdict, reason: reason.into(), numbers: Vec::new() }
    }
}

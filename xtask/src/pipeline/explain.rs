//! Why a step would run again.

use crate::pipeline::cache::Cache;
use crate::pipeline::fingerprint::Ingredients;
use crate::pipeline::step::Step;
use std::fmt;

/// Why a step would run again, or why it would not. Shown as lines for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    pub step: String,
    pub lines: Vec<String>,
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

/// Compares a step's ingredients with those last recorded for it. `all` holds the ingredients of
/// every step of the plan, so that a changed need is followed to what changed there.
pub fn explain(
    _cache: &Cache,
    step: &Step,
    _now: &Ingredients,
    _all: &[Ingredients],
) -> Explanation {
    Explanation { step: step.name.clone(), lines: Vec::new() }
}

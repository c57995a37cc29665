//! The words that every part of Slipway speaks: finding, measure, outcome, report.
//!
//! This crate depends on nothing of ours, and everything may use it. It decides nothing about how
//! an outcome is shown: a step returns one, the renderers show it. All types round-trip through
//! JSON; the schema is versioned by [`SCHEMA_VERSION`] and described in `docs/src/reference/report.md`.

mod deliver;
mod exit;
mod finding;
mod measure;
mod outcome;
mod run;

pub use deliver::{OUTCOME_ENV, conclude, deliver, read_outcome, tool_main};
pub use exit::{Exit, Fault};
pub use finding::{Finding, Level, Place};
pub use measure::{Limit, Measure, Unit};
pub use outcome::{Artifact, Outcome, Status};
pub use run::{Report, StepReport};

/// Version of the JSON that reports, outcomes and `--format json` lines are written in.
pub const SCHEMA_VERSION: u32 = 1;

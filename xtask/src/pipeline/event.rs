//! What happens in a run, told to every renderer alike.

use report::{Outcome, Report};
use std::time::Duration;

/// One thing that happened. Times are since the start of the run.
#[derive(Debug)]
pub enum Event<'a> {
    /// The run begins. Steps in plan order; those not selected are not among them.
    RunStarted { project: &'a str, run: &'a str, steps: &'a [StepHead] },
    /// A step begins; `attempt` counts from 1.
    StepStarted { step: usize, at: Duration, attempt: u32 },
    /// A line that a step wrote, without its line end; at most as long as the capture allows.
    StepOutput { step: usize, line: &'a [u8] },
    /// A step ended, was replayed, skipped or cancelled.
    StepFinished { step: usize, at: Duration, outcome: &'a Outcome, output: Output<'a> },
    /// A warning of the runner itself: a damaged cache entry, a remote that does not answer.
    Warning { message: &'a str },
    /// Ctrl-C or TERM arrived: the steps are being ended.
    Interrupted { signal: &'a str },
    /// The run is over.
    RunFinished { report: &'a Report },
}

/// What a renderer knows of a step before it starts.
#[derive(Debug, Clone, PartialEq)]
pub struct StepHead {
    pub name: String,
    pub needs: Vec<String>,
    /// How long it took last time, if remembered.
    pub expected: Option<Duration>,
    /// Whether its failure is only told, and does not fail the run.
    pub allow_failure: bool,
}

/// A step's captured output: standard output and error as they came.
#[derive(Debug, Clone, Copy)]
pub struct Output<'a> {
    pub bytes: &'a [u8],
    /// How many bytes in the middle were left out because the capture's limit was reached.
    pub omitted_bytes: u64,
}

//! What a rollout tells while it goes on.

use crate::journal::{Phase, RolloutId, RolloutPlan, Verdict};
use config::Gate;
use release::ReleaseId;
use release::routing::TrafficShare;
use release::store::Uploaded;
use report::Measure;
use std::time::Duration;

/// Something that those who follow a rollout want to know. Phases stand in the journal by the time
/// they are told.
#[derive(Debug, Clone, PartialEq)]
pub enum Event<'a> {
    Began {
        rollout: RolloutId,
        release: &'a ReleaseId,
        from: Option<&'a ReleaseId>,
        plan: &'a RolloutPlan,
    },
    /// A rollout that another promoter began, or this one before it was stopped.
    Resumed {
        rollout: RolloutId,
        release: &'a ReleaseId,
        phase: Phase,
        from: Option<&'a str>,
    },
    Uploaded(Uploaded),
    /// A copy of the data is being made by this command.
    BackingUp {
        command: &'a str,
    },
    /// The copy is kept; what the command said last.
    BackedUp {
        said: &'a str,
        took: Duration,
    },
    Moved(Phase),
    /// The candidate is being loaded; how long that has taken.
    Loading(Duration),
    GateBegan(&'a Gate),
    GateJudged {
        gate: &'a Gate,
        verdict: Verdict,
        reason: &'a str,
        numbers: &'a [Measure],
    },
    /// A share is being watched; how much of the time is over.
    Watching {
        share: TrafficShare,
        passed: Duration,
        watch: Duration,
        last: Option<&'a str>,
    },
    /// Something must change before it goes on: what, and for how much longer that is waited for;
    /// `None`: without a limit.
    Holding {
        why: &'a str,
        left: Option<Duration>,
    },
    TurningBack {
        reason: &'a str,
    },
    /// It is over, and its release is live.
    Completed {
        took: Duration,
    },
    /// It is over, and what was live before is live again; how long going back took.
    TurnedBack {
        reason: &'a str,
        took: Duration,
    },
}

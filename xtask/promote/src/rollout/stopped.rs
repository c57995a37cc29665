//! What a rollout came to, and why one stopped before.

use crate::journal::{JournalError, Phase, RolloutId};
use crate::lease::LeaseError;
use crate::target::TargetError;
use release::ReleaseId;
use release::routing::RoutingError;
use release::store::StoreError;

/// What a rollout came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    Live,
    TurnedBack { reason: String },
}

/// Why a rollout stopped before its end. It can be resumed, or rolled back.
#[derive(Debug, thiserror::Error)]
pub enum Stopped {
    #[error("stopped at {phase} as asked")]
    Interrupted { phase: Phase },
    #[error("no rollout is under way")]
    NoRollout,
    #[error("rollout {rollout} of {release} is not over: it is at {phase}")]
    Unfinished { rollout: RolloutId, release: ReleaseId, phase: Phase },
    #[error("{0} is live already")]
    AlreadyLive(ReleaseId),
    #[error(
        "{} became live after the rollout was planned, in place of {}: look at it again",
        named(.found.as_ref()),
        named(.planned.as_ref())
    )]
    Overtaken { planned: Option<ReleaseId>, found: Option<ReleaseId> },
    #[error("a rollback by hand was begun and is not done: run `cargo xtask rollback` again")]
    UnfinishedRollback,
    #[error("the target does not follow: {0}")]
    NotFollowed(String),
    #[error(transparent)]
    Lease(#[from] LeaseError),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Routing(#[from] RoutingError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Target(#[from] TargetError),
}

fn named(release: Option<&ReleaseId>) -> String {
    release.map_or_else(|| "nothing".to_owned(), ToString::to_string)
}

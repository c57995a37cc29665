//! An environment as it is now, for people and machines: what `status` shows.

use crate::clock;
use crate::edges::{self, EdgeView};
use crate::journal::{Act, Phase, RolloutId, Verdict};
use crate::lease::Holder;
use crate::places::Place;
use crate::preflight::{Standing, stand};
use crate::state::Rollout;
use config::Gate;
use jiff::Timestamp;
use release::ReleaseId;
use release::routing::TrafficShare;
use serde::Serialize;
use std::path::Path;

/// Version of the JSON of `status`.
pub const VIEW_VERSION: u32 = 1;

/// An environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EnvironmentView {
    pub name: String,
    pub live: Option<ReleaseId>,
    pub candidate: Option<CandidateView>,
    /// What a rollback goes to.
    pub previous: Option<ReleaseId>,
    pub generation: u64,
    /// The last rollout, over or not.
    pub rollout: Option<RolloutView>,
    /// What must happen before it goes on; `None` when nothing is under way.
    pub waits_for: Option<String>,
    pub moved_by: Option<HolderView>,
    pub frozen: Option<FrozenView>,
    pub edges: Vec<EdgeView>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CandidateView {
    pub release: ReleaseId,
    /// Per mille of the traffic.
    pub share: TrafficShare,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RolloutView {
    pub id: RolloutId,
    pub release: ReleaseId,
    /// `shifting(5%)`.
    pub phase: String,
    /// When it came to this phase: RFC 3339, UTC.
    pub since: String,
    pub began_at: String,
    pub is_over: bool,
    /// Why it turned back.
    pub reason: Option<String>,
}

/// Who has the lease.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HolderView {
    pub holder: String,
    /// RFC 3339, UTC; later when they renew it.
    pub until: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FrozenView {
    pub who: String,
    pub at: String,
    pub reason: String,
}

/// Looks at an environment and its edges.
///
/// # Errors
/// When its store cannot be read, or its journal is not to be believed.
pub fn look(root: &Path, place: &Place, now: Timestamp) -> anyhow::Result<EnvironmentView> {
    let standing = stand(place)?;
    let edges = edges::look(root, place)?;
    Ok(of(&place.name, &standing, edges, now))
}

fn of(name: &str, standing: &Standing, edges: Vec<EdgeView>, now: Timestamp) -> EnvironmentView {
    let Standing { journal, state, routing, lease } = standing;
    let candidate = routing.candidate.as_ref().map(|candidate| CandidateView {
        release: candidate.release.clone(),
        share: candidate.share,
    });
    let rollout = state.rollout.as_ref().map(|rollout| {
        let moved = journal.records().iter().rev().find(|record| {
            record.rollout == Some(rollout.id)
                && !matches!(
                    record.act,
                    Act::Gate { .. } | Act::Approve { .. } | Act::TakeOver { .. }
                )
        });
        RolloutView {
            id: rollout.id,
            release: rollout.release.clone(),
            phase: rollout.phase.to_string(),
            since: moved.map_or_else(|| rollout.began_at.clone(), |record| record.at.clone()),
            began_at: rollout.began_at.clone(),
            is_over: rollout.is_over,
            reason: rollout.reason.clone(),
        }
    });
    let here = Holder::this_process();
    let moved_by = lease.as_ref().and_then(|lease| {
        let holder = lease.held_by(&here, now)?.to_string();
        Some(HolderView { holder, until: lease.until.clone() })
    });
    let since = rollout.as_ref().and_then(|rollout| rollout.since.parse().ok());
    let frozen = state.frozen.as_ref().map(|frozen| FrozenView {
        who: frozen.who.clone(),
        at: frozen.at.clone(),
        reason: frozen.reason.clone(),
    });
    let waits_for = if state.rollback.is_some() {
        Some(format!("a rollback that is not done: `cargo xtask rollback --env {name}`"))
    } else {
        state.running().map(|running| match (&moved_by, &frozen) {
            (None, _) => format!(
                "somebody who goes on (`cargo xtask promote --resume`) or back (`cargo xtask rollback \
                 --env {name}`)"
            ),
            (Some(_), Some(_)) => format!("`cargo xtask unfreeze --env {name}`"),
            (Some(_), None) => waits_for(running, since, now),
        })
    };
    EnvironmentView {
        name: name.to_owned(),
        live: routing.live.clone(),
        candidate,
        previous: match state.running() {
            Some(rollout) => rollout.from.clone(),
            None => routing.previous.clone(),
        },
        generation: routing.generation,
        rollout,
        waits_for,
        moved_by,
        frozen,
        edges,
    }
}

/// What a rollout that somebody moves waits for.
fn waits_for(rollout: &Rollout, since: Option<Timestamp>, now: Timestamp) -> String {
    match rollout.phase {
        Phase::Uploading => "its files to be in the store".to_owned(),
        Phase::Staged => "the edges to load it".to_owned(),
        Phase::Verifying => {
            let is_passed = |gate: &&Gate| {
                rollout
                    .gates
                    .iter()
                    .any(|(passed, verdict, _)| passed == *gate && *verdict == Verdict::Pass)
            };
            let next = rollout
                .plan
                .gates
                .iter()
                .filter(|gate| **gate != Gate::Analysis)
                .find(|gate| !is_passed(gate));
            match next {
                Some(Gate::Approval) => "an approval: `cargo xtask promote --approve`".to_owned(),
                Some(gate) => format!("the gate {gate}"),
                None => "its first share".to_owned(),
            }
        }
        Phase::Shifting { step, share } => {
            let watch = rollout.plan.shift.get(step).and_then(|step| step.watch);
            match (watch, since) {
                (Some(watch), Some(since)) => {
                    let until = clock::until(since + watch.0, now);
                    format!("the watch of {share} to end, at {until} or when a gate says")
                }
                _ => "the gates".to_owned(),
            }
        }
        Phase::Live => "the edges to follow".to_owned(),
        Phase::RollingBack | Phase::RolledBack => "the edges to follow back".to_owned(),
    }
}

//! Going back by hand: one conditional write, whatever else is under way.
//!
//! It takes the lease by force, so that a promoter that runs is fenced off, and works with one that
//! is dead and with a candidate that is damaged.

use crate::clock::{self, Clock};
use crate::journal::{Act, Journal, JournalError, Writer};
use crate::lease::{self, Claim, Holder, LeaseError};
use crate::rollout::{Stopped, write_routing};
use crate::state::State;
use crate::upload::held;
use release::ReleaseId;
use release::routing::Routing;
use release::store::{Store, StoreError};
use std::time::Duration;

/// What a rollback did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RolledBack {
    /// What had the traffic before.
    pub from: Option<ReleaseId>,
    /// What has it now.
    pub to: Option<ReleaseId>,
    /// The generation of the routing that says so.
    pub generation: u64,
    /// From the call to the write.
    pub took: Duration,
}

/// Why nothing was rolled back.
#[derive(Debug, thiserror::Error)]
pub enum RollbackError {
    #[error("there is nothing to go back to: {0}")]
    NoPrevious(String),
    /// A second person would take from its visitors what the first went back to.
    #[error("{from} was gone back from already, to {live}, by {who} at {at}")]
    GoneBack {
        from: String,
        live: String,
        who: String,
        at: String,
        /// What was live before that.
        further: Option<ReleaseId>,
    },
    #[error("{0} is live already, and no rollout is under way")]
    IsLive(ReleaseId),
    #[error("failed to find the release to go back to")]
    Unknown(#[source] StoreError),
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

/// Makes a release live: the one that is named; else what was live before the rollout that is under
/// way; else what was live before the live one, unless that is what was gone back to: two people, or one
/// who tries again, mean the same way back.
///
/// # Errors
/// When there is nothing to go back to, or the store cannot be written.
pub fn roll_back(
    store: &dyn Store,
    clock: &dyn Clock,
    named: Option<&ReleaseId>,
    reason: Option<&str>,
) -> Result<RolledBack, RollbackError> {
    let began = clock.now();
    let holder = Holder::this_process();
    let mut journal = lease::journal(store).map_err(Stopped::from)?;
    let state = State::of(journal.records());
    let routing = Routing::read(store).map_err(Stopped::from)?.map(|(routing, _)| routing);
    let routing = routing.unwrap_or_else(Routing::empty);
    let to = goal(&state, &routing, named)?;
    // What the routing names is loaded, and needs nothing of the store.
    if let Some(to) = to.as_ref().filter(|to| !routing.releases().any(|id| id == *to)) {
        held(store, to).map_err(RollbackError::Unknown)?;
    }
    let from = match &routing.candidate {
        Some(candidate) => Some(candidate.release.clone()),
        None => routing.live.clone(),
    };
    let who = holder.who.clone();
    let held = lease::acquire(store, holder, Claim::ByForce, began).map_err(Stopped::from)?;
    let writer = Writer { who, fencing: held.fencing };
    let fencing = held.fencing;
    let act =
        Act::Rollback { from: from.clone(), to: to.clone(), reason: reason.map(str::to_owned) };
    append(store, &mut journal, &writer, clock, &act)?;
    let generation = write_routing(store, fencing, |present| Routing {
        live: to.clone(),
        candidate: None,
        previous: present.previous.clone().filter(|previous| Some(previous) != to.as_ref()),
        ..present.clone()
    })?;
    let took = clock::since(began, clock.now());
    let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    append(store, &mut journal, &writer, clock, &Act::RolledBack { took_ms })?;
    held.release(store, clock.now(), journal.head()).map_err(Stopped::from)?;
    Ok(RolledBack { from, to, generation, took })
}

fn goal(
    state: &State,
    routing: &Routing,
    named: Option<&ReleaseId>,
) -> Result<Option<ReleaseId>, RollbackError> {
    if let Some(named) = named {
        if routing.live.as_ref() == Some(named) && routing.candidate.is_none() {
            return Err(RollbackError::IsLive(named.clone()));
        }
        return Ok(Some(named.clone()));
    }
    if let Some(rollback) = &state.rollback {
        return Ok(rollback.to.clone());
    }
    if let Some(rollout) = state.running() {
        return Ok(rollout.from.clone());
    }
    let before = state.was_live.iter().rev().find(|id| Some(*id) != routing.live.as_ref());
    let named = |id: Option<&ReleaseId>| id.map_or("nothing".to_owned(), ToString::to_string);
    if let Some(gone) = &state.gone_back
        && routing.live == state.live
    {
        let is_further = |id: &&ReleaseId| gone.from.as_ref() != Some(*id);
        return Err(RollbackError::GoneBack {
            from: named(gone.from.as_ref()),
            live: named(routing.live.as_ref()),
            who: gone.who.clone(),
            at: gone.at.clone(),
            further: routing.previous.as_ref().or(before).filter(is_further).cloned(),
        });
    }
    match (routing.previous.as_ref().or(before), &routing.live) {
        (Some(previous), _) => Ok(Some(previous.clone())),
        (None, Some(live)) => {
            Err(RollbackError::NoPrevious(format!("no release was live before {live}")))
        }
        (None, None) => Err(RollbackError::NoPrevious("nothing was ever live".to_owned())),
    }
}

fn append(
    store: &dyn Store,
    journal: &mut Journal,
    writer: &Writer,
    clock: &dyn Clock,
    act: &Act,
) -> Result<(), Stopped> {
    let ours = writer.fencing;
    journal.append(
        store,
        writer,
        clock.now(),
        |_| (None, act.clone()),
        |new| {
            match new.iter().map(|record| record.fencing).max() {
                // Another person went back at the same time, and was later.
                Some(found) if found > ours => Err(Stopped::from(LeaseError::Lost { ours, found })),
                _ => Ok(()),
            }
        },
    )
}

impl From<JournalError> for RollbackError {
    fn from(error: JournalError) -> RollbackError {
        RollbackError::Stopped(error.into())
    }
}

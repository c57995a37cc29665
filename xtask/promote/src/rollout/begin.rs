//! How a rollout begins, and how one goes on that is under way.

use super::{End, Event, Rolling, Stopped, routes};
use crate::journal::{Act, Override, Phase, Record, RolloutId, RolloutPlan};
use crate::state::{Rollout, State};
use release::{Manifest, ReleaseId};

/// What is known of a rollout before it begins.
#[derive(Debug, Clone)]
pub struct Beginning<'a> {
    pub manifest: &'a Manifest,
    pub plan: RolloutPlan,
    /// What was live when it was planned.
    pub live: Option<ReleaseId>,
    pub reason: Option<String>,
    pub overrides: Vec<Override>,
}

impl Rolling<'_> {
    /// Begins a rollout and takes it to its end.
    ///
    /// # Errors
    /// Why it stopped before.
    pub fn begin(&mut self, beginning: &Beginning<'_>) -> Result<End, Stopped> {
        let Beginning { manifest, plan, .. } = beginning;
        self.look_for_others()?;
        not_under_way(self.journal.records())?;
        let from = routes::live(self.store)?;
        if from.as_ref() == Some(&manifest.id) {
            return Err(Stopped::AlreadyLive(manifest.id.clone()));
        }
        if from != beginning.live {
            let planned = beginning.live.clone();
            return Err(Stopped::Overtaken { planned, found: from });
        }
        let begin = Act::Begin {
            release: manifest.id.clone(),
            commit: manifest.commit.clone(),
            from: from.clone(),
            plan: plan.clone(),
            reason: beginning.reason.clone(),
            schema: manifest.server.as_ref().and_then(|server| server.schema),
            overrides: beginning.overrides.clone(),
        };
        self.append_after(
            |number| (Some(RolloutId(number)), begin.clone()),
            // One that was about to lose its lease may have begun at the same instant.
            not_under_way,
        )?;
        let rollout = RolloutId(self.journal.next_number() - 1);
        (self.tell)(&Event::Began { rollout, release: &manifest.id, from: from.as_ref(), plan });
        self.run()
    }

    /// Goes on with the rollout that is under way.
    ///
    /// # Errors
    /// Why it stopped again; [`Stopped::NoRollout`] when none is under way.
    pub fn resume(&mut self, taken_from: Option<&str>) -> Result<End, Stopped> {
        self.look_for_others()?;
        if State::of(self.journal.records()).rollback.is_some() {
            return Err(Stopped::UnfinishedRollback);
        }
        let rollout = self.rollout()?;
        if let Some(from) = taken_from {
            let act = Act::TakeOver { from: from.to_owned() };
            self.append(|_| (Some(rollout.id), act.clone()))?;
        }
        let Rollout { id, release, phase, .. } = &rollout;
        let (rollout, phase) = (*id, *phase);
        (self.tell)(&Event::Resumed { rollout, release, phase, from: taken_from });
        if phase != Phase::Uploading {
            // The machine may have been started anew. Where none can be started, what follows says so.
            self.target.ensure_running(&|| self.is_unawaited()).ok();
        }
        self.run()
    }
}

/// Whether nothing that these records began is still to be ended.
fn not_under_way(records: &[Record]) -> Result<(), Stopped> {
    let state = State::of(records);
    if state.rollback.is_some() {
        return Err(Stopped::UnfinishedRollback);
    }
    match state.running() {
        None => Ok(()),
        Some(Rollout { id, release, phase, .. }) => {
            Err(Stopped::Unfinished { rollout: *id, release: release.clone(), phase: *phase })
        }
    }
}

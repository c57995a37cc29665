//! A rollout: one release's way through an environment.
//!
//! `uploading -> staged -> verifying -> shifting -> live`, or `rolling-back -> rolled-back` from
//! anywhere. Each phase stands in the journal before anything is done for it, and all that is done
//! for it can be done again: so going on after a crash is the same code as going on.

mod backup;
mod begin;
mod event;
mod judge;
mod leash;
mod routes;
mod shift;
mod steady;
mod stopped;
mod verify;

pub use backup::Backup;
pub use begin::Beginning;
pub use event::Event;
pub use judge::{Judge, Judgement, Situation};
pub use leash::Leash;
pub use routes::write as write_routing;
pub use stopped::{End, Stopped};

use crate::clock::{self, Clock};
use crate::journal::{Act, Journal, Phase, Record, RolloutId};
use crate::lease::LeaseError;
use crate::state::{Rollout, State};
use crate::target::{Readiness, Target};
use release::ReleaseId;
use release::store::{Store, StoreError, Uploaded};
use std::fmt;
use std::time::Duration;

/// Between two looks at something that should change within the second.
const PAUSE: Duration = Duration::from_millis(50);

/// Longest time for the target to follow a routing that is loaded already.
const FOLLOW_LIMIT: Duration = Duration::from_secs(30);

/// Brings a release into the store.
pub trait Upload {
    /// Does so; again without harm.
    ///
    /// # Errors
    /// When the release is not to be had, or the store cannot be written.
    fn upload(&self, store: &dyn Store, release: &ReleaseId) -> Result<Uploaded, StoreError>;
}

/// All that a rollout works with.
pub struct Rolling<'a> {
    pub store: &'a dyn Store,
    pub target: &'a dyn Target,
    pub judge: &'a dyn Judge,
    pub backup: &'a dyn Backup,
    pub upload: &'a dyn Upload,
    pub clock: &'a dyn Clock,
    pub leash: &'a Leash,
    pub journal: Journal,
    pub tell: &'a mut dyn FnMut(&Event<'_>),
    /// Whether a person asked to stop where it is.
    pub is_interrupted: &'a dyn Fn() -> bool,
}

/// What a phase came to.
enum Step {
    /// The next phase.
    Next(Phase),
    TurnBack(String),
    Done(End),
}

impl fmt::Debug for Rolling<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rolling")
            .field("store", &self.store)
            .field("target", &self.target)
            .field("leash", &self.leash)
            .finish_non_exhaustive()
    }
}

impl Rolling<'_> {
    fn run(&mut self) -> Result<End, Stopped> {
        loop {
            let rollout = self.rollout()?;
            match self.step(&rollout)? {
                Step::Next(to) => {
                    self.append(|_| (Some(rollout.id), Act::Move { to }))?;
                    (self.tell)(&Event::Moved(to));
                }
                Step::TurnBack(reason) => {
                    let act = Act::TurnBack { reason: reason.clone() };
                    self.append(|_| (Some(rollout.id), act.clone()))?;
                    (self.tell)(&Event::TurningBack { reason: &reason });
                }
                Step::Done(end) => return Ok(end),
            }
        }
    }

    /// Does what the present phase asks for, all of it again if it was begun before.
    fn step(&mut self, rollout: &Rollout) -> Result<Step, Stopped> {
        match rollout.phase {
            Phase::Uploading => {
                let uploaded = self.upload.upload(self.store, &rollout.release);
                match uploaded {
                    Ok(uploaded) => (self.tell)(&Event::Uploaded(uploaded)),
                    // Nothing was routed to it: it is not this rollout's end that counts, but its try.
                    Err(StoreError::Damaged { reason, .. }) => {
                        return Ok(Step::TurnBack(format!("the release is damaged: {reason}")));
                    }
                    Err(error) => return Err(error.into()),
                }
                Ok(self.back_up(rollout)?.unwrap_or(Step::Next(Phase::Staged)))
            }
            Phase::Staged => self.stage(rollout),
            Phase::Verifying => self.verify(rollout),
            Phase::Shifting { step, share } => self.shift(rollout, step, share),
            Phase::Live => self.go_live(rollout),
            Phase::RollingBack | Phase::RolledBack => self.turn_back(rollout),
        }
    }

    /// Lets the target load the candidate, without traffic.
    fn stage(&mut self, rollout: &Rollout) -> Result<Step, Stopped> {
        let generation = self.route(routes::staged(rollout))?;
        let running = self.target.ensure_running(&|| self.is_unawaited());
        // That it was stopped says more than that it does not run therefore.
        self.look_up(rollout)?;
        running?;
        let (began, load_limit) = (self.clock.now(), self.target.load_limit());
        loop {
            self.look_up(rollout)?;
            let took = clock::since(began, self.clock.now());
            // What a target says that has not seen this routing is of an earlier try.
            let readiness = match self.target.generation() {
                Ok(seen) if seen < generation => Ok(Readiness::Unknown),
                Ok(_) => self.target.readiness(&rollout.release),
                Err(error) => Err(error),
            };
            match readiness {
                Ok(Readiness::Ready) => return Ok(Step::Next(Phase::Verifying)),
                Ok(Readiness::Failed(reason)) => {
                    return Ok(Step::TurnBack(format!("it could not be loaded: {reason}")));
                }
                Ok(_) if took >= load_limit => {
                    let limit = load_limit.as_secs();
                    return Ok(Step::TurnBack(format!("it was not loaded within {limit} s")));
                }
                Err(error) if took >= load_limit => return Err(error.into()),
                Ok(Readiness::Loading | Readiness::Down(_) | Readiness::Unknown) | Err(_) => {}
            }
            (self.tell)(&Event::Loading(took));
            self.clock.pause(PAUSE);
        }
    }

    fn go_live(&mut self, rollout: &Rollout) -> Result<Step, Stopped> {
        let generation = self.route(routes::live_with(rollout))?;
        self.followed(rollout, generation)?;
        if let Some(reason) = self.unsteady(rollout)? {
            return Ok(Step::TurnBack(reason));
        }
        let took = self.took(rollout);
        self.append(|_| (Some(rollout.id), Act::Complete { took_ms: millis(took) }))?;
        (self.tell)(&Event::Completed { took });
        Ok(Step::Done(End::Live))
    }

    fn turn_back(&mut self, rollout: &Rollout) -> Result<Step, Stopped> {
        let began = self.clock.now();
        let generation = self.route(routes::back_from(rollout))?;
        let reason = rollout.reason.clone().unwrap_or_else(|| "for no stated reason".to_owned());
        // What was live has never stopped: the target needs nothing new to follow.
        self.followed(rollout, generation)?;
        let took = clock::since(began, self.clock.now());
        self.append(|_| (Some(rollout.id), Act::TurnedBack { took_ms: millis(took) }))?;
        (self.tell)(&Event::TurnedBack { reason: &reason, took });
        Ok(Step::Done(End::TurnedBack { reason }))
    }

    /// Waits until the target follows a generation of the routing.
    fn followed(&mut self, rollout: &Rollout, generation: u64) -> Result<(), Stopped> {
        let began = self.clock.now();
        loop {
            let seen = self.target.generation();
            if seen.as_ref().is_ok_and(|seen| *seen >= generation) {
                return Ok(());
            }
            if clock::since(began, self.clock.now()) >= FOLLOW_LIMIT {
                let found = match seen {
                    Ok(seen) => format!("expected generation {generation}, found {seen}"),
                    Err(error) => error.to_string(),
                };
                return Err(Stopped::NotFollowed(found));
            }
            self.keep()?;
            if let Some(interrupted) = self.interrupted(rollout) {
                return Err(interrupted);
            }
            self.clock.pause(PAUSE);
        }
    }

    /// What others wrote, and whether this rollout is still ours to move.
    fn look_up(&mut self, rollout: &Rollout) -> Result<State, Stopped> {
        self.keep()?;
        let known = self.journal.records().len();
        self.journal.refresh(self.store)?;
        not_fenced_off(self.leash, &self.journal.records()[known..])?;
        match self.interrupted(rollout) {
            Some(interrupted) => Err(interrupted),
            None => Ok(State::of(self.journal.records())),
        }
    }

    fn interrupted(&self, rollout: &Rollout) -> Option<Stopped> {
        (self.is_interrupted)().then_some(Stopped::Interrupted { phase: rollout.phase })
    }

    /// Whether nobody waits any more for what is being done.
    fn is_unawaited(&self) -> bool {
        (self.is_interrupted)() || self.leash.is_lost()
    }

    fn keep(&self) -> Result<(), Stopped> {
        Ok(self.leash.keep(self.store, self.clock)?)
    }

    /// Whether somebody took over between the lease and the first look at the journal.
    fn look_for_others(&mut self) -> Result<(), Stopped> {
        self.journal.refresh(self.store)?;
        not_fenced_off(self.leash, self.journal.records())
    }

    fn append(&mut self, make: impl Fn(u64) -> (Option<RolloutId>, Act)) -> Result<(), Stopped> {
        self.append_after(make, |_| Ok(()))
    }

    /// `may_follow` looks at what others wrote in the meantime.
    fn append_after(
        &mut self,
        make: impl Fn(u64) -> (Option<RolloutId>, Act),
        may_follow: impl Fn(&[Record]) -> Result<(), Stopped>,
    ) -> Result<(), Stopped> {
        self.keep()?;
        let (writer, now) = (self.leash.writer(), self.clock.now());
        let leash = self.leash;
        self.journal.append(self.store, &writer, now, make, |new| {
            not_fenced_off(leash, new)?;
            may_follow(new)
        })?;
        self.leash.remember(self.journal.head());
        Ok(())
    }

    fn rollout(&self) -> Result<Rollout, Stopped> {
        State::of(self.journal.records()).running().cloned().ok_or(Stopped::NoRollout)
    }

    fn took(&self, rollout: &Rollout) -> Duration {
        let began = rollout.began_at.parse();
        began.map_or(Duration::ZERO, |began| clock::since(began, self.clock.now()))
    }
}

/// A record with a higher number is of somebody who took over.
fn not_fenced_off(leash: &Leash, new: &[Record]) -> Result<(), Stopped> {
    let ours = leash.writer().fencing;
    match new.iter().map(|record| record.fencing).max() {
        Some(found) if found > ours => Err(LeaseError::Lost { ours, found }.into()),
        _ => Ok(()),
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

//! A copy of the data, kept before a release is loaded that migrates it.

use super::{Event, Judgement, Rolling, Step, Stopped, millis};
use crate::clock;
use crate::journal::{Act, Verdict};
use crate::state::Rollout;
use std::fmt;

/// Keeps a copy of an environment's data.
pub trait Backup: fmt::Debug + Send + Sync {
    /// Runs the command; it passes when the copy is kept. `is_stopped` becomes true when nobody waits
    /// for it any more.
    fn back_up(&self, command: &str, rollout: &Rollout, is_stopped: &dyn Fn() -> bool)
    -> Judgement;
}

impl Rolling<'_> {
    /// Keeps the copy that the plan asks for, once; why it is not there otherwise.
    pub(super) fn back_up(&mut self, rollout: &Rollout) -> Result<Option<Step>, Stopped> {
        let Some(command) = rollout.plan.backup.as_ref().filter(|_| !rollout.is_backed_up) else {
            return Ok(None);
        };
        (self.tell)(&Event::BackingUp { command });
        let began = self.clock.now();
        let is_stopped = || self.is_unawaited();
        let judgement = self.backup.back_up(command, rollout, &is_stopped);
        self.look_up(rollout)?;
        if judgement.verdict != Verdict::Pass {
            let reason = format!("no copy of the data was kept: {}", judgement.reason);
            return Ok(Some(Step::TurnBack(reason)));
        }
        let (took, said) = (clock::since(began, self.clock.now()), judgement.reason);
        let act = Act::BackedUp { said: said.clone(), took_ms: millis(took) };
        self.append(|_| (Some(rollout.id), act.clone()))?;
        (self.tell)(&Event::BackedUp { said: &said, took });
        Ok(None)
    }
}

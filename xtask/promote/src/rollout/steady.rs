//! Whether a release can be served when it gets more traffic, and once it has all of it: gates looked at
//! it a while ago.

use super::{FOLLOW_LIMIT, PAUSE, Rolling, Step, Stopped};
use crate::clock;
use crate::journal::Phase;
use crate::state::Rollout;
use crate::target::Readiness;
use crate::upload;
use release::store::StoreError;
use std::time::Duration;

/// How long a server that died may take until it is ready again: meanwhile its visitors get errors.
const DOWN_LIMIT: Duration = Duration::from_secs(5);

impl Rolling<'_> {
    /// The next phase, for a release that can be served in it.
    pub(super) fn on_to(&mut self, rollout: &Rollout, next: Phase) -> Result<Step, Stopped> {
        if let Some(reason) = self.unsteady(rollout)? {
            return Ok(Step::TurnBack(reason));
        }
        if next == Phase::Live {
            // An edge that is started again has it from there alone.
            match upload::held(self.store, &rollout.release) {
                Ok(()) => {}
                Err(error @ (StoreError::Damaged { .. } | StoreError::NoRelease { .. })) => {
                    let reason = format!("the store no longer holds all of it: {error}");
                    return Ok(Step::TurnBack(reason));
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Step::Next(next))
    }

    /// Waits until the target can serve the release; why it cannot, when that takes too long.
    pub(super) fn unsteady(&mut self, rollout: &Rollout) -> Result<Option<String>, Stopped> {
        let (began, load_limit) = (self.clock.now(), self.target.load_limit());
        loop {
            let took = clock::since(began, self.clock.now());
            match self.target.readiness(&rollout.release) {
                Ok(Readiness::Ready) => return Ok(None),
                Ok(Readiness::Failed(reason)) => return Ok(Some(not_served(&reason))),
                Ok(Readiness::Down(reason)) if took >= DOWN_LIMIT => {
                    return Ok(Some(not_served(&reason)));
                }
                // A target that was started again loads it.
                Ok(_) if took >= load_limit => {
                    let reason = format!("it was not loaded within {} s", load_limit.as_secs());
                    return Ok(Some(not_served(&reason)));
                }
                // One that does not answer says nothing about the release.
                Err(error) if took >= FOLLOW_LIMIT => {
                    return Err(Stopped::NotFollowed(error.to_string()));
                }
                Ok(_) | Err(_) => {}
            }
            self.look_up(rollout)?;
            self.clock.pause(PAUSE);
        }
    }
}

/// Why a candidate that was ready turns back.
pub(super) fn not_served(reason: &str) -> String {
    format!("it can no longer be served: {reason}")
}

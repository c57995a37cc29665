//! A share of the traffic, watched.

use super::steady::not_served;
use super::verify::{failed, shifting};
use super::{Event, Judgement, Rolling, Situation, Step, Stopped, routes};
use crate::clock;
use crate::journal::Verdict;
use crate::state::Rollout;
use crate::target::Readiness;
use config::Gate;
use release::routing::TrafficShare;
use std::time::Duration;

/// Looks at the numbers within one share, after the one from which they are counted.
const LOOKS: u32 = 10;

/// Between two looks, at the least and at the most.
const MIN_BETWEEN: Duration = Duration::from_secs(1);
const MAX_BETWEEN: Duration = Duration::from_secs(15);

/// Between two looks at whether the candidate still lives.
const ALIVE_EVERY: Duration = Duration::from_millis(250);

impl Rolling<'_> {
    pub(super) fn shift(
        &mut self,
        rollout: &Rollout,
        step: usize,
        share: TrafficShare,
    ) -> Result<Step, Stopped> {
        let generation = self.route(routes::with_share(rollout, share))?;
        self.followed(rollout, generation)?;
        let watch = rollout.plan.shift.get(step).and_then(|step| step.watch);
        let watch = watch.map_or(Duration::ZERO, |watch| watch.0);
        let since = self.clock.now();
        let between = (watch / LOOKS).clamp(MIN_BETWEEN, MAX_BETWEEN);
        let is_analysed = rollout.plan.gates.contains(&Gate::Analysis);
        // The first look is at once: what came before it is not this share's.
        let (mut look, mut looked_at, mut was_over) = (0, None, false);
        let mut last: Option<Judgement> = None;
        loop {
            let state = self.look_up(rollout)?;
            if let Some(reason) = self.dead(rollout)? {
                return Ok(Step::TurnBack(reason));
            }
            let now = self.clock.now();
            let passed = clock::since(since, now);
            let is_over = passed >= watch;
            let is_due = looked_at.is_none_or(|at| clock::since(at, now) >= between);
            if is_analysed && (is_due || is_over && !was_over) {
                look += 1;
                (looked_at, was_over) = (Some(now), is_over);
                let judgement = self.look(rollout, look, since);
                if judgement.verdict == Verdict::Fail {
                    self.judged(rollout, &Gate::Analysis, Verdict::Fail, &judgement, passed)?;
                    return Ok(Step::TurnBack(failed(&Gate::Analysis, &judgement, Duration::ZERO)));
                }
                last = Some(judgement);
            }
            if is_over {
                if let Some(end) =
                    self.end_of_watch(rollout, last.as_ref(), passed - watch, passed)?
                {
                    return Ok(end);
                }
                if state.frozen.is_none()
                    && last.as_ref().is_none_or(|it| it.verdict == Verdict::Pass)
                {
                    return self.after_share(rollout, step);
                }
            }
            if !is_over {
                let last = last.as_ref().map(|judgement| judgement.reason.as_str());
                (self.tell)(&Event::Watching { share, passed, watch, last });
            }
            self.hold_told(&state, last.as_ref(), is_over, rollout, passed.saturating_sub(watch));
            self.clock.pause(ALIVE_EVERY);
        }
    }

    /// Whether the candidate can no longer be served.
    fn dead(&self, rollout: &Rollout) -> Result<Option<String>, Stopped> {
        // A target that does not answer now says nothing about the candidate.
        match self.target.readiness(&rollout.release) {
            Ok(Readiness::Failed(reason)) => Ok(Some(not_served(&reason))),
            _ => Ok(None),
        }
    }

    fn look(&mut self, rollout: &Rollout, look: u32, since: jiff::Timestamp) -> Judgement {
        let steps = u32::try_from(rollout.plan.shift.len()).unwrap_or(u32::MAX);
        let looks = (LOOKS + 1).saturating_mul(steps);
        let situation = Situation { rollout, phase: rollout.phase, since, look, looks };
        let judgement = self.ask(&Gate::Analysis, situation);
        let Judgement { verdict, reason, numbers } = &judgement;
        let gate = &Gate::Analysis;
        (self.tell)(&Event::GateJudged { gate, verdict: *verdict, reason, numbers });
        judgement
    }

    /// The time is over: whether what is still not known has been waited for long enough.
    fn end_of_watch(
        &mut self,
        rollout: &Rollout,
        last: Option<&Judgement>,
        held: Duration,
        passed: Duration,
    ) -> Result<Option<Step>, Stopped> {
        let Some(judgement) = last else { return Ok(None) };
        match judgement.verdict {
            Verdict::Inconclusive if held >= rollout.plan.hold.0 => {
                self.judged(rollout, &Gate::Analysis, Verdict::Fail, judgement, passed)?;
                let reason = failed(&Gate::Analysis, judgement, rollout.plan.hold.0);
                Ok(Some(Step::TurnBack(reason)))
            }
            _ => Ok(None),
        }
    }

    fn hold_told(
        &mut self,
        state: &crate::state::State,
        last: Option<&Judgement>,
        is_over: bool,
        rollout: &Rollout,
        held: Duration,
    ) {
        if !is_over {
            return;
        }
        if let Some(frozen) = &state.frozen {
            let why = format!("{} froze the environment: {}", frozen.who, frozen.reason);
            (self.tell)(&Event::Holding { why: &why, left: None });
        } else if let Some(judgement) = last {
            let left = Some(rollout.plan.hold.0.saturating_sub(held));
            (self.tell)(&Event::Holding { why: &judgement.reason, left });
        }
    }

    /// The share was watched and is well: what was asked before is asked once more.
    fn after_share(&mut self, rollout: &Rollout, step: usize) -> Result<Step, Stopped> {
        if rollout.plan.gates.contains(&Gate::Smoke)
            && let Some(reason) = self.pass(rollout, &Gate::Smoke)?
        {
            return Ok(Step::TurnBack(reason));
        }
        self.on_to(rollout, shifting(rollout, step + 1))
    }
}

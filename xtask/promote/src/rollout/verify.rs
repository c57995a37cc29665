//! The gates before the first share.

use super::Event;
use super::{Judge, Judgement, Rolling, Situation, Step, Stopped, millis};
use crate::clock;
use crate::journal::{Act, Phase, Verdict};
use crate::state::Rollout;
use config::Gate;
use release::routing::TrafficShare;
use std::time::Duration;

/// Between two looks of a gate that is inconclusive.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// How long a person may take to approve.
const APPROVAL_LIMIT: Duration = Duration::from_secs(24 * 60 * 60);

impl Rolling<'_> {
    pub(super) fn verify(&mut self, rollout: &Rollout) -> Result<Step, Stopped> {
        for gate in rollout.plan.gates.iter().filter(|gate| is_before(gate)) {
            let is_passed = rollout
                .gates
                .iter()
                .any(|(passed, verdict, _)| passed == gate && *verdict == Verdict::Pass);
            if is_passed {
                continue;
            }
            if let Some(reason) = self.pass(rollout, gate)? {
                return Ok(Step::TurnBack(reason));
            }
        }
        self.not_while_frozen(rollout)?;
        // With nothing live there is nobody to share with.
        let next = match rollout.from {
            None => Phase::Live,
            Some(_) => shifting(rollout, 0),
        };
        self.on_to(rollout, next)
    }

    /// Asks a gate until it gives a verdict; the reason when that is no pass.
    pub(super) fn pass(
        &mut self,
        rollout: &Rollout,
        gate: &Gate,
    ) -> Result<Option<String>, Stopped> {
        (self.tell)(&Event::GateBegan(gate));
        let began = self.clock.now();
        let limit = match gate {
            Gate::Approval => APPROVAL_LIMIT,
            _ => rollout.plan.hold.0,
        };
        loop {
            let state = self.look_up(rollout)?;
            let rollout = state.running().ok_or(Stopped::NoRollout)?;
            let look = Situation { rollout, phase: rollout.phase, since: began, look: 1, looks: 1 };
            let judgement = self.ask(gate, look);
            self.look_up(rollout)?;
            let Judgement { verdict, reason, numbers } = &judgement;
            (self.tell)(&Event::GateJudged { gate, verdict: *verdict, reason, numbers });
            let took = clock::since(began, self.clock.now());
            let verdict = match verdict {
                // What cannot be known by then must not go on.
                Verdict::Inconclusive if took >= limit => Verdict::Fail,
                Verdict::Inconclusive => {
                    (self.tell)(&Event::Holding { why: reason, left: Some(limit - took) });
                    self.clock.pause(LOOK_AGAIN.min(limit));
                    continue;
                }
                verdict => *verdict,
            };
            self.judged(rollout, gate, verdict, &judgement, took)?;
            return Ok((verdict == Verdict::Fail).then(|| failed(gate, &judgement, limit)));
        }
    }

    /// Asks a gate once.
    pub(super) fn ask(&self, gate: &Gate, situation: Situation<'_>) -> Judgement {
        let judge: &dyn Judge = self.judge;
        let is_stopped = || self.is_unawaited();
        judge.judge(gate, situation, &is_stopped)
    }

    /// Writes a verdict that counts down.
    pub(super) fn judged(
        &mut self,
        rollout: &Rollout,
        gate: &Gate,
        verdict: Verdict,
        judgement: &Judgement,
        took: Duration,
    ) -> Result<(), Stopped> {
        let act = Act::Gate {
            gate: gate.clone(),
            verdict,
            reason: judgement.reason.clone(),
            took_ms: millis(took),
        };
        self.append(|_| (Some(rollout.id), act.clone()))
    }

    /// Waits while the environment is frozen.
    pub(super) fn not_while_frozen(&mut self, rollout: &Rollout) -> Result<(), Stopped> {
        while let Some(frozen) = self.look_up(rollout)?.frozen {
            let why = format!("{} froze the environment: {}", frozen.who, frozen.reason);
            (self.tell)(&Event::Holding { why: &why, left: None });
            self.clock.pause(LOOK_AGAIN);
        }
        Ok(())
    }
}

/// Whether a gate looks at the candidate before it has any traffic.
fn is_before(gate: &Gate) -> bool {
    *gate != Gate::Analysis
}

/// The phase of a step of the plan; a last step that is not watched is no step of its own.
pub(super) fn shifting(rollout: &Rollout, step: usize) -> Phase {
    match rollout.plan.shift.get(step) {
        Some(shift) if shift.per_mille < 1000 || shift.watch.is_some() => Phase::Shifting {
            step,
            share: TrafficShare::try_from(shift.per_mille).unwrap_or(TrafficShare::ALL),
        },
        _ => Phase::Live,
    }
}

pub(super) fn failed(gate: &Gate, judgement: &Judgement, limit: Duration) -> String {
    match judgement.verdict {
        Verdict::Inconclusive => {
            let seconds = limit.as_secs();
            format!("gate `{gate}` was inconclusive for {seconds} s: {}", judgement.reason)
        }
        _ => format!("gate `{gate}` failed: {}", judgement.reason),
    }
}

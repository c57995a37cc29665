//! Whether a journal's acts could have been done in this order: what no promoter writes was written by
//! something else. Pure.

use crate::journal::{Act, Phase, Record, RolloutId};
use config::ShiftStep;
use release::ReleaseId;
use release::routing::TrafficShare;

/// What a journal came to so far, as far as the next act's legality asks.
#[derive(Debug, Default)]
struct Seen {
    running: Option<Running>,
    rollback: Option<Option<ReleaseId>>,
    live: Option<ReleaseId>,
    is_frozen: bool,
    fencing: u64,
}

#[derive(Debug)]
struct Running {
    id: RolloutId,
    phase: Phase,
    from: Option<ReleaseId>,
    release: ReleaseId,
    /// Shares that it must have had before it is live.
    shift: Vec<ShiftStep>,
}

/// The first act that cannot have been done where it stands: its number, and why.
pub fn first_illegal(records: &[Record]) -> Option<(u64, String)> {
    let mut seen = Seen::default();
    records.iter().find_map(|record| seen.follow(record).err().map(|why| (record.number, why)))
}

impl Seen {
    fn follow(&mut self, record: &Record) -> Result<(), String> {
        if record.fencing < self.fencing {
            return Err(format!(
                "it was written under fencing number {}, after one of {}",
                record.fencing, self.fencing
            ));
        }
        self.fencing = record.fencing;
        match &record.act {
            Act::Begin { release, from, plan, .. } => {
                if let Some(running) = &self.running {
                    return Err(format!("a rollout begins while {} is not over", running.id));
                }
                if self.rollback.is_some() {
                    return Err("a rollout begins while a rollback is not done".to_owned());
                }
                if *from != self.live {
                    return Err(format!(
                        "it says that {} was live, and that was {}",
                        shown(from.as_ref()),
                        shown(self.live.as_ref())
                    ));
                }
                let id = RolloutId(record.number);
                if record.rollout != Some(id) {
                    return Err(format!("it begins {id} and says that it belongs to another"));
                }
                let (release, from) = (release.clone(), from.clone());
                let (phase, shift) = (Phase::Uploading, plan.shift.clone());
                self.running = Some(Running { id, phase, from, release, shift });
            }
            Act::Freeze { .. } => self.is_frozen = true,
            Act::Unfreeze { .. } if !self.is_frozen => {
                return Err("it lifts a freeze that was not there".to_owned());
            }
            Act::Unfreeze { .. } => self.is_frozen = false,
            Act::Rollback { to, .. } => self.rollback = Some(to.clone()),
            Act::RolledBack { .. } => {
                let to = self.rollback.take();
                self.live = to.ok_or("a rollback is done that was not begun")?;
                self.running = None;
            }
            act => self.follow_rollout(record, act)?,
        }
        Ok(())
    }

    fn follow_rollout(&mut self, record: &Record, act: &Act) -> Result<(), String> {
        let is_done = self.rollback.is_some();
        let Some(running) = self.running.as_mut().filter(|it| Some(it.id) == record.rollout) else {
            let rollout =
                record.rollout.map_or_else(|| "no rollout".to_owned(), |id| id.to_string());
            return Err(format!("it is of {rollout}, which is not under way"));
        };
        if is_done {
            return Err(format!("{} goes on after it was rolled back", running.id));
        }
        match act {
            Act::Move { to } => {
                if !running.may_move(*to) {
                    return Err(format!("it moves from {} to {to}", running.phase));
                }
                running.phase = *to;
            }
            Act::BackedUp { .. } if running.phase != Phase::Uploading => {
                return Err(format!("the data is copied at {}", running.phase));
            }
            Act::TurnBack { .. } => running.phase = Phase::RollingBack,
            Act::Complete { .. } if running.phase == Phase::Live => {
                self.live = Some(running.release.clone());
                self.running = None;
            }
            Act::TurnedBack { .. } if running.phase == Phase::RollingBack => {
                self.live = running.from.clone();
                self.running = None;
            }
            Act::Complete { .. } | Act::TurnedBack { .. } => {
                return Err(format!("it is over at {}", running.phase));
            }
            Act::Gate { .. }
                if !matches!(running.phase, Phase::Verifying | Phase::Shifting { .. }) =>
            {
                return Err(format!("a gate is judged at {}", running.phase));
            }
            _ => {}
        }
        Ok(())
    }
}

impl Running {
    fn may_move(&self, to: Phase) -> bool {
        match (self.phase, to) {
            (Phase::Uploading, Phase::Staged) | (Phase::Staged, Phase::Verifying) => true,
            // With nothing live there is nobody to share with.
            (Phase::Verifying, to) if self.from.is_none() => to == Phase::Live,
            (Phase::Verifying, to) => self.is_step(0, to),
            (Phase::Shifting { step, .. }, to) => self.is_step(step + 1, to),
            _ => false,
        }
    }

    /// Whether this is the phase of a step of the plan.
    fn is_step(&self, step: usize, phase: Phase) -> bool {
        match self.shift.get(step) {
            Some(shift) if shift.per_mille < 1000 || shift.watch.is_some() => {
                let share = TrafficShare::try_from(shift.per_mille);
                share.is_ok_and(|share| phase == Phase::Shifting { step, share })
            }
            _ => phase == Phase::Live,
        }
    }
}

fn shown(release: Option<&ReleaseId>) -> String {
    release.map_or_else(|| "nothing".to_owned(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{RECORD_VERSION, RolloutPlan};

    fn release(number: u8) -> ReleaseId {
        format!("2026-11-23-{number:012}").parse().unwrap()
    }

    fn begin(number: u8, from: Option<u8>) -> Act {
        Act::Begin {
            release: release(number),
            commit: None,
            from: from.map(release),
            plan: RolloutPlan {
                shift: vec!["5%".parse().unwrap(), "100%".parse().unwrap()],
                gates: Vec::new(),
                hold: "10m".parse().unwrap(),
                backup: None,
            },
            reason: None,
            schema: None,
            overrides: Vec::new(),
        }
    }

    fn to(phase: Phase) -> Act {
        Act::Move { to: phase }
    }

    fn share(step: usize) -> Act {
        to(Phase::Shifting { step, share: TrafficShare::try_from(50).unwrap() })
    }

    fn journal(acts: &[Act]) -> Vec<Record> {
        let mut rollout = None;
        let record = |(index, act): (usize, &Act)| {
            let number = index as u64 + 1;
            if matches!(act, Act::Begin { .. }) {
                rollout = Some(RolloutId(number));
            }
            Record {
                version: RECORD_VERSION,
                number,
                previous: None,
                at: String::new(),
                who: "a@b".to_owned(),
                fencing: 1,
                rollout,
                act: act.clone(),
            }
        };
        acts.iter().enumerate().map(record).collect()
    }

    fn first(acts: &[Act]) -> Option<u64> {
        first_illegal(&journal(acts)).map(|(number, _)| number)
    }

    fn whole() -> Vec<Act> {
        let done = || Act::Complete { took_ms: 1 };
        let mut acts = vec![begin(1, None), to(Phase::Staged), to(Phase::Verifying)];
        acts.extend([to(Phase::Live), done()]);
        acts.extend([begin(2, Some(1)), to(Phase::Staged), to(Phase::Verifying), share(0)]);
        acts.extend([to(Phase::Live), done()]);
        acts
    }

    #[test]
    fn what_promoters_write_is_legal() {
        let mut acts = whole();
        acts.push(Act::Rollback { from: Some(release(2)), to: Some(release(1)), reason: None });
        acts.push(Act::RolledBack { took_ms: 1 });
        acts.extend([Act::Freeze { reason: "x".into() }, Act::Unfreeze { reason: None }]);
        acts.extend([begin(2, Some(1)), Act::TurnBack { reason: "y".into() }]);
        acts.push(Act::TurnedBack { took_ms: 1 });
        acts.push(begin(3, Some(1)));
        assert_eq!(first_illegal(&journal(&acts)), None);
    }

    #[test]
    fn a_record_that_was_left_out_is_missed() {
        // Each but the last: nothing after it depends on that.
        let acts = whole();
        for out in 0..acts.len() - 1 {
            let mut shorter = acts.clone();
            shorter.remove(out);
            assert!(first(&shorter).is_some(), "without record {}", out + 1);
        }
    }

    #[test]
    fn what_no_promoter_writes_is_found_where_it_stands() {
        let wrong = [
            (vec![begin(1, None), begin(2, None)], 2),
            (vec![begin(1, Some(2))], 1),
            (vec![begin(1, None), to(Phase::Live)], 2),
            (vec![Act::Complete { took_ms: 1 }], 1),
            (vec![begin(1, None), Act::TurnedBack { took_ms: 1 }], 2),
            (vec![Act::RolledBack { took_ms: 1 }], 1),
            (vec![Act::Unfreeze { reason: None }], 1),
        ];
        for (acts, number) in wrong {
            assert_eq!(first(&acts), Some(number), "{acts:?}");
        }
        let mut fenced = journal(&whole());
        fenced[3].fencing = 0;
        assert_eq!(first_illegal(&fenced).map(|(number, _)| number), Some(4));
    }
}

//! Where an environment is: what its journal comes to. Pure.

use crate::journal::{Act, Override, Phase, Record, RolloutId, RolloutPlan, Verdict};
use config::{Gate, Schema};
use release::ReleaseId;
use std::collections::BTreeMap;

/// What a journal comes to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    /// What is live, as far as acts were completed.
    pub live: Option<ReleaseId>,
    /// Every release that was live, the latest last, without repetition.
    pub was_live: Vec<ReleaseId>,
    pub frozen: Option<Frozen>,
    /// What the servers of the releases that came here make of the data, where they keep any.
    pub schemas: BTreeMap<ReleaseId, Schema>,
    /// What the data was migrated to by one that was loaded, live or not.
    pub data: Option<Schema>,
    /// The last rollout, over or not.
    pub rollout: Option<Rollout>,
    /// A rollback by hand that is not done.
    pub rollback: Option<Rollback>,
    /// What was live or about to be, when the last move of the traffic was one back.
    pub gone_back: Option<GoneBack>,
}

/// A way back that is done, by hand or by a gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoneBack {
    pub from: Option<ReleaseId>,
    pub who: String,
    /// RFC 3339, UTC.
    pub at: String,
}

/// A rollout.
#[derive(Debug, Clone, PartialEq)]
pub struct Rollout {
    pub id: RolloutId,
    pub release: ReleaseId,
    pub commit: Option<String>,
    pub from: Option<ReleaseId>,
    pub plan: RolloutPlan,
    pub phase: Phase,
    /// RFC 3339, UTC.
    pub began_at: String,
    pub is_over: bool,
    pub approved_by: Option<String>,
    /// Whether a copy of the data was kept.
    pub is_backed_up: bool,
    pub overrides: Vec<Override>,
    /// Verdicts that counted, in order.
    pub gates: Vec<(Gate, Verdict, String)>,
    /// Why it turned back.
    pub reason: Option<String>,
}

/// A rollback by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rollback {
    pub from: Option<ReleaseId>,
    pub to: Option<ReleaseId>,
    pub reason: Option<String>,
}

/// No rollout may begin or go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frozen {
    pub who: String,
    pub at: String,
    pub reason: String,
}

impl State {
    /// What these records come to, the first one first.
    pub fn of(records: &[Record]) -> State {
        let mut state = State::default();
        for record in records {
            state.follow(record);
        }
        state
    }

    /// The rollout that is under way, if one is.
    pub fn running(&self) -> Option<&Rollout> {
        self.rollout.as_ref().filter(|rollout| !rollout.is_over)
    }

    fn follow(&mut self, record: &Record) {
        match &record.act {
            Act::Begin { release, commit, from, plan, schema, overrides, .. } => {
                if let Some(schema) = schema {
                    self.schemas.insert(release.clone(), *schema);
                }
                self.rollout = Some(Rollout {
                    id: RolloutId(record.number),
                    release: release.clone(),
                    commit: commit.clone(),
                    from: from.clone(),
                    plan: plan.clone(),
                    phase: Phase::Uploading,
                    began_at: record.at.clone(),
                    is_over: false,
                    approved_by: None,
                    is_backed_up: false,
                    overrides: overrides.clone(),
                    gates: Vec::new(),
                    reason: None,
                });
            }
            Act::Freeze { reason } => {
                self.frozen = Some(Frozen {
                    who: record.who.clone(),
                    at: record.at.clone(),
                    reason: reason.clone(),
                });
            }
            Act::Unfreeze { .. } => self.frozen = None,
            Act::Rollback { from, to, reason } => {
                if let Some(rollout) = self.rollout.as_mut().filter(|rollout| !rollout.is_over) {
                    // It is this rollback's by now: the promoter that ran it was fenced off.
                    rollout.phase = Phase::RollingBack;
                    let why = reason.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
                    rollout.reason = Some(format!("rolled back by {}{why}", record.who));
                }
                let (from, to, reason) = (from.clone(), to.clone(), reason.clone());
                self.rollback = Some(Rollback { from, to, reason });
            }
            Act::RolledBack { .. } => {
                if let Some(rollback) = self.rollback.take() {
                    self.set_live(rollback.to);
                    self.gone_back = Some(GoneBack::by(record, rollback.from));
                }
                if let Some(rollout) = self.rollout.as_mut().filter(|rollout| !rollout.is_over) {
                    rollout.phase = Phase::RolledBack;
                    rollout.is_over = true;
                }
            }
            act => self.follow_rollout(record, act),
        }
    }

    fn follow_rollout(&mut self, record: &Record, act: &Act) {
        let Some(rollout) =
            self.rollout.as_mut().filter(|rollout| Some(rollout.id) == record.rollout)
        else {
            return;
        };
        match act {
            Act::Move { to } => {
                rollout.phase = *to;
                if *to == Phase::Staged
                    && let Some(schema) = self.schemas.get(&rollout.release)
                {
                    // From here on its server may have migrated the data. A person who allowed a break
                    // says that the data is what this release takes it for.
                    let is_said = rollout.overrides.contains(&Override::SchemaBreak);
                    let is_newer = self.data.is_none_or(|data| data.version <= schema.version);
                    if is_said || is_newer {
                        self.data = Some(*schema);
                    }
                }
            }
            Act::BackedUp { .. } => rollout.is_backed_up = true,
            Act::Gate { gate, verdict, reason, .. } => {
                rollout.gates.push((gate.clone(), *verdict, reason.clone()));
            }
            Act::Approve { .. } => rollout.approved_by = Some(record.who.clone()),
            Act::TurnBack { reason } => {
                rollout.phase = Phase::RollingBack;
                rollout.reason = Some(reason.clone());
            }
            Act::Complete { .. } => {
                rollout.is_over = true;
                let live = rollout.release.clone();
                self.set_live(Some(live));
                self.gone_back = None;
            }
            Act::TurnedBack { .. } => {
                rollout.is_over = true;
                rollout.phase = Phase::RolledBack;
                let (live, release) = (rollout.from.clone(), rollout.release.clone());
                self.set_live(live);
                self.gone_back = Some(GoneBack::by(record, Some(release)));
            }
            _ => {}
        }
    }

    fn set_live(&mut self, live: Option<ReleaseId>) {
        if let Some(live) = &live {
            self.was_live.retain(|other| other != live);
            self.was_live.push(live.clone());
        }
        self.live = live;
    }
}

impl GoneBack {
    fn by(record: &Record, from: Option<ReleaseId>) -> GoneBack {
        GoneBack { from, who: record.who.clone(), at: record.at.clone() }
    }
}

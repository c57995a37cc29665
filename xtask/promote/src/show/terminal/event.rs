//! One entry for each move of a rollout.

use super::{Terminal, brief};
use crate::journal::{Phase, RolloutPlan};
use crate::plan::phase_word;
use crate::rollout::Event;
use config::Gate;
use jiff::Timestamp;
use release::ReleaseId;
use screen::look::Ink;
use screen::text;

impl Terminal {
    pub(super) fn event(&mut self, at: Timestamp, environment: &str, event: &Event<'_>) {
        match event {
            Event::Began { rollout, from, plan, .. } => {
                self.begin(*from, plan);
                let from = match from {
                    Some(from) => format!("in place of {from}"),
                    None => "the first one here".to_owned(),
                };
                let heading = self.look.paint(Ink::Strong, environment);
                self.print(&format!("\n{heading}  rollout {rollout}, {from}\n"));
                self.entry(at, self.moving(), "uploading", "its files go into the store");
            }
            Event::Resumed { rollout, release, phase, from } => {
                if let Some((plan, live)) = self.plans.get(environment).cloned() {
                    self.begin(live.as_ref(), &plan);
                }
                let heading = self.look.paint(Ink::Strong, environment);
                let from = from.map(|from| format!(", taken over from {from}")).unwrap_or_default();
                let from = text::line(from.as_bytes());
                self.print(&format!("\n{heading}  rollout {rollout} goes on{from}\n"));
                let anew =
                    if matches!(phase, Phase::Shifting { .. }) { ", watched anew" } else { "" };
                let words = format!("{release} goes on from here{anew}");
                self.entry(at, self.moving(), &phase_word(*phase), &words);
            }
            Event::Uploaded(uploaded) => {
                let (files, bytes) = (uploaded.new_files, brief::bytes(uploaded.new_bytes));
                let new = format!("{} new, {bytes}", brief::count(files, "file"));
                let words = format!("{new}; {} there already", uploaded.known_files);
                self.entry(at, self.good(), "uploaded", &words);
            }
            Event::BackingUp { command } => {
                self.draw(at, &format!("a copy of the data is being made: {command}"));
            }
            Event::BackedUp { said, took } => {
                let said = if said.is_empty() { String::new() } else { format!(": {said}") };
                let words =
                    format!("a copy of the data is kept, after {}{said}", brief::span(*took));
                self.entry(at, self.good(), "backed up", &words);
            }
            Event::Moved(phase) => self.moved(at, *phase),
            Event::Loading(took) => {
                self.draw(at, &format!("being loaded for {}", brief::seconds(*took)));
            }
            Event::GateBegan(gate) => {
                self.shown = None;
                self.holding = None;
                self.draw(at, &format!("gate {gate}"));
                self.is_asking = **gate == Gate::Approval;
            }
            Event::GateJudged { gate, verdict, reason, numbers } => {
                self.judged(at, gate, *verdict, reason, numbers);
            }
            Event::Watching { share, passed, watch, last } => {
                let left = brief::seconds(watch.saturating_sub(*passed));
                let last = last.map(|last| format!("; {last}")).unwrap_or_default();
                let line = format!("{share}: {left} left of {}{last}", brief::seconds(*watch));
                self.draw(at, &line);
                self.repeat(at, &share.to_string(), &format!("{left} left{last}"));
            }
            Event::Holding { why, left } => self.hold(at, why, *left),
            Event::TurningBack { reason } => self.entry(at, self.bad(), "turning back", reason),
            Event::Completed { took } => {
                let words = format!("after {}", brief::span(*took));
                self.entry(at, self.good(), "live", &words);
            }
            Event::TurnedBack { took, .. } => {
                let took = brief::span(*took);
                let words = match &self.from {
                    Some(from) => format!("{from} has all of the traffic again, after {took}"),
                    None => format!("nothing is live, as before; after {took}"),
                };
                self.entry(at, self.good(), "back", &words);
            }
        }
    }

    fn begin(&mut self, from: Option<&ReleaseId>, plan: &RolloutPlan) {
        self.from = from.cloned();
        self.shift.clone_from(&plan.shift);
        self.gates.clone_from(&plan.gates);
    }

    fn moved(&mut self, at: Timestamp, phase: Phase) {
        self.last_word(at);
        self.shown = None;
        self.holding = None;
        self.repeated_at = Some(at);
        let words = match phase {
            Phase::Staged => "loaded and proved where it is served; no traffic yet".to_owned(),
            Phase::Verifying => match self.before() {
                gates if gates.is_empty() => "no gate is asked before the first share".to_owned(),
                gates => format!("no traffic yet; gates: {}", brief::gates(&gates)),
            },
            Phase::Shifting { step, .. } => match self.shift.get(step).and_then(|it| it.watch) {
                Some(watch) => {
                    let until = crate::clock::until(at + watch.0, at);
                    format!("of the traffic, watched for {watch} until {until}")
                }
                None => "of the traffic, not watched".to_owned(),
            },
            Phase::Live => "all of the traffic goes to it".to_owned(),
            Phase::Uploading | Phase::RollingBack | Phase::RolledBack => String::new(),
        };
        let label = match phase {
            Phase::Live => "going live".to_owned(),
            phase => phase_word(phase),
        };
        self.entry(at, self.moving(), &label, &words);
    }

    fn before(&self) -> Vec<Gate> {
        self.gates.iter().filter(|gate| **gate != Gate::Analysis).cloned().collect()
    }
}

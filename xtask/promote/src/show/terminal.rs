//! A promotion on a terminal or in a log, in 80 columns: one line a move, and below them, where the
//! screen can do that, one line that changes.

use super::brief;
use super::{Ended, Follower, Told, plan_text};
use crate::journal::{Phase, RolloutPlan, Verdict};
use crate::plan::{EnvironmentPlan, phase_word};
use crate::rollout::Event;
use config::{Gate, ShiftStep};
use jiff::Timestamp;
use release::ReleaseId;
use report::{Exit, Measure};
use screen::Screen;
use screen::look::{Ink, Look};
use screen::text;
use std::collections::BTreeMap;
use std::time::Duration;

/// Columns of what an entry is about.
const LABEL: usize = 12;
/// Columns before an entry's text: time, sign, label.
const BEFORE: usize = 2 + 8 + 2 + 1 + 1 + LABEL + 1;

/// Between two draws of the line that changes.
const DRAW_EVERY: Duration = Duration::from_millis(100);

/// Between two lines that say that nothing has changed, where lines stay.
const REPEAT_EVERY: Duration = Duration::from_secs(30);

/// Shows a promotion.
#[derive(Debug)]
pub struct Terminal {
    screen: Screen,
    look: Look,
    /// Whether the line that changes is on the screen.
    is_drawn: bool,
    drawn_at: Option<Timestamp>,
    repeated_at: Option<Timestamp>,
    /// A person is being asked: the line where they type is theirs.
    is_asking: bool,
    shown: Option<Shown>,
    /// The analysis' last word, when its line was not printed.
    unshown: Option<Judged>,
    holding: Option<Holding>,
    /// What was going to be done, and what was live, by environment: for a rollout that goes on.
    plans: BTreeMap<String, (RolloutPlan, Option<ReleaseId>)>,
    from: Option<ReleaseId>,
    shift: Vec<ShiftStep>,
    gates: Vec<Gate>,
}

/// A gate's verdict that is on the screen.
#[derive(Debug, PartialEq)]
struct Shown {
    gate: Gate,
    verdict: Verdict,
}

/// What is waited for: a gate, whatever it says meanwhile, or the end of something else.
#[derive(Debug, PartialEq, Eq)]
enum Holding {
    Gate,
    Other(String),
}

#[derive(Debug)]
struct Judged {
    gate: Gate,
    verdict: Verdict,
    reason: String,
    numbers: Vec<Measure>,
}

impl Terminal {
    pub fn new(screen: Screen, look: Look) -> Terminal {
        Terminal {
            screen,
            look,
            is_drawn: false,
            drawn_at: None,
            repeated_at: None,
            is_asking: false,
            shown: None,
            unshown: None,
            holding: None,
            plans: BTreeMap::new(),
            from: None,
            shift: Vec::new(),
            gates: Vec::new(),
        }
    }

    /// Lines that stay.
    fn print(&mut self, lines: &str) {
        let erase = if self.is_drawn { "\r\u{1b}[2K" } else { "" };
        self.is_drawn = false;
        self.write(&format!("{erase}{lines}"));
    }

    /// The line that changes. Nothing where lines stay.
    fn draw(&mut self, at: Timestamp, line: &str) {
        let is_early =
            self.drawn_at.is_some_and(|drawn| crate::clock::since(drawn, at) < DRAW_EVERY);
        if !self.look.live || self.is_asking || (self.is_drawn && is_early) {
            return;
        }
        self.drawn_at = Some(at);
        let look = self.look.clone().measured();
        let line = format!("  {}  {}", brief::clock(at), text::line(line.as_bytes()));
        let line = text::truncate(&line, look.columns.saturating_sub(1), look.ellipsis());
        self.write(&format!("\r\u{1b}[2K{}", look.paint(Ink::Quiet, &line)));
        self.is_drawn = true;
    }

    fn write(&mut self, text: &str) {
        // A screen that fails is no reason to stop a rollout; the record and the journal remain.
        self.screen.show(text).ok();
    }

    /// One entry: time, sign, what it is about, and text that may take several lines.
    fn entry(&mut self, at: Timestamp, (sign, ink): (&'static str, Ink), label: &str, words: &str) {
        let look = &self.look;
        let room = look.measure().saturating_sub(BEFORE).max(20);
        let words = text::block(words.as_bytes(), false);
        let mut lines = text::wrap(&words, room).into_iter();
        let label_shown = text::truncate(label, LABEL, look.ellipsis());
        let time = look.paint(Ink::Quiet, &brief::clock(at));
        let strong = look.paint(ink, &text::pad(&label_shown, LABEL));
        let first = lines.next().unwrap_or_default();
        let mut entry = format!("  {time}  {} {strong} {first}", look.paint(ink, sign));
        entry.truncate(entry.trim_end().len());
        entry.push('\n');
        for line in lines {
            entry += &format!("{}{line}\n", " ".repeat(BEFORE));
        }
        self.print(&entry);
    }

    fn sign(&self, unicode: &'static str, plain: &'static str) -> &'static str {
        if self.look.unicode { unicode } else { plain }
    }

    fn moving(&self) -> (&'static str, Ink) {
        (self.sign("▸", ">"), Ink::Accent)
    }

    fn careful(&self) -> (&'static str, Ink) {
        (self.sign("‖", "="), Ink::Careful)
    }

    fn good(&self) -> (&'static str, Ink) {
        (self.sign("✓", "+"), Ink::Good)
    }

    fn bad(&self) -> (&'static str, Ink) {
        (self.sign("✗", "x"), Ink::Bad)
    }

    fn event(&mut self, at: Timestamp, environment: &str, event: &Event<'_>) {
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
        if let Some(Judged { gate, verdict, reason, numbers }) = self.unshown.take() {
            self.verdict(at, &gate, verdict, &reason, &numbers);
        }
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
                    let until = brief::clock(at + watch.0);
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

    fn judged(
        &mut self,
        at: Timestamp,
        gate: &Gate,
        verdict: Verdict,
        reason: &str,
        numbers: &[Measure],
    ) {
        if verdict != Verdict::Inconclusive {
            self.is_asking = false;
        }
        let judged = Shown { gate: gate.clone(), verdict };
        if self.shown.as_ref() == Some(&judged) {
            let (gate, reason, numbers) = (gate.clone(), reason.to_owned(), numbers.to_vec());
            self.unshown = Some(Judged { gate, verdict, reason, numbers });
            return;
        }
        let other = self.unshown.take().filter(|unshown| unshown.gate != *gate);
        if let Some(Judged { gate, verdict, reason, numbers }) = other {
            self.verdict(at, &gate, verdict, &reason, &numbers);
        }
        self.shown = Some(judged);
        self.repeated_at = Some(at);
        self.verdict(at, gate, verdict, reason, numbers);
    }

    fn verdict(
        &mut self,
        at: Timestamp,
        gate: &Gate,
        verdict: Verdict,
        reason: &str,
        numbers: &[Measure],
    ) {
        let mark = match verdict {
            Verdict::Pass => self.good(),
            Verdict::Fail => self.bad(),
            Verdict::Inconclusive => ("?", Ink::Careful),
        };
        let label = gate.to_string();
        // Sentences tell why; where all is well, the numbers tell more at a glance.
        let is_well = verdict == Verdict::Pass && *gate == Gate::Analysis;
        let numbers = if is_well { brief::numbers(numbers) } else { String::new() };
        let words = if numbers.is_empty() { reason } else { numbers.as_str() };
        self.entry(at, mark, &label, words);
    }

    fn hold(&mut self, at: Timestamp, why: &str, left: Option<Duration>) {
        let until = match left {
            Some(left) => format!("for at most {} more", brief::seconds(left)),
            None => "until that is over".to_owned(),
        };
        let holding = if left.is_some() { Holding::Gate } else { Holding::Other(why.to_owned()) };
        if self.holding.as_ref() != Some(&holding) {
            self.holding = Some(holding);
            self.repeated_at = Some(at);
            let limit = match left {
                Some(left) => format!("until {} at most", brief::clock(at + left)),
                None => "until that is over".to_owned(),
            };
            // Why stands in the line above, when a gate said it.
            let is_told = left.is_some()
                && self.shown.as_ref().is_some_and(|it| it.verdict == Verdict::Inconclusive);
            let words =
                if is_told { format!("waits {limit}") } else { format!("{why}; waits {limit}") };
            self.entry(at, self.careful(), "holding", &words);
        }
        self.draw(at, &format!("holding {until}: {why}"));
        self.repeat(at, "holding", &until);
    }

    /// Where lines stay: says now and then that it still goes on.
    fn repeat(&mut self, at: Timestamp, label: &str, words: &str) {
        let since = self.repeated_at.get_or_insert(at);
        if self.look.live || crate::clock::since(*since, at) < REPEAT_EVERY {
            return;
        }
        self.repeated_at = Some(at);
        if let Some(Judged { gate, verdict, reason, numbers }) = self.unshown.take() {
            self.verdict(at, &gate, verdict, &reason, &numbers);
        }
        let words = text::truncate(words, 54, self.look.ellipsis());
        self.entry(at, (self.sign("·", "."), Ink::Quiet), label, &words);
    }

    fn ended(&mut self, ended: &Ended) {
        let Ended { release, took, went_live, turned_back, .. } = ended;
        let look = self.look.clone();
        let took = brief::span(*took);
        let mut lines = match (turned_back, ended.exit) {
            (Some((environment, _)), _) => {
                let heading = format!("{} Turned back in {environment}", self.bad().0);
                format!("\n{}: {release}, after {took}\n", look.paint(Ink::Bad, &heading))
            }
            (None, Exit::Passed) => {
                let places = went_live.join(", ");
                let heading = format!("{} Promoted", self.good().0);
                format!("\n{} {release} to {places} in {took}\n", look.paint(Ink::Good, &heading))
            }
            (None, _) => {
                let heading = format!("{} Stopped", self.careful().0);
                format!(
                    "\n{} on the way of {release}, after {took}\n",
                    look.paint(Ink::Careful, &heading)
                )
            }
        };
        if let Some((_, reason)) = turned_back {
            let room = look.measure().saturating_sub(12);
            for (index, line) in text::wrap(&text::block(reason.as_bytes(), false), room).iter().enumerate()
            {
                let label = if index == 0 { "because" } else { "" };
                lines += &format!("  {label:<9} {line}\n");
            }
        }
        for record in &ended.records {
            lines += &format!("  {:<9} {record}\n", "record");
        }
        if let (None, Some(last)) = (turned_back, went_live.last()) {
            lines += &format!("  {:<9} cargo xtask rollback --env {last}\n", "go back");
        }
        self.print(&lines);
    }
}

impl Follower for Terminal {
    fn on(&mut self, at: Timestamp, told: &Told<'_>) {
        match told {
            Told::Plan(plan) => {
                let of =
                    |it: &EnvironmentPlan| (it.name.clone(), (it.rollout.clone(), it.live.clone()));
                self.plans = plan.environments.iter().map(of).collect();
                let text = plan_text(&self.look, plan);
                self.print(&text);
            }
            Told::Rollout { environment, event } => self.event(at, environment, event),
            Told::Stopped { environment, rollout, reason } => {
                self.is_asking = false;
                self.entry(at, self.careful(), "stopped", reason);
                if let Some(rollout) = rollout {
                    let lines = format!(
                        "  Rollout {rollout} stays where it is until one of these:\n    \
                         cargo xtask promote --resume\n    \
                         cargo xtask rollback --env {environment}\n"
                    );
                    self.print(&lines);
                }
            }
            Told::Warning(warning) => {
                self.entry(at, ("!", Ink::Careful), "warning", warning);
            }
            Told::Ended(ended) => self.ended(ended),
        }
    }
}

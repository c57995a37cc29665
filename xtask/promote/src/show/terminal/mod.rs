//! A promotion on a terminal or in a log, in 80 columns: one line a move, and below them, where the
//! screen can do that, one line that changes.

mod end;
mod event;
mod gate;

use super::{Follower, Told, brief, plan_text};
use crate::journal::RolloutPlan;
use crate::plan::EnvironmentPlan;
use config::{Gate, ShiftStep};
use gate::{Holding, Judged, Shown};
use jiff::Timestamp;
use release::ReleaseId;
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
        let (look, room) = (&self.look, self.room());
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

    /// Columns of an entry's text.
    fn room(&self) -> usize {
        self.look.measure().saturating_sub(BEFORE).max(20)
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

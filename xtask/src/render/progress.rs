//! The lines of a run that goes on: a step starts, a step ended.

use super::live::millis;
use super::look::{Ink, Look, ink_of};
use super::text;
use crate::pipeline::event::StepHead;
use report::{Outcome, Status};
use std::time::Duration;

/// A step's name is cut to this many columns.
const NAME_COLUMNS: usize = 24;
/// Columns of the time, as wide as `12m 05s` and `skipped`.
const TIME_COLUMNS: usize = 7;
/// On a wider screen a line still ends here: longer ones are hard to read.
const MOST_COLUMNS: usize = 120;

/// What a run's renderer remembers of its steps: their heads, and when those that run started.
#[derive(Debug, Default)]
pub struct Progress {
    pub heads: Vec<StepHead>,
    started: Vec<Option<Duration>>,
}

impl Progress {
    pub fn begin(&mut self, heads: &[StepHead]) {
        self.heads = heads.to_vec();
        self.started = vec![None; heads.len()];
    }

    /// The name of a step, made safe.
    pub fn name(&self, step: usize) -> String {
        self.heads.get(step).map(|head| text::line(head.name.as_bytes())).unwrap_or_default()
    }

    /// `· test starts, took 40.0s last time`; remembers when.
    pub fn start(&mut self, look: &Look, step: usize, at: Duration, attempt: u32) -> String {
        if let Some(started) = self.started.get_mut(step) {
            *started = Some(at);
        }
        let mut line =
            format!("{} {} starts", if look.unicode { "·" } else { "." }, self.name(step));
        if let Some(expected) = self.heads.get(step).and_then(|head| head.expected) {
            line.push_str(&format!(", took {} last time", text::duration(millis(expected))));
        }
        if attempt > 1 {
            line.push_str(&format!(", attempt {attempt}"));
        }
        look.paint(Ink::Quiet, &text::truncate(&line, look.columns, look.ellipsis()))
    }

    /// `✓ lint      12.1s  no findings`
    pub fn finish(&self, look: &Look, step: usize, at: Duration, outcome: &Outcome) -> String {
        let names = (0..self.heads.len()).map(|step| text::width(&self.name(step)));
        let columns = names.max().unwrap_or(0).min(NAME_COLUMNS);
        let name = text::truncate(&self.name(step), columns, look.ellipsis());
        let is_allowed = self.heads.get(step).is_some_and(|head| head.allow_failure);
        let time = match outcome.status {
            _ if outcome.replayed => "cached".to_owned(),
            Status::Skipped => "skipped".to_owned(),
            _ => {
                let started = self.started.get(step).copied().flatten();
                let ran = started.map(|started| millis(at.saturating_sub(started)));
                text::duration(ran.unwrap_or(outcome.duration_ms))
            }
        };
        let time = format!("{time:>TIME_COLUMNS$}");
        let time = if outcome.replayed { look.paint(Ink::Accent, &time) } else { time };
        let sign = look.sign(outcome.status, is_allowed);
        let sign = look.paint(ink_of(outcome.status, is_allowed), sign);
        let used = 2 + columns + 2 + TIME_COLUMNS + 2;
        let room = look.columns.min(MOST_COLUMNS).saturating_sub(used);
        let summary = text::line(outcome.summary.as_bytes());
        let summary = text::truncate(&summary, room, look.ellipsis());
        format!("{sign} {}  {time}  {summary}", text::pad(&name, columns)).trim_end().to_owned()
    }
}

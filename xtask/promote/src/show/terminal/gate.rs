//! What gates say, and what is waited for.

use super::{Terminal, brief};
use crate::journal::Verdict;
use config::Gate;
use jiff::Timestamp;
use report::Measure;
use screen::look::Ink;
use screen::text;
use std::time::Duration;

/// Between two lines that say that nothing has changed, where lines stay.
const REPEAT_EVERY: Duration = Duration::from_secs(30);

/// A gate's verdict that is on the screen.
#[derive(Debug, PartialEq)]
pub struct Shown {
    pub gate: Gate,
    pub verdict: Verdict,
}

/// What is waited for: a gate, whatever it says meanwhile, or the end of something else.
#[derive(Debug, PartialEq, Eq)]
pub enum Holding {
    Gate,
    Other(String),
}

/// What a gate said.
#[derive(Debug)]
pub struct Judged {
    pub gate: Gate,
    pub verdict: Verdict,
    pub reason: String,
    pub numbers: Vec<Measure>,
}

impl Terminal {
    /// What a gate said last, when its line was not printed.
    pub(super) fn last_word(&mut self, at: Timestamp) {
        if let Some(Judged { gate, verdict, reason, numbers }) = self.unshown.take() {
            self.verdict(at, &gate, verdict, &reason, &numbers);
        }
    }

    pub(super) fn judged(
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
        if self.unshown.as_ref().is_some_and(|unshown| unshown.gate != *gate) {
            self.last_word(at);
        }
        self.unshown = None;
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

    pub(super) fn hold(&mut self, at: Timestamp, why: &str, left: Option<Duration>) {
        let until = match left {
            Some(left) => format!("for at most {} more", brief::seconds(left)),
            None => "until that is over".to_owned(),
        };
        let holding = if left.is_some() { Holding::Gate } else { Holding::Other(why.to_owned()) };
        if self.holding.as_ref() != Some(&holding) {
            self.holding = Some(holding);
            self.repeated_at = Some(at);
            let limit = match left {
                Some(left) => format!("until {} at most", crate::clock::until(at + left, at)),
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
    pub(super) fn repeat(&mut self, at: Timestamp, label: &str, words: &str) {
        let since = self.repeated_at.get_or_insert(at);
        if self.look.live || crate::clock::since(*since, at) < REPEAT_EVERY {
            return;
        }
        self.repeated_at = Some(at);
        self.last_word(at);
        let words = text::truncate(words, self.room(), self.look.ellipsis());
        self.entry(at, (self.sign("·", "."), Ink::Quiet), label, &words);
    }
}

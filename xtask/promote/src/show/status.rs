//! Environments as they are now.

use super::brief;
use crate::clock;
use crate::edges::EdgeView;
use crate::view::{EnvironmentView, RolloutView};
use jiff::Timestamp;
use screen::look::{Ink, Look};
use screen::text;

/// Columns of what a line is about.
const LABEL: usize = 10;

/// Lines of one thing.
const MAX_LINES: usize = 3;

/// All of them, in the columns of the screen. `is_log`: lines stay, so nothing that changes by the second is
/// shown.
pub fn status_text(look: &Look, views: &[EnvironmentView], now: Timestamp, is_log: bool) -> String {
    let pages: Vec<String> = views.iter().map(|view| one(look, view, now, is_log)).collect();
    pages.join("\n")
}

fn one(look: &Look, view: &EnvironmentView, now: Timestamp, is_log: bool) -> String {
    let mut page = Page { look, text: String::new() };
    let live = match &view.live {
        Some(live) => format!("live: {live}"),
        None => "nothing is live".to_owned(),
    };
    page.text += &format!("{}  {live}\n", look.paint(Ink::Strong, &view.name));
    if let Some(frozen) = &view.frozen {
        let words = format!("by {} since {}: {}", frozen.who, minute(&frozen.at), frozen.reason);
        page.line("frozen", Ink::Careful, &words);
    }
    if let Some(candidate) = &view.candidate {
        let words = format!("{}, {} of the traffic", candidate.release, candidate.share);
        page.line("candidate", Ink::Accent, &words);
    }
    if let Some(rollout) = &view.rollout {
        page.rollout(rollout, now, is_log);
    }
    if let Some(waits_for) = &view.waits_for {
        page.line("waits for", Ink::Careful, waits_for);
    }
    if let Some(moved_by) = &view.moved_by {
        // Renewed every ten seconds.
        let until = match is_log {
            true => String::new(),
            false => format!(", until {} unless renewed", until(&moved_by.until, now)),
        };
        page.line("moved by", Ink::Quiet, &format!("{}{until}", moved_by.holder));
    }
    if let Some(previous) = &view.previous {
        page.line("go back to", Ink::Quiet, previous.as_str());
    }
    if view.edges.is_empty() {
        let start = format!("none is running; `cargo xtask edge --env {}` starts one", view.name);
        page.line("edge", Ink::Careful, &start);
    }
    for edge in &view.edges {
        page.edge(edge, view.generation);
    }
    page.text
}

struct Page<'a> {
    look: &'a Look,
    text: String,
}

impl Page<'_> {
    fn line(&mut self, label: &str, ink: Ink, words: &str) {
        let room = self.look.measure().saturating_sub(LABEL + 4).max(20);
        let words = text::block(words.as_bytes(), false);
        let lines = brief::lines(&words, room, MAX_LINES, self.look.ellipsis());
        for (index, line) in lines.iter().enumerate() {
            let label = text::pad(if index == 0 { label } else { "" }, LABEL);
            self.text += &format!("  {}  {line}\n", self.look.paint(ink, &label));
        }
    }

    fn rollout(&mut self, rollout: &RolloutView, now: Timestamp, is_log: bool) {
        let since = rollout.since.parse::<Timestamp>().ok();
        let ago = match since {
            Some(since) if !rollout.is_over && !is_log => {
                format!(" ({})", brief::seconds(clock::since(since, now)))
            }
            _ => String::new(),
        };
        let RolloutView { id, phase, .. } = rollout;
        let since = minute(&rollout.since);
        if rollout.is_over {
            let why = rollout.reason.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
            let words = format!("{id}, over: {phase} at {since}{why}");
            return self.line("rollout", Ink::Quiet, &words);
        }
        let words = format!("{id} of {}: {phase} since {since}{ago}", rollout.release);
        self.line("rollout", Ink::Accent, &words);
    }

    fn edge(&mut self, edge: &EdgeView, generation: u64) {
        if let Some(problem) = &edge.problem {
            let words = format!("{} does not answer: {problem}", edge.listen);
            return self.line("edge", Ink::Bad, &words);
        }
        let releases: Vec<String> = edge
            .releases
            .iter()
            .map(|(id, release)| {
                let name = release.role.as_deref().unwrap_or(id);
                let why = release.reason.as_deref().map(|why| format!(" ({why})"));
                let restarts = match release.restarts {
                    0 => String::new(),
                    times => format!(", its server started anew {times} times"),
                };
                format!("{name} {}{}{restarts}", release.state, why.unwrap_or_default())
            })
            .collect();
        let is_behind = edge.generation.is_none_or(|seen| seen < generation);
        let behind = if is_behind { "; does not follow the routing yet" } else { "" };
        let releases =
            if releases.is_empty() { "no release".to_owned() } else { releases.join(", ") };
        let ink = if is_behind { Ink::Careful } else { Ink::Good };
        self.line(
            "edge",
            ink,
            &format!("{} (process {}): {releases}{behind}", edge.listen, edge.pid),
        );
    }
}

/// `2026-11-23 09:15:02` of a time in RFC 3339.
fn minute(time: &str) -> String {
    time.get(..19).unwrap_or(time).replace('T', " ")
}

/// `09:15:02`, with the day where that is another.
fn until(time: &str, now: Timestamp) -> String {
    time.parse().map_or_else(|_| time.to_owned(), |at| clock::until(at, now))
}

//! What a rollback by hand came to.

use super::brief;
use crate::commands::Followed;
use crate::journal::RolloutId;
use crate::rollback::RolledBack;
use release::ReleaseId;
use screen::look::{Ink, Look};
use serde_json::{Value, json};

/// A rollback that was done.
#[derive(Debug)]
pub struct GoneBack<'a> {
    pub environment: &'a str,
    pub done: &'a RolledBack,
    /// The rollout that it ended.
    pub rollout: Option<RolloutId>,
    pub followed: Followed,
    /// That rollout's record.
    pub record: Option<String>,
}

/// A few lines for a person at night.
pub fn gone_back_text(look: &Look, back: &GoneBack<'_>) -> String {
    let GoneBack { environment, done, rollout, followed, record } = back;
    let name = |release: &Option<ReleaseId>| {
        release.as_ref().map_or_else(|| "nothing".to_owned(), ToString::to_string)
    };
    let sign = if look.unicode { "✓" } else { "+" };
    let heading = format!("{sign} Rolled back {environment}");
    let mut text = format!("{}\n", look.paint(Ink::Good, &heading));
    let mut line = |label: &str, words: &str| text += &format!("  {label:<9} {words}\n");
    line("from", &name(&done.from));
    line("to", &name(&done.to));
    line("took", &format!("{} until the routing was written", brief::span(done.took)));
    match followed {
        Followed::After(took) => {
            line("edges", &format!("all of them follow, {} after the command", brief::span(*took)));
        }
        Followed::NoEdge => {
            line("edges", "none is running; one that starts serves it");
            line("", &format!("cargo xtask edge --env {environment}"));
        }
        Followed::NotYet(why) => line("edges", &format!("NOT ALL FOLLOW YET: {why}")),
    }
    if let Some(rollout) = rollout {
        line("ended", &format!("rollout {rollout}"));
    }
    if let Some(record) = record {
        line("record", record);
    }
    text
}

impl GoneBack<'_> {
    /// The object of `--format json`.
    pub fn json(&self) -> Value {
        let ms = |span: std::time::Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        let (followed_ms, problem) = match &self.followed {
            Followed::After(took) => (Some(ms(*took)), None),
            Followed::NoEdge => (None, None),
            Followed::NotYet(why) => (None, Some(why)),
        };
        json!({
            "version": super::LINES_VERSION,
            "event": "rolled-back",
            "environment": self.environment,
            "from": self.done.from,
            "to": self.done.to,
            "generation": self.done.generation,
            "took_ms": ms(self.done.took),
            "edges_followed_ms": followed_ms,
            "edges_problem": problem,
            "ended_rollout": self.rollout,
            "record": self.record,
        })
    }
}

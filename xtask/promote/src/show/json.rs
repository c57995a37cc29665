//! A promotion as JSON lines, one object for each thing that happened. The format is told in
//! docs/src/reference/promotion.md.

use super::{Follower, Told};
use crate::clock;
use crate::rollout::Event;
use jiff::Timestamp;
use screen::Screen;
use serde_json::{Value, json};
use std::time::Duration;

/// Version of the lines' format.
pub const LINES_VERSION: u32 = 1;

/// Between two lines that say that a wait goes on.
const REPEAT_EVERY: Duration = Duration::from_secs(1);

/// Writes a line for each thing that happens.
#[derive(Debug)]
pub struct JsonLines {
    screen: Screen,
    repeated_at: Option<Timestamp>,
}

impl JsonLines {
    pub fn new(screen: Screen) -> JsonLines {
        JsonLines { screen, repeated_at: None }
    }
}

impl Follower for JsonLines {
    fn on(&mut self, at: Timestamp, told: &Told<'_>) {
        let is_wait = matches!(
            told,
            Told::Rollout {
                event: Event::Watching { .. } | Event::Holding { .. } | Event::Loading(_),
                ..
            }
        );
        if is_wait {
            if self.repeated_at.is_some_and(|last| clock::since(last, at) < REPEAT_EVERY) {
                return;
            }
            self.repeated_at = Some(at);
        } else {
            self.repeated_at = None;
        }
        let mut line = line(told);
        if let Value::Object(line) = &mut line {
            line.insert("version".to_owned(), LINES_VERSION.into());
            line.insert("at".to_owned(), clock::text(at).into());
        }
        // Nobody that reads is no reason to stop a rollout.
        self.screen.show(&format!("{line}\n")).ok();
    }
}

fn line(told: &Told<'_>) -> Value {
    match told {
        Told::Plan(plan) => json!({ "event": "plan", "plan": plan }),
        Told::Rollout { environment, event } => {
            let mut line = of_event(event);
            if let Value::Object(line) = &mut line {
                line.insert("environment".to_owned(), (*environment).into());
            }
            line
        }
        Told::Stopped { environment, rollout, reason } => json!({
            "event": "stopped", "environment": environment, "rollout": rollout, "reason": reason,
        }),
        Told::Warning(message) => json!({ "event": "warning", "message": message }),
        Told::Ended(ended) => json!({
            "event": "ended",
            "release": ended.release,
            "exit_code": ended.exit.code(),
            "went_live": ended.went_live,
            "turned_back": ended.turned_back.as_ref().map(|(environment, reason)| json!({
                "environment": environment, "reason": reason,
            })),
            "took_ms": ms(ended.took),
            "records": ended.records,
        }),
    }
}

fn of_event(event: &Event<'_>) -> Value {
    match event {
        Event::Began { rollout, release, from, plan } => json!({
            "event": "began", "rollout": rollout, "release": release, "from": from, "plan": plan,
        }),
        Event::Resumed { rollout, release, phase, from } => json!({
            "event": "resumed", "rollout": rollout, "release": release, "phase": phase,
            "taken_over_from": from,
        }),
        Event::Uploaded(uploaded) => json!({
            "event": "uploaded", "new_files": uploaded.new_files, "new_bytes": uploaded.new_bytes,
            "known_files": uploaded.known_files,
        }),
        Event::BackingUp { command } => json!({ "event": "backing-up", "command": command }),
        Event::BackedUp { said, took } => json!({
            "event": "backed-up", "said": said, "took_ms": ms(*took),
        }),
        Event::Moved(phase) => json!({ "event": "moved", "to": phase }),
        Event::Loading(took) => json!({ "event": "loading", "took_ms": ms(*took) }),
        Event::GateBegan(gate) => json!({ "event": "gate-began", "gate": gate }),
        Event::GateJudged { gate, verdict, reason, numbers } => json!({
            "event": "gate-judged", "gate": gate, "verdict": verdict, "reason": reason,
            "numbers": numbers,
        }),
        Event::Watching { share, passed, watch, last } => json!({
            "event": "watching", "share": share, "passed_ms": ms(*passed), "watch_ms": ms(*watch),
            "last": last,
        }),
        Event::Holding { why, left } => json!({
            "event": "holding", "why": why, "left_ms": left.map(ms),
        }),
        Event::TurningBack { reason } => json!({ "event": "turning-back", "reason": reason }),
        Event::Completed { took } => json!({ "event": "completed", "took_ms": ms(*took) }),
        Event::TurnedBack { reason, took } => json!({
            "event": "turned-back", "reason": reason, "took_ms": ms(*took),
        }),
    }
}

fn ms(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

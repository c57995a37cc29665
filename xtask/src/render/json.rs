//! JSON lines: one object for every event, for machines that follow a run while it happens.
//!
//! The fields are described in `docs/src/reference/report.md` and its schema, versioned by
//! [`report::SCHEMA_VERSION`].

use super::Renderer;
use super::screen::Screen;
use crate::pipeline::event::{Event, StepHead};
use report::SCHEMA_VERSION;
use serde_json::{Value, json};

/// Writes one JSON object a line.
pub struct Json {
    out: Screen,
    names: Vec<String>,
}

impl Json {
    pub fn new(out: Screen) -> Json {
        Json { out, names: Vec::new() }
    }

    fn object(&self, event: &Event<'_>) -> Value {
        let name = |step: usize| self.names.get(step).map(String::as_str);
        match event {
            Event::RunStarted { project, run, steps } => json!({
                "version": SCHEMA_VERSION,
                "event": "run-started",
                "project": project,
                "run": run,
                "steps": steps.iter().map(head).collect::<Vec<_>>(),
            }),
            Event::StepStarted { step, at, attempt } => json!({
                "version": SCHEMA_VERSION,
                "event": "step-started",
                "step": name(*step),
                "at_ms": millis(*at),
                "attempt": attempt,
            }),
            Event::StepOutput { step, line } => json!({
                "version": SCHEMA_VERSION,
                "event": "step-output",
                "step": name(*step),
                "line": String::from_utf8_lossy(line),
            }),
            Event::StepFinished { step, at, outcome, output } => json!({
                "version": SCHEMA_VERSION,
                "event": "step-finished",
                "step": name(*step),
                "at_ms": millis(*at),
                "outcome": outcome,
                "output_bytes": output.bytes.len() as u64 + output.omitted_bytes,
                "output_omitted_bytes": output.omitted_bytes,
            }),
            Event::Warning { message } => json!({
                "version": SCHEMA_VERSION,
                "event": "warning",
                "message": message,
            }),
            Event::Interrupted { signal } => json!({
                "version": SCHEMA_VERSION,
                "event": "interrupted",
                "signal": signal,
            }),
            Event::RunFinished { report } => json!({
                "version": SCHEMA_VERSION,
                "event": "run-finished",
                "report": report,
            }),
        }
    }
}

impl Renderer for Json {
    fn on(&mut self, event: &Event<'_>) -> anyhow::Result<()> {
        if let Event::RunStarted { steps, .. } = event {
            self.names = steps.iter().map(|step| step.name.clone()).collect();
        }
        let mut line = serde_json::to_string(&self.object(event))?;
        line.push('\n');
        Ok(self.out.show(&line)?)
    }
}

fn head(step: &StepHead) -> Value {
    json!({
        "name": step.name,
        "needs": step.needs,
        "expected_ms": step.expected.map(millis),
        "allow_failure": step.allow_failure,
    })
}

fn millis(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;

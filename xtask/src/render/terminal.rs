//! A run on a terminal: live lines while steps run, one line for each that ended, and at the end
//! what failed, the table and the verdict. Plain lines where nothing can be redrawn.

use super::Renderer;
use super::closing::{self, Kept};
use super::live::{Live, Running};
use super::look::{Ink, Look};
use super::progress::Progress;
use super::screen::Screen;
use super::text;
use crate::pipeline::event::Event;
use report::{Report, Status};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Shows a run to a person.
pub struct Terminal {
    screen: Screen,
    look: Look,
    /// Takes the screen's size again, which may change while steps run.
    measured: fn(Look) -> Look,
    /// Where the HTML report will be, as it is shown.
    report_path: String,
    begun: Instant,
    progress: Progress,
    running: Vec<Running>,
    live: Live,
    /// Output of the steps that failed, by name: shown in full at the end.
    failed: BTreeMap<String, Kept>,
}

impl Terminal {
    pub fn new(
        screen: Screen,
        look: Look,
        measured: fn(Look) -> Look,
        report_path: String,
    ) -> Terminal {
        Terminal {
            screen,
            look,
            measured,
            report_path,
            begun: Instant::now(),
            progress: Progress::default(),
            running: Vec::new(),
            live: Live::default(),
            failed: BTreeMap::new(),
        }
    }

    /// Adds lines for good, above the live ones.
    fn print(&mut self, lines: &str) -> anyhow::Result<()> {
        if !self.look.live {
            return Ok(self.screen.show(lines)?);
        }
        self.look = (self.measured)(self.look.clone());
        let frame = self.live.frame(&self.look, lines, &self.running, self.begun.elapsed());
        Ok(self.screen.show(&frame)?)
    }

    fn start(&mut self, step: usize, at: Duration, attempt: u32) -> anyhow::Result<()> {
        let line = self.progress.start(&self.look, step, at, attempt);
        if !self.look.live {
            return self.print(&format!("{line}\n"));
        }
        self.running.retain(|running| running.step != step);
        let expected = self.progress.heads.get(step).and_then(|head| head.expected);
        self.running.push(Running {
            step,
            name: self.progress.name(step),
            started: at,
            expected,
            attempt,
            last_line: Vec::new(),
        });
        self.print("")
    }

    fn finish(&mut self, report: &Report) -> anyhow::Result<()> {
        self.running.clear();
        let look = &self.look;
        let mut end = closing::failures(look, report, |name| self.failed.get(name));
        end.push('\n');
        end.push_str(&closing::table(look, report));
        end.push('\n');
        end.push_str(&closing::verdict(look, report, &self.report_path));
        self.print(&end)
    }
}

impl Renderer for Terminal {
    fn on(&mut self, event: &Event<'_>) -> anyhow::Result<()> {
        match event {
            Event::RunStarted { steps, .. } => {
                self.begun = Instant::now();
                self.progress.begin(steps);
                Ok(())
            }
            Event::StepStarted { step, at, attempt } => self.start(*step, *at, *attempt),
            Event::StepOutput { step, line } => {
                if let Some(running) = self.running.iter_mut().find(|r| r.step == *step)
                    && !line.trim_ascii().is_empty()
                {
                    running.wrote(line);
                }
                Ok(())
            }
            Event::StepFinished { step, at, outcome, output } => {
                let line = self.progress.finish(&self.look, *step, *at, outcome) + "\n";
                self.running.retain(|running| running.step != *step);
                if outcome.status == Status::Failed
                    && let Some(head) = self.progress.heads.get(*step)
                {
                    let kept =
                        Kept { bytes: output.bytes.to_vec(), omitted_bytes: output.omitted_bytes };
                    self.failed.insert(head.name.clone(), kept);
                }
                // Only counted at the end: they would bury what caused them.
                if outcome.status == Status::Cancelled { self.print("") } else { self.print(&line) }
            }
            Event::Warning { message } => {
                let warning = self.look.paint(Ink::Careful, "warning");
                let message = text::line(message.as_bytes());
                self.print(&format!("{warning}: {message}\n"))
            }
            Event::Interrupted { signal } => {
                let number = text::count(self.running.len(), "step");
                let ending = if self.look.live && !self.running.is_empty() {
                    format!("ending {number}; once more to kill")
                } else {
                    "ending the steps; once more to kill".to_owned()
                };
                let word = self.look.paint(Ink::Careful, "interrupted");
                self.print(&format!("{word} by {signal}, {ending}\n"))
            }
            Event::RunFinished { report } => self.finish(report),
        }
    }

    fn tick(&mut self) -> anyhow::Result<()> {
        if self.look.live && !self.running.is_empty() { self.print("") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests;

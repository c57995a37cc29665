//! A run in a log of GitHub Actions.
//!
//! A passed step is one flat group (groups do not nest); a failed one is in none, because people
//! should not have to open what they came for. What the steps wrote never reaches the runner as a
//! command. Annotations come before the failed steps' output, so that the output stands last.

mod annotations;
mod command;
mod summary;

use super::Renderer;
use super::closing::{self, Kept};
use super::finding;
use super::look::{Ink, Look};
use super::progress::Progress;
use super::screen::Screen;
use super::text;
use crate::pipeline::event::{Event, Output};
use anyhow::Context;
use command::{command, inert, quoted};
use report::{Outcome, Report, Status};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// GitHub refuses a step's summary beyond 1 MiB.
const SUMMARY_BYTES: u64 = 1024 * 1024;

/// The files that GitHub reads after a workflow step.
#[derive(Debug, Clone, Default)]
pub struct Files {
    pub summary: Option<PathBuf>,
    pub output: Option<PathBuf>,
}

impl Files {
    /// As the environment of this process names them.
    pub fn of_environment() -> Files {
        let path = |name| std::env::var_os(name).filter(|p| !p.is_empty()).map(PathBuf::from);
        Files { summary: path("GITHUB_STEP_SUMMARY"), output: path("GITHUB_OUTPUT") }
    }
}

/// Shows a run in a log of GitHub Actions.
pub struct Github {
    screen: Screen,
    look: Look,
    report_path: String,
    files: Files,
    progress: Progress,
    failed: BTreeMap<String, Kept>,
    /// The runner's own warnings that became annotations.
    warnings: usize,
}

/// The runner's own warnings that become annotations: half of what GitHub keeps. The rest are lines.
const RUNNER_WARNINGS: usize = annotations::MOST_OF_A_LEVEL / 2;

impl Github {
    pub fn new(screen: Screen, look: Look, report_path: String, files: Files) -> Github {
        Github {
            screen,
            look,
            report_path,
            files,
            progress: Progress::default(),
            failed: BTreeMap::new(),
            warnings: 0,
        }
    }

    /// The line that a terminal shows; a passed step's output, findings and measures go into a
    /// group under it.
    fn ended(&self, step: usize, at: Duration, outcome: &Outcome, output: Output<'_>) -> String {
        let line = |look: &Look| self.progress.finish(look, step, at, outcome);
        if outcome.status != Status::Passed {
            return inert(&line(&self.look)) + "\n";
        }
        let title = line(&Look { color: false, ..self.look.clone() });
        let mut inside = text::block(output.bytes, self.look.color);
        inside.push_str(&finding::findings(&self.look, &outcome.findings));
        for measure in &outcome.measures {
            inside.push_str(&finding::measure(&self.look, measure, 0));
        }
        command("group", &[], &title) + &quoted(&inside) + &command("endgroup", &[], "")
    }

    fn finish(&mut self, report: &Report) -> anyhow::Result<()> {
        let look = &self.look;
        let mut end = closing::failures(look, report, |name| self.failed.get(name));
        end.push('\n');
        end.push_str(&closing::table(look, report));
        end.push('\n');
        end.push_str(&closing::verdict(look, report, &self.report_path));
        let annotations = annotations::annotations(report, self.warnings);
        // Nobody is left to tell what fails after the end.
        let complaints: String = [self.summarize(report), self.set_outputs(report)]
            .into_iter()
            .filter_map(Result::err)
            .map(|error| warning(&format!("{error:#}")))
            .collect();
        self.screen.show(&(annotations + &complaints + &quoted(&end)))?;
        Ok(())
    }

    fn summarize(&self, report: &Report) -> anyhow::Result<()> {
        let Some(path) = &self.files.summary else { return Ok(()) };
        let there = std::fs::metadata(path).map_or(0, |metadata| metadata.len());
        let room = usize::try_from(SUMMARY_BYTES.saturating_sub(there))?;
        append(path, &summary::summary(report, &self.report_path, room))
    }

    fn set_outputs(&self, report: &Report) -> anyhow::Result<()> {
        let Some(path) = &self.files.output else { return Ok(()) };
        append(path, &outputs(report, &self.report_path))
    }
}

impl Renderer for Github {
    fn on(&mut self, event: &Event<'_>) -> anyhow::Result<()> {
        let shown = match event {
            Event::RunStarted { steps, .. } => {
                self.progress.begin(steps);
                return Ok(());
            }
            Event::StepStarted { step, at, attempt } => {
                inert(&self.progress.start(&self.look, *step, *at, *attempt)) + "\n"
            }
            Event::StepOutput { .. } => return Ok(()),
            Event::StepFinished { step, at, outcome, output } => {
                if outcome.status == Status::Failed
                    && let Some(head) = self.progress.heads.get(*step)
                {
                    let bytes = output.bytes.to_vec();
                    let kept = Kept { bytes, omitted_bytes: output.omitted_bytes };
                    self.failed.insert(head.name.clone(), kept);
                }
                if outcome.status == Status::Cancelled {
                    return Ok(());
                }
                self.ended(*step, *at, outcome, *output)
            }
            Event::Warning { message } if self.warnings < RUNNER_WARNINGS => {
                self.warnings += 1;
                warning(message)
            }
            Event::Warning { message } => {
                let word = self.look.paint(Ink::Careful, "warning");
                inert(&format!("{word}: {}", text::line(message.as_bytes()))) + "\n"
            }
            Event::Interrupted { signal } => {
                let word = self.look.paint(Ink::Careful, "interrupted");
                inert(&format!("{word} by {signal}, ending the steps")) + "\n"
            }
            Event::RunFinished { report } => return self.finish(report),
        };
        Ok(self.screen.show(&shown)?)
    }
}

/// A warning of the runner itself, as an annotation.
fn warning(message: &str) -> String {
    command("warning", &[("title", "xtask".to_owned())], &text::line(message.as_bytes()))
}

/// The outputs of the workflow step, `name<<TOKEN` with the value between.
fn outputs(report: &Report, report_path: &str) -> String {
    let first = report.first_failure().map(|step| step.name.clone()).unwrap_or_default();
    [
        ("status", report.status.to_string()),
        ("run", report.run.clone()),
        ("first-failure", first),
        ("passed", report.count(Status::Passed).to_string()),
        ("failed", report.count(Status::Failed).to_string()),
        ("cached", report.replayed().to_string()),
        ("report", report_path.to_owned()),
    ]
    .into_iter()
    .map(|(name, value)| {
        let token = command::token();
        format!("{name}<<{token}\n{value}\n{token}\n")
    })
    .collect()
}

fn append(path: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .with_context(|| format!("failed to append to {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::fixture::{self, Paper};
    use proptest::prelude::*;

    fn log(report: &Report, outputs: &BTreeMap<String, Kept>, files: Files) -> String {
        let paper = Paper::default();
        let look = fixture::look();
        let mut github = Github::new(paper.screen(), look, "report.html".to_owned(), files);
        fixture::tell(report, outputs, &mut github).unwrap();
        paper.text()
    }

    /// The names of the commands that GitHub's runner would carry out.
    fn commands(log: &str) -> Vec<String> {
        let mut active = Vec::new();
        let mut stopped: Option<String> = None;
        for line in log.split(['\n', '\r']) {
            let line = line.trim_start();
            if let Some(token) = &stopped {
                if line == format!("::{token}::") {
                    stopped = None;
                }
            } else if let Some((head, data)) =
                line.strip_prefix("::").and_then(|rest| rest.split_once("::"))
            {
                let name = head.split(' ').next().unwrap_or_default();
                if name == "stop-commands" {
                    stopped = Some(data.to_owned());
                }
                active.push(name.to_owned());
            } else if line.contains("##[") {
                active.push("##".to_owned());
            }
        }
        assert_eq!(stopped, None, "commands were never resumed");
        active
    }

    fn redacted(log: &str) -> String {
        let mut redacted = log.to_owned();
        while let Some(start) = redacted.find("slipway-") {
            redacted.replace_range(start..start + 40, "TOKEN");
        }
        redacted
    }

    #[test]
    fn a_failed_run() {
        let shown = log(&fixture::failed(), &fixture::outputs(), Files::default());
        insta::assert_snapshot!(redacted(&shown));
    }

    #[test]
    fn summary_and_outputs_are_appended() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files {
            summary: Some(folder.path().join("summary")),
            output: Some(folder.path().join("output")),
        };
        std::fs::write(folder.path().join("summary"), "before\n").unwrap();
        log(&fixture::failed(), &fixture::outputs(), files);
        let summary = std::fs::read_to_string(folder.path().join("summary")).unwrap();
        assert!(summary.starts_with("before\n### ✗ beacon: failed"));
        let output = std::fs::read_to_string(folder.path().join("output")).unwrap();
        insta::assert_snapshot!(redacted(&output));
    }

    #[test]
    fn annotations_keep_the_limits_and_spread_over_the_steps() {
        let mut report = fixture::failed();
        let many = |name: &str| {
            (0..30).map(|i| report::Finding::error(name, format!("{i}"))).collect::<Vec<_>>()
        };
        report.steps[1].outcome.findings = many("a");
        report.steps[2].outcome.findings = many("b");
        let shown = log(&report, &BTreeMap::new(), Files::default());
        let errors: Vec<&str> = shown.lines().filter(|l| l.starts_with("::error")).collect();
        assert_eq!(errors.len(), 10);
        assert_eq!(errors[0], "::error title=lint%3A a::0");
        assert_eq!(errors[1], "::error title=test%3A b::0");
    }

    #[test]
    fn the_runners_own_warnings_count_too() {
        let paper = Paper::default();
        let path = |name: &str| Some(PathBuf::from(format!("/proc/no-such-folder/{name}")));
        let files = Files { summary: path("summary"), output: path("output") };
        let mut github =
            Github::new(paper.screen(), fixture::look(), "report.html".to_owned(), files);
        for number in 0..20 {
            github.on(&Event::Warning { message: &format!("number {number}") }).unwrap();
        }
        let mut report = fixture::failed();
        report.steps[0].outcome.findings =
            (0..20).map(|i| report::Finding::warning("a", format!("{i}"))).collect();
        github.on(&Event::RunFinished { report: &report }).unwrap();
        let shown = paper.text();
        assert_eq!(shown.lines().filter(|line| line.starts_with("::warning")).count(), 10 + 2);
        assert!(shown.contains("\nwarning: number 19"), "{shown}");
        assert!(shown.contains("::failed to append to /proc/no-such-folder/summary"), "{shown}");
    }

    proptest! {
        #[test]
        fn nothing_foreign_is_a_command(
            text in "([ \t\r\n\u{2028}]{0,2}(::(error|set-env|add-mask|stop-commands)( file=a)?::|##\\[(error|group)\\])\\PC{0,8}){0,4}",
            bytes: Vec<u8>,
        ) {
            let ours = ["group", "endgroup", "stop-commands", "error", "warning", "notice"];
            let (report, _) = fixture::filled_with(&text);
            let bytes = [text.as_bytes(), &bytes, text.as_bytes()].concat();
            let outputs = [(text.clone(), Kept { bytes, omitted_bytes: 0 })].into();
            let mut expected = 0;
            for command in commands(&log(&report, &outputs, Files::default())) {
                prop_assert!(ours.contains(&command.as_str()), "{command}");
                expected += usize::from(command == "error");
            }
            prop_assert!(expected <= 10);
        }
    }
}

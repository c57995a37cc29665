//! Annotations: findings shown on the lines that they are about.
//!
//! GitHub keeps 10 errors, 10 warnings and 10 notices of a workflow step, which here is a whole run,
//! and drops the rest silently. So the most telling ones are chosen: each step's first, then each
//! step's second, and so on, the first cause before all others.

use super::command::command;
use crate::render::text;
use report::{Finding, Level, Place, Report, Status, StepReport};

/// Annotations of one level that GitHub keeps of a workflow step.
pub const MOST_OF_A_LEVEL: usize = 10;

/// The annotations of a run, as commands, beside so many warnings that are told already.
pub fn annotations(report: &Report, told_warnings: usize) -> String {
    let room = MOST_OF_A_LEVEL.saturating_sub(told_warnings);
    [("error", MOST_OF_A_LEVEL), ("warning", room), ("notice", MOST_OF_A_LEVEL)]
        .into_iter()
        .map(|(word, most)| of_word(report, word, most))
        .collect()
}

fn of_word(report: &Report, wanted: &str, most: usize) -> String {
    let first = report.first_failure().map(|step| step.name.as_str());
    let mut chosen: Vec<((usize, bool), String)> = Vec::new();
    for step in &report.steps {
        let is_later = Some(step.name.as_str()) != first;
        let of_step =
            step.outcome.findings.iter().filter(|finding| word(finding.level, step) == wanted);
        let before = chosen.len();
        for (index, finding) in of_step.take(MOST_OF_A_LEVEL).enumerate() {
            chosen.push(((index, is_later), annotation(step, finding)));
        }
        // A step that failed without a finding, as a crash does, is told as a whole.
        let is_told = chosen.len() > before;
        let is_failed = step.outcome.status == Status::Failed;
        if is_failed && word(Level::Error, step) == wanted && !is_told {
            chosen.push(((0, is_later), whole(step)));
        }
    }
    chosen.sort_by_key(|(rank, _)| *rank);
    chosen.into_iter().take(most).map(|(_, annotation)| annotation).collect()
}

fn annotation(step: &StepReport, finding: &Finding) -> String {
    let mut properties = vec![("title", format!("{}: {}", name(step), finding.rule))];
    let mut message = text::block(finding.message.as_bytes(), false);
    match &finding.place {
        Some(Place::File { path, line, column, end_line }) => {
            properties.push(("file", path.clone()));
            properties.extend(line.map(|line| ("line", line.to_string())));
            properties.extend(end_line.map(|line| ("endLine", line.to_string())));
            properties.extend(column.map(|column| ("col", column.to_string())));
        }
        Some(Place::Url { url }) => message.insert_str(0, &format!("{url}: ")),
        None => {}
    }
    for (label, detail) in [("help", &finding.help), ("see", &finding.url)] {
        if let Some(detail) = detail {
            message.push_str(&format!("{label}: {}", text::block(detail.as_bytes(), false)));
        }
    }
    command(word(finding.level, step), &properties, message.trim_end())
}

fn whole(step: &StepReport) -> String {
    let title = format!("{} failed", name(step));
    let mut message = text::line(step.outcome.summary.as_bytes());
    if message.is_empty() {
        message = format!("exit {}", step.outcome.exit_code);
    }
    command(word(Level::Error, step), &[("title", title)], &message)
}

/// An error of a step that may fail is shown as a warning: it does not stop anyone.
fn word(level: Level, step: &StepReport) -> &'static str {
    match level {
        Level::Error if !step.allow_failure => "error",
        Level::Error | Level::Warning => "warning",
        Level::Note => "notice",
    }
}

fn name(step: &StepReport) -> String {
    text::line(step.name.as_bytes())
}

//! The end of a run as text: each failed step's own output in full, the first cause last of them,
//! the table of all steps, and the verdict.

use super::finding;
use super::look::{Ink, Look, ink_of};
use super::text;
use report::{Level, Report, Status, StepReport};

/// Columns that a step's name may take in the table.
const NAME_COLUMNS: usize = 24;
/// Columns that it takes at least: as wide as the heading.
const MIN_NAME_COLUMNS: usize = 4;
/// Columns of the status, as wide as `cancelled`.
const STATUS_COLUMNS: usize = 9;
/// Columns of the time, as wide as `12m 05s`.
const TIME_COLUMNS: usize = 7;

/// A step's captured output, kept until the end of the run.
#[derive(Debug, Clone, Default)]
pub struct Kept {
    pub bytes: Vec<u8>,
    pub omitted_bytes: u64,
}

/// The failed steps, each with its own output in full and its findings; the first cause comes last,
/// where people look. `output` gives what a step wrote, by its name.
pub fn failures<'a>(
    look: &Look,
    report: &Report,
    output: impl Fn(&str) -> Option<&'a Kept>,
) -> String {
    let first = report.first_failure().map(|step| step.name.as_str());
    let mut failed: Vec<&StepReport> =
        report.steps.iter().filter(|step| step.outcome.status == Status::Failed).collect();
    failed.sort_by_key(|step| {
        (Some(step.name.as_str()) == first, !step.allow_failure, std::cmp::Reverse(step.end_ms))
    });
    let is_one_of_many = failed.len() > 1;
    failed
        .into_iter()
        .map(|step| {
            let is_first = is_one_of_many && Some(step.name.as_str()) == first;
            failure(look, step, is_first, output(&step.name))
        })
        .collect()
}

fn failure(look: &Look, step: &StepReport, is_first: bool, output: Option<&Kept>) -> String {
    let mut shown = String::from("\n");
    shown.push_str(&heading(look, step, is_first));
    if let Some(output) = output {
        shown.push_str(&text::block(&output.bytes, look.color));
        if look.color && output.bytes.contains(&0x1b) {
            shown.push_str("\u{1b}[0m");
        }
        if output.omitted_bytes > 0 {
            let size = report::Unit::Bytes.show(output.omitted_bytes as f64);
            let note = format!("({size} in the middle of this output were left out)\n");
            shown.push_str(&look.paint(Ink::Quiet, &note));
        }
    }
    let troubles = finding::troubles(look, &step.outcome);
    if !troubles.is_empty() && output.is_some_and(|output| !output.bytes.is_empty()) {
        shown.push('\n');
    }
    shown.push_str(&troubles);
    shown
}

/// `─── lint failed after 12.1s, the first cause: 2 errors ─────`
fn heading(look: &Look, step: &StepReport, is_first: bool) -> String {
    let name = text::line(step.name.as_bytes());
    let time = text::duration(step.end_ms.saturating_sub(step.start_ms));
    let mut title = format!("{name} failed after {time}");
    if is_first {
        title.push_str(", the first cause");
    }
    let summary = summary(step);
    if !summary.is_empty() {
        title.push_str(&format!(": {summary}"));
    }
    let rule = look.rule();
    let short = text::truncate(&title, look.measure() - 8, look.ellipsis());
    let rest = look.measure().saturating_sub(text::width(&short) + 5);
    let ink = ink_of(Status::Failed, step.allow_failure);
    let mut heading =
        look.paint(ink, &format!("{} {short} {}", rule.repeat(3), rule.repeat(rest))) + "\n";
    let reason = text::line(step.outcome.summary.as_bytes());
    if !short.contains(&reason) {
        // Often it is all that there is to say why.
        for line in text::wrap(&reason, look.measure()) {
            heading.push_str(&(line + "\n"));
        }
    }
    heading
}

/// The table of the steps: status, time, summary; cancelled ones share a line, because they only
/// hide what caused them. No line is wider than 80 columns.
pub fn table(look: &Look, report: &Report) -> String {
    let names = report.steps.iter().map(|step| text::width(&text::line(step.name.as_bytes())));
    let beside = 2 + 2 + STATUS_COLUMNS + 2 + TIME_COLUMNS + 2;
    let most = look.measure().saturating_sub(beside).clamp(MIN_NAME_COLUMNS, NAME_COLUMNS);
    let columns = names.max().unwrap_or(0).clamp(MIN_NAME_COLUMNS, most);
    let head = format!(
        "  {}  {}  {:>TIME_COLUMNS$}  summary",
        text::pad("step", columns),
        text::pad("status", STATUS_COLUMNS),
        "time"
    );
    let head = text::truncate(&head, look.measure(), "");
    let mut table = look.paint(Ink::Quiet, &head) + "\n";
    let (cancelled, others): (Vec<&StepReport>, Vec<&StepReport>) =
        report.steps.iter().partition(|step| step.outcome.status == Status::Cancelled);
    for step in others {
        table.push_str(&row(look, step, columns));
    }
    if !cancelled.is_empty() {
        let names: Vec<String> =
            cancelled.iter().map(|step| text::line(step.name.as_bytes())).collect();
        let sign = look.sign(Status::Cancelled, false);
        let line = format!("{sign} {} cancelled: {}", cancelled.len(), names.join(", "));
        let line = text::truncate(&line, look.measure(), look.ellipsis());
        table.push_str(&(look.paint(Ink::Quiet, &line) + "\n"));
    }
    table
}

fn row(look: &Look, step: &StepReport, columns: usize) -> String {
    let status = step.outcome.status;
    let ink = ink_of(status, step.allow_failure);
    let word = if step.outcome.replayed { "cached".to_owned() } else { status.to_string() };
    let time = match status {
        Status::Skipped => String::new(),
        _ if step.attempts == 0 && !step.outcome.replayed => String::new(),
        _ => text::duration(step.end_ms.saturating_sub(step.start_ms)),
    };
    let name = text::truncate(&text::line(step.name.as_bytes()), columns, look.ellipsis());
    let used = 2 + columns + 2 + STATUS_COLUMNS + 2 + TIME_COLUMNS + 2;
    let room = look.measure().saturating_sub(used);
    let line = format!(
        "{} {}  {}  {time:>TIME_COLUMNS$}  {}",
        look.paint(ink, look.sign(status, step.allow_failure)),
        text::pad(&name, columns),
        look.paint(ink, &text::pad(&word, STATUS_COLUMNS)),
        text::truncate(&summary(step), room, look.ellipsis()),
    );
    line.trim_end().to_owned() + "\n"
}

/// A step's summary in one line, with its warnings counted and an allowed failure marked.
pub fn summary(step: &StepReport) -> String {
    let mut parts = vec![text::line(step.outcome.summary.as_bytes())];
    let warnings = step.outcome.count(Level::Warning);
    if step.outcome.status == Status::Passed && warnings > 0 {
        parts.push(text::count(warnings, "warning"));
    }
    if step.outcome.status == Status::Failed && parts[0].is_empty() {
        parts.push(finding::tally(&step.outcome));
    }
    if step.outcome.status == Status::Failed && step.allow_failure {
        parts.push("allowed to fail".to_owned());
    }
    if step.attempts > 1 {
        parts.push(format!("{} attempts", step.attempts));
    }
    parts.retain(|part| !part.is_empty());
    parts.join(", ")
}

/// Warnings of the runner, the critical path with what would have shortened it, and the verdict.
/// `report_path` is empty when the run leaves no page.
pub fn verdict(look: &Look, report: &Report, report_path: &str) -> String {
    let mut shown = String::new();
    for warning in &report.warnings {
        let warning = text::line(warning.as_bytes());
        shown.push_str(&labelled(look, Ink::Careful, "warning", &warning));
    }
    // An interrupted run has a longest path too, but nobody asks what would have shortened it.
    let is_whole = report.status != Status::Cancelled;
    if is_whole && !report.critical_path.is_empty() {
        shown.push_str(&labelled(look, Ink::Quiet, "critical path", &critical_path(look, report)));
    }
    if is_whole && let Some(advice) = &report.advice {
        let advice = text::line(advice.as_bytes());
        shown.push_str(&labelled(look, Ink::Quiet, "advice", &advice));
    }
    let report_path = text::line(report_path.as_bytes());
    if !report_path.is_empty() {
        shown.push_str(&labelled(look, Ink::Quiet, "report", &report_path));
    }
    if let Some(first) = report.first_failure() {
        let name = text::line(first.name.as_bytes());
        let summary = summary(first);
        let mut cause = if summary.is_empty() { name } else { format!("{name}: {summary}") };
        let errors = first.outcome.findings.iter().filter(|f| f.level == Level::Error);
        if let Some(place) = errors.filter_map(|finding| finding.place.as_ref()).next() {
            cause.push_str(&format!(", first at {}", text::line(place.to_string().as_bytes())));
        }
        shown.push_str(&labelled(look, Ink::Bad, "first cause", &cause));
    }
    let ink = match report.status {
        Status::Passed => Ink::Good,
        Status::Failed => Ink::Bad,
        Status::Skipped | Status::Cancelled => Ink::Careful,
    };
    shown + &labelled(look, ink, &report.status.to_string(), &totals(report))
}

/// `9 steps in 44.1s, 3 from the cache (12.0s saved)`.
pub fn totals(report: &Report) -> String {
    let total = text::count(report.steps.len(), "step");
    let failed = report.count(Status::Failed);
    let mut totals = if failed > 0 { format!("{failed} of {total}") } else { total };
    totals.push_str(&format!(" in {}", text::duration(report.duration_ms)));
    let replayed = report.replayed();
    if replayed > 0 {
        let saved = report.steps.iter().filter(|step| step.outcome.replayed);
        let saved = saved.map(|step| step.outcome.duration_ms).sum();
        let saved = text::duration(saved);
        totals.push_str(&format!(", {replayed} from the cache ({saved} saved)"));
    }
    for status in [Status::Skipped, Status::Cancelled] {
        let number = report.count(status);
        if number > 0 {
            totals.push_str(&format!(", {number} {status}"));
        }
    }
    totals
}

/// `build 31.0s → e2e 12.0s, together 43.0s of 44.1s`.
pub fn critical_path(look: &Look, report: &Report) -> String {
    let on_path: Vec<&StepReport> = report
        .critical_path
        .iter()
        .filter_map(|name| report.steps.iter().find(|step| step.name == *name))
        .collect();
    let time = |step: &StepReport| step.end_ms.saturating_sub(step.start_ms);
    let parts: Vec<String> = on_path
        .iter()
        .map(|step| format!("{} {}", text::line(step.name.as_bytes()), text::duration(time(step))))
        .collect();
    let sum = text::duration(on_path.iter().map(|step| time(step)).sum());
    let total = text::duration(report.duration_ms);
    format!("{}, together {sum} of {total}", parts.join(&format!(" {} ", look.arrow())))
}

/// A label and a text behind it, wrapped within the screen and indented under itself.
fn labelled(look: &Look, ink: Ink, label: &str, value: &str) -> String {
    const LABEL_COLUMNS: usize = 13;
    let room = look.measure().saturating_sub(LABEL_COLUMNS + 2);
    let mut shown = String::new();
    for (index, line) in text::wrap(value, room.max(1)).into_iter().enumerate() {
        let label = if index == 0 { label } else { "" };
        let label = look.paint(ink, &text::pad(label, LABEL_COLUMNS));
        shown.push_str(format!("{label}  {line}").trim_end());
        shown.push('\n');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;
    use proptest::prelude::*;

    fn end(look: &Look, report: &Report) -> String {
        let outputs = fixture::outputs();
        let mut end = failures(look, report, |name| outputs.get(name));
        end.push_str(&table(look, report));
        end.push_str(&verdict(look, report, "target/xtask/runs/20261123-084312-4711/report.html"));
        end
    }

    #[test]
    fn a_run_that_passed() {
        insta::assert_snapshot!(end(&fixture::look(), &fixture::passed()));
    }

    #[test]
    fn a_summary_too_long_for_its_heading_is_shown_in_full() {
        let mut report = fixture::failed();
        let words = "one reason after another ".repeat(6) + "and the last";
        for step in &mut report.steps {
            step.outcome.summary.clone_from(&words);
        }
        let shown = failures(&fixture::look(), &report, |_| None);
        let whole = shown.split_whitespace().collect::<Vec<_>>().join(" ");
        let failed = report.steps.iter().filter(|step| step.outcome.status == Status::Failed);
        assert_eq!(whole.matches(&words).count(), failed.count(), "{shown}");
    }

    #[test]
    fn a_run_that_failed() {
        insta::assert_snapshot!(end(&fixture::look(), &fixture::failed()));
    }

    #[test]
    fn an_interrupted_run_in_ascii_and_colour() {
        let look = Look { color: true, unicode: false, ..fixture::look() };
        insta::assert_snapshot!(end(&look, &fixture::interrupted()).replace('\u{1b}', "ESC"));
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_the_screen(text in "\\PC{0,120}", columns in 30usize..200) {
            let (report, _) = fixture::filled_with(&text);
            let look = Look { columns, ..fixture::look() };
            let shown = table(&look, &report) + &verdict(&look, &report, "report.html");
            for line in shown.lines() {
                prop_assert!(text::width(line) <= columns.min(80), "{line:?}");
            }
        }
    }
}

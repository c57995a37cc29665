//! The job summary: what a run came to, in GitHub's Markdown.

use crate::render::closing;
use crate::render::look::{COLUMNS, Look};
use crate::render::text;
use report::{Finding, Report, Status, StepReport};

/// Findings written out in the summary; all of them stand in the HTML report.
const SHOWN_FINDINGS: usize = 50;
/// A text longer than this many columns is cut: a summary is read at a glance.
const TEXT_COLUMNS: usize = 300;

/// The summary in at most `most_bytes` bytes.
pub fn summary(report: &Report, report_path: &str, most_bytes: usize) -> String {
    let look = Look { color: false, unicode: true, columns: COLUMNS, lines: 0, live: false };
    let mut parts = vec![format!(
        "### {} {}: {}\n\n{}\n",
        look.sign(report.status, false),
        escape(&report.project),
        report.status,
        escape(&closing::totals(report))
    )];
    if let Some(first) = report.first_failure() {
        let summary = escape(&closing::summary(first));
        parts.push(format!("\n**First cause: {}** {summary}\n", escape(&first.name)));
    }
    parts.push("\n| | Step | Status | Time | Summary |\n|-|-|-|-:|-|\n".to_owned());
    parts.extend(report.steps.iter().map(|step| row(&look, step)));
    parts.extend(findings(report));
    if !report.critical_path.is_empty() {
        let path = escape(&closing::critical_path(&look, report));
        parts.push(format!("\n**Critical path** {path}\n"));
    }
    if let Some(advice) = &report.advice {
        parts.push(format!("\n{}\n", escape(advice)));
    }
    for warning in &report.warnings {
        parts.push(format!("\n⚠ {}\n", escape(warning)));
    }
    if !report_path.is_empty() {
        parts.push(format!("\nReport: {}\n", escape(report_path)));
    }
    bounded(parts, most_bytes)
}

fn row(look: &Look, step: &StepReport) -> String {
    let status = step.outcome.status;
    let word = if step.outcome.replayed { "cached".to_owned() } else { status.to_string() };
    let time = text::duration(step.end_ms.saturating_sub(step.start_ms));
    format!(
        "| {} | {} | {word} | {time} | {} |\n",
        look.sign(status, step.allow_failure),
        escape(&step.name),
        escape(&closing::summary(step)),
    )
}

/// Findings of the failed steps first, the most serious first in each.
fn findings(report: &Report) -> Vec<String> {
    let mut found: Vec<(bool, &StepReport, &Finding)> = report
        .steps
        .iter()
        .flat_map(|step| step.outcome.findings.iter().map(move |finding| (step, finding)))
        .map(|(step, finding)| (step.outcome.status != Status::Failed, step, finding))
        .collect();
    found.sort_by_key(|(is_passed, _, finding)| (*is_passed, std::cmp::Reverse(finding.level)));
    if found.is_empty() {
        return Vec::new();
    }
    let mut parts = vec!["\n#### Findings\n\n".to_owned()];
    for (_, step, finding) in found.iter().take(SHOWN_FINDINGS) {
        let place = finding.place.as_ref().map(|place| format!(" {}", escape(&place.to_string())));
        let help = finding.help.as_ref().map(|help| format!("<br>{}", escape(help)));
        parts.push(format!(
            "- **{}** {}{}: {} ({}){}\n",
            finding.level,
            escape(&step.name),
            place.unwrap_or_default(),
            escape(finding.message.lines().next().unwrap_or_default()),
            escape(&finding.rule),
            help.unwrap_or_default(),
        ));
    }
    if let Some(more) = found.len().checked_sub(SHOWN_FINDINGS).filter(|more| *more > 0) {
        parts.push(format!("- and {} more\n", text::count(more, "finding")));
    }
    parts
}

/// As many parts as fit, and a word about those that did not.
fn bounded(parts: Vec<String>, most_bytes: usize) -> String {
    const CUT: &str = "\nCut here: the rest stands in the report.\n";
    let total: usize = parts.iter().map(String::len).sum();
    if total <= most_bytes {
        return parts.concat();
    }
    let Some(room) = most_bytes.checked_sub(CUT.len()) else { return String::new() };
    let mut summary = String::new();
    for part in parts {
        if summary.len() + part.len() > room {
            break;
        }
        summary.push_str(&part);
    }
    summary + CUT
}

/// Text that Markdown and HTML leave alone, in one line.
fn escape(text: &str) -> String {
    let text = text::line(text.replace(['\n', '\r'], " ").as_bytes());
    let mut escaped = String::new();
    for c in text::truncate(&text, TEXT_COLUMNS, "…").chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            // Neither mentions nor references nor commands.
            '@' => escaped.push_str("&#64;"),
            '#' => escaped.push_str("&#35;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '(' | ')' | '|' | '~' | '!' | '$' => {
                escaped.push('\\');
                escaped.push(c);
            }
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::fixture;

    #[test]
    fn a_failed_run() {
        insta::assert_snapshot!(summary(&fixture::failed(), "report.html", 1_000_000));
    }

    #[test]
    fn a_summary_keeps_its_bound() {
        for most in [0, 10, 100, 500, 1_000, 2_000] {
            assert!(summary(&fixture::failed(), "report.html", most).len() <= most);
        }
    }

    #[test]
    fn nothing_foreign_is_markup() {
        let shown = escape("<img src=x> | **bold** [a](b) @someone #1\nnext");
        assert_eq!(
            shown,
            "&lt;img src=x&gt; \\| \\*\\*bold\\*\\* \\[a\\]\\(b\\) &#64;someone &#35;1 next"
        );
    }
}

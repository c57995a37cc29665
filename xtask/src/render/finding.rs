//! Findings and measures as lines of text, with the place first so that terminals and editors link.

use super::look::{Ink, Look, ink_of_level};
use super::text;
use report::{Finding, Level, Measure, Outcome};

/// Findings of one step that are written out; the rest is counted, and stands in the HTML report.
const SHOWN_FINDINGS: usize = 100;

/// The findings of an outcome, errors first, and its measures beyond their limits.
pub fn troubles(look: &Look, outcome: &Outcome) -> String {
    let beyond = outcome.measures.iter().filter(|measure| !measure.is_within());
    let mut shown = findings(look, &outcome.findings);
    for measure in beyond {
        shown.push_str(&self::measure(look, measure, 0));
    }
    shown
}

/// Findings, the most serious first and otherwise as they came.
pub fn findings(look: &Look, findings: &[Finding]) -> String {
    let mut sorted: Vec<&Finding> = findings.iter().collect();
    sorted.sort_by_key(|finding| std::cmp::Reverse(finding.level));
    let mut shown: String =
        sorted.iter().take(SHOWN_FINDINGS).map(|finding| one(look, finding)).collect();
    if let Some(more) = sorted.len().checked_sub(SHOWN_FINDINGS).filter(|more| *more > 0) {
        shown.push_str(&format!("and {} more\n", text::count(more, "finding")));
    }
    shown
}

/// `src/a.rs:3:5: error: message [rule]`, then the message's further lines, help and address.
fn one(look: &Look, finding: &Finding) -> String {
    let message = text::block(finding.message.as_bytes(), false);
    let mut lines = message.lines();
    let place = finding.place.as_ref().map(|place| text::line(place.to_string().as_bytes()));
    let mut shown = place.map(|p| look.paint(Ink::Strong, &p) + ": ").unwrap_or_default();
    shown.push_str(&look.paint(ink_of_level(finding.level), &finding.level.to_string()));
    shown.push_str(&format!(": {}", lines.next().unwrap_or_default()));
    let rule = text::line(finding.rule.as_bytes());
    if !rule.is_empty() {
        shown.push(' ');
        shown.push_str(&look.paint(Ink::Quiet, &format!("[{rule}]")));
    }
    shown.push('\n');
    for line in lines {
        shown.push_str(&format!("    {line}\n"));
    }
    for (label, detail) in [("help", &finding.help), ("see", &finding.url)] {
        let Some(detail) = detail else { continue };
        let detail = text::block(detail.as_bytes(), false);
        let label = look.paint(Ink::Accent, label);
        shown.push_str(&format!("  {label}: {}\n", detail.trim_end().replace('\n', "\n    ")));
    }
    shown
}

/// A measure's line: name, value and limit, marked when it is beyond. `columns` pads the name.
pub fn measure(look: &Look, measure: &Measure, columns: usize) -> String {
    let name = text::pad(&text::line(measure.name.as_bytes()), columns);
    let value = measure.unit.show(measure.value);
    match &measure.limit {
        None => format!("{name}  {value}\n"),
        Some(limit) => {
            let (word, bound) = match limit {
                report::Limit::Max(max) => ("at most", *max),
                report::Limit::Min(min) => ("at least", *min),
            };
            let bound = measure.unit.show(bound);
            if measure.is_within() {
                format!("{name}  {value} ({word} {bound})\n")
            } else {
                let value = look.paint(Ink::Bad, &value);
                let mark = look.paint(Ink::Bad, "beyond its limit");
                format!("{name}  {value}, {mark} ({word} {bound})\n")
            }
        }
    }
}

/// `2 errors, 1 warning`; empty when there is neither.
pub fn tally(outcome: &Outcome) -> String {
    let beyond = outcome.measures.iter().filter(|measure| !measure.is_within()).count();
    [
        (outcome.count(Level::Error), "error"),
        (outcome.count(Level::Warning), "warning"),
        (beyond, "measure beyond its limit"),
    ]
    .into_iter()
    .filter(|(number, _)| *number > 0)
    .map(|(number, thing)| match thing {
        "measure beyond its limit" if number > 1 => format!("{number} measures beyond limits"),
        thing => text::count(number, thing),
    })
    .collect::<Vec<_>>()
    .join(", ")
}

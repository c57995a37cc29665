//! The outcome of one step that a person ran by hand.

use super::finding;
use super::look::{Ink, Look, ink_of};
use super::screen::Screen;
use super::text;
use super::{Color, Reader};
use report::Outcome;

/// Measures that are written out; a site may have one for each of its files.
const SHOWN_MEASURES: usize = 100;

/// Shows what a step came to on standard output: findings, measures, artifacts, closing line.
///
/// # Errors
/// When standard output cannot be written; a closed pipe is no error.
pub fn single(name: &str, outcome: &Outcome) -> anyhow::Result<()> {
    let look = Look::of_stdout(Reader::Person, Color::Auto);
    Ok(Screen::stdout().show(&shown(&look, name, outcome))?)
}

fn shown(look: &Look, name: &str, outcome: &Outcome) -> String {
    let mut shown = finding::findings(look, &outcome.findings);
    let names = outcome.measures.iter().map(|m| text::width(&text::line(m.name.as_bytes())));
    let columns = names.max().unwrap_or(0).min(look.measure() / 2);
    let mut measures: Vec<_> = outcome.measures.iter().collect();
    measures.sort_by_key(|measure| measure.is_within());
    for measure in measures.iter().take(SHOWN_MEASURES) {
        shown.push_str(&finding::measure(look, measure, columns));
    }
    if let Some(more) = measures.len().checked_sub(SHOWN_MEASURES).filter(|more| *more > 0) {
        shown.push_str(&format!("and {} more\n", text::count(more, "measure")));
    }
    for artifact in &outcome.artifacts {
        let name = text::line(artifact.name.as_bytes());
        let path = text::line(artifact.path.as_bytes());
        shown.push_str(&format!("{}: {path}\n", look.paint(Ink::Quiet, &name)));
    }
    if !shown.is_empty() {
        shown.push('\n');
    }
    let ink = ink_of(outcome.status, false);
    let summary = text::line(outcome.summary.as_bytes());
    let tally = finding::tally(outcome);
    let said = if summary.is_empty() { tally } else { summary };
    let mut closing =
        format!("{} {}", look.sign(outcome.status, false), text::line(name.as_bytes()));
    closing.push_str(&format!(" {}", outcome.status));
    shown.push_str(&look.paint(ink, &closing));
    if outcome.duration_ms > 0 {
        shown.push_str(&format!(" in {}", text::duration(outcome.duration_ms)));
    }
    if !said.is_empty() {
        shown.push_str(&format!(": {said}"));
    }
    shown + "\n"
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    #[test]
    fn one_step_by_hand() {
        let report = fixture::failed();
        let shown =
            report.steps.iter().map(|step| shown(&fixture::look(), &step.name, &step.outcome));
        insta::assert_snapshot!(shown.collect::<Vec<_>>().join("\n"));
    }
}

//! The run as JUnit XML, which every CI server reads: a suite for each step, a failed test case for
//! each finding that is an error and each measure beyond its limit.
//!
//! There is no specification; this is the common ground of the Ant task and Jenkins' schema
//! (jenkinsci/xunit-plugin, `junit-10.xsd`).

use super::text;
use report::{Finding, Level, Place, Report, Status, StepReport};
use std::fmt::Write;

/// The document.
pub fn document(report: &Report) -> String {
    let suites: Vec<Suite> = report.steps.iter().map(suite).collect();
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(
        xml,
        "<testsuites name=\"{}\" tests=\"{}\" failures=\"{}\" skipped=\"{}\" time=\"{}\">",
        escape(&report.project),
        suites.iter().map(|suite| suite.cases.len()).sum::<usize>(),
        suites.iter().map(|suite| suite.count("failure")).sum::<usize>(),
        suites.iter().map(|suite| suite.count("skipped")).sum::<usize>(),
        seconds(report.duration_ms),
    );
    for suite in &suites {
        let _ = writeln!(
            xml,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\" \
             timestamp=\"{}\" time=\"{}\">",
            escape(&suite.step.name),
            suite.cases.len(),
            suite.count("failure"),
            suite.count("skipped"),
            escape(report.started_at.trim_end_matches('Z')),
            seconds(suite.step.outcome.duration_ms),
        );
        for case in &suite.cases {
            case.write(&suite.step.name, &mut xml);
        }
        xml.push_str("  </testsuite>\n");
    }
    xml + "</testsuites>\n"
}

struct Suite<'a> {
    step: &'a StepReport,
    cases: Vec<Case>,
}

impl Suite<'_> {
    fn count(&self, verdict: &str) -> usize {
        self.cases.iter().filter(|case| case.verdict == Some(verdict)).count()
    }
}

/// A test case: passed when `verdict` is none, else the element that says what became of it.
struct Case {
    name: String,
    file: Option<String>,
    line: Option<u32>,
    time_ms: u64,
    verdict: Option<&'static str>,
    kind: String,
    message: String,
    detail: String,
}

fn suite(step: &StepReport) -> Suite<'_> {
    let outcome = &step.outcome;
    let errors = outcome.findings.iter().filter(|finding| finding.level == Level::Error);
    let mut cases: Vec<Case> = errors.map(failed).collect();
    cases.extend(outcome.measures.iter().filter(|measure| measure.limit.is_some()).map(
        |measure| {
            let is_within = measure.is_within();
            Case {
                verdict: (!is_within).then_some("failure"),
                kind: "limit".to_owned(),
                message: measure.to_string(),
                ..Case::named(&measure.name)
            }
        },
    ));
    let is_told = cases.iter().any(|case| case.verdict.is_some());
    // A step is a case of its own, so that no suite is empty; it fails when nothing else tells it.
    let verdict = match outcome.status {
        Status::Failed if !is_told => Some("failure"),
        Status::Skipped | Status::Cancelled => Some("skipped"),
        Status::Passed | Status::Failed => None,
    };
    if outcome.status != Status::Failed || verdict.is_some() {
        let message = if outcome.summary.is_empty() {
            outcome.status.to_string()
        } else {
            outcome.summary.clone()
        };
        cases.push(Case {
            verdict,
            time_ms: outcome.duration_ms,
            kind: "step".to_owned(),
            message,
            ..Case::named(&step.name)
        });
    }
    Suite { step, cases }
}

fn failed(finding: &Finding) -> Case {
    let (file, line) = match &finding.place {
        Some(Place::File { path, line, .. }) => (Some(path.clone()), *line),
        Some(Place::Url { .. }) | None => (None, None),
    };
    let place = finding.place.as_ref().map(ToString::to_string);
    let first = finding.message.lines().next().unwrap_or_default();
    let mut detail = finding.message.clone();
    for (label, more) in [("at", &place), ("help", &finding.help), ("see", &finding.url)] {
        if let Some(more) = more {
            let _ = write!(detail, "\n{label}: {more}");
        }
    }
    let name = match &place {
        Some(place) => format!("{} at {place}", finding.rule),
        None => format!("{}: {first}", finding.rule),
    };
    Case {
        file,
        line,
        verdict: Some("failure"),
        kind: finding.rule.clone(),
        message: first.to_owned(),
        detail,
        ..Case::named(&name)
    }
}

impl Case {
    fn named(name: &str) -> Case {
        Case {
            name: name.to_owned(),
            file: None,
            line: None,
            time_ms: 0,
            verdict: None,
            kind: String::new(),
            message: String::new(),
            detail: String::new(),
        }
    }

    fn write(&self, step: &str, xml: &mut String) {
        let _ = write!(
            xml,
            "    <testcase classname=\"{}\" name=\"{}\"",
            escape(step),
            escape(&self.name)
        );
        if let Some(file) = &self.file {
            let _ = write!(xml, " file=\"{}\"", escape(file));
        }
        if let Some(line) = self.line {
            let _ = write!(xml, " line=\"{line}\"");
        }
        let _ = write!(xml, " time=\"{}\"", seconds(self.time_ms));
        let message = escape(&self.message);
        let _ = match self.verdict {
            None => writeln!(xml, "/>"),
            Some("skipped") => {
                writeln!(xml, ">\n      <skipped message=\"{message}\"/>\n    </testcase>")
            }
            Some(verdict) => writeln!(
                xml,
                ">\n      <{verdict} message=\"{message}\" type=\"{}\">{}</{verdict}>\n    \
                 </testcase>",
                escape(&self.kind),
                escape(&self.detail)
            ),
        };
    }
}

fn seconds(ms: u64) -> String {
    format!("{}.{:03}", ms / 1_000, ms % 1_000)
}

/// Text as XML 1.0 can hold it, in an element or an attribute: control sequences and the characters
/// that XML forbids (section 2.2) are left out.
fn escape(text: &str) -> String {
    let text = text::block(text.as_bytes(), false);
    let mut escaped = String::with_capacity(text.len());
    for c in text.trim_end_matches('\n').chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push_str("&#10;"),
            '\t' => escaped.push_str("&#9;"),
            '\u{fffe}' | '\u{ffff}' => {}
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::fixture;
    use proptest::prelude::*;

    #[test]
    fn a_failed_run() {
        insta::assert_snapshot!(document(&fixture::failed()));
    }

    proptest! {
        #[test]
        fn always_well_formed(text in any::<String>(), more in "(\\]\\]>|<!\\[CDATA\\[|&lt;|\"|\u{1b}\\[1m|\u{ffff}|\u{0}){0,4}") {
            let text = text + &more;
            let (report, _) = fixture::filled_with(&text);
            let xml = document(&report);
            let parsed = roxmltree::Document::parse(&xml).unwrap();
            let suites: Vec<_> =
                parsed.descendants().filter(|node| node.has_tag_name("testsuite")).collect();
            prop_assert_eq!(suites.len(), report.steps.len());
            let failures =
                parsed.descendants().filter(|node| node.has_tag_name("failure")).count();
            let declared = parsed.root_element().attribute("failures").unwrap();
            prop_assert_eq!(declared, failures.to_string());
        }
    }
}

//! The findings as SARIF 2.1.0 (OASIS, `sarif-v2.1.0-os`), as code scanning reads them.
//!
//! One run with one tool, because GitHub takes one upload for a tool and category. Its fingerprints
//! leave line numbers out, so that a finding stays the same when lines above it move.

use report::{Finding, Place, Report, StepReport};
use serde_json::{Value, json};
use std::collections::HashMap;

/// GitHub keeps the first 5,000 results of a run; errors come first.
const MOST_RESULTS: usize = 5_000;

/// The document.
pub fn document(report: &Report) -> Value {
    let mut found: Vec<(&StepReport, &Finding)> = report
        .steps
        .iter()
        .flat_map(|step| step.outcome.findings.iter().map(move |finding| (step, finding)))
        .collect();
    found.sort_by_key(|(_, finding)| std::cmp::Reverse(finding.level));
    let left_out = found.len().saturating_sub(MOST_RESULTS);
    found.truncate(MOST_RESULTS);

    let mut rules = Rules::default();
    let mut seen = HashMap::new();
    let results: Vec<Value> =
        found.iter().map(|(step, finding)| result(step, finding, &mut rules, &mut seen)).collect();
    let mut invocation = json!({
        "executionSuccessful": report.exit_code == 0,
        "exitCode": report.exit_code,
        "startTimeUtc": report.started_at,
    });
    if left_out > 0 {
        let text = format!("{left_out} findings beyond the first {MOST_RESULTS} were left out");
        invocation["toolExecutionNotifications"] =
            json!([{ "level": "warning", "message": { "text": text } }]);
    }
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "slipway",
                "version": env!("CARGO_PKG_VERSION"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules.described,
            }},
            "automationDetails": { "id": format!("slipway/{}", report.run) },
            "invocations": [invocation],
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

/// The rules met so far, each with its index.
#[derive(Default)]
struct Rules {
    index: HashMap<String, usize>,
    described: Vec<Value>,
}

impl Rules {
    /// The index of a finding's rule, described by the first finding that names it.
    fn index_of(&mut self, step: &StepReport, finding: &Finding) -> usize {
        if let Some(index) = self.index.get(&finding.rule) {
            return *index;
        }
        let mut rule = json!({
            "id": finding.rule,
            "shortDescription": { "text": first_line(finding) },
            "defaultConfiguration": { "level": finding.level },
            "properties": { "tags": [step.name] },
        });
        if let Some(help) = &finding.help {
            rule["help"] = json!({ "text": help });
        }
        if let Some(url) = finding.url.as_ref().filter(|url| is_address(url)) {
            rule["helpUri"] = json!(url);
        }
        self.described.push(rule);
        self.index.insert(finding.rule.clone(), self.described.len() - 1);
        self.described.len() - 1
    }
}

fn result(
    step: &StepReport,
    finding: &Finding,
    rules: &mut Rules,
    seen: &mut HashMap<String, u32>,
) -> Value {
    let mut text = finding.message.clone();
    if let Some(help) = &finding.help {
        text.push_str(&format!("\nhelp: {help}"));
    }
    if text.trim().is_empty() {
        text.clone_from(&finding.rule);
    }
    let digest = digest(step, finding);
    // The same finding twice is told apart by its number, as code scanning's own fingerprints are.
    let number = seen.entry(digest.clone()).and_modify(|number| *number += 1).or_insert(1);
    let mut result = json!({
        "ruleId": finding.rule,
        "ruleIndex": rules.index_of(step, finding),
        "level": finding.level,
        "message": { "text": text },
        "partialFingerprints": { "primaryLocationLineHash": format!("{digest}:{number}") },
        "properties": { "step": step.name },
    });
    if let Some(place) = &finding.place {
        result["locations"] = json!([{ "physicalLocation": location(place) }]);
    }
    result
}

fn location(place: &Place) -> Value {
    match place {
        Place::Url { url } => json!({ "artifactLocation": { "uri": encode(url, KEPT_IN_URL) } }),
        Place::File { path, line, column, end_line } => {
            let uri = encode(path.trim_start_matches("./"), KEPT_IN_PATH);
            let mut location =
                json!({ "artifactLocation": { "uri": uri, "uriBaseId": "%SRCROOT%" } });
            if let Some(line) = line {
                // Lines and columns are counted from 1 (SARIF 3.30.5).
                let mut region = json!({ "startLine": (*line).max(1) });
                if let Some(column) = column {
                    region["startColumn"] = json!((*column).max(1));
                }
                if let Some(end) = end_line.filter(|end| end >= line) {
                    region["endLine"] = json!(end.max(1));
                }
                location["region"] = region;
            }
            location
        }
    }
}

/// What a finding is about, without its line: step, rule, place and first line of the message.
fn digest(step: &StepReport, finding: &Finding) -> String {
    let place = match &finding.place {
        Some(Place::File { path, .. }) => path,
        Some(Place::Url { url }) => url,
        None => "",
    };
    let parts = [step.name.as_str(), &finding.rule, place, first_line(finding)];
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize().to_hex()[..16].to_owned()
}

fn first_line(finding: &Finding) -> &str {
    let line = finding.message.lines().next().unwrap_or_default();
    if line.trim().is_empty() { &finding.rule } else { line }
}

/// What a URI may hold as it is (RFC 3986, 2.2 and 2.3) besides letters and digits; in a path of
/// ours a colon, a question mark, a hash and a percent sign are parts of a name.
const KEPT_IN_PATH: &[u8] = b"-._~/!$&'()*+,;=@";
const KEPT_IN_URL: &[u8] = b"-._~/!$&'()*+,;=@:?#[]%";

pub fn encode(text: &str, kept: &[u8]) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || kept.contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// Whether a text is an address that a person may follow.
pub fn is_address(text: &str) -> bool {
    (text.starts_with("https://") || text.starts_with("http://"))
        && !text.chars().any(|c| c.is_whitespace() || c.is_control())
}

/// The URI of a path: relative, with `/` between its parts.
pub fn path_uri(path: &str) -> String {
    encode(path, KEPT_IN_PATH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::fixture;
    use proptest::prelude::*;

    #[test]
    fn a_failed_run() {
        let mut document = document(&fixture::failed());
        document["runs"][0]["tool"]["driver"]["version"] = json!("VERSION");
        document["runs"][0]["tool"]["driver"]["semanticVersion"] = json!("VERSION");
        insta::assert_json_snapshot!(document);
    }

    #[test]
    fn the_results_are_bounded_and_errors_come_first() {
        let mut report = fixture::failed();
        let notes = (0..6_000).map(|i| Finding::note("a::b", format!("{i}")));
        report.steps[1].outcome.findings.extend(notes);
        let document = document(&report);
        let run = &document["runs"][0];
        assert_eq!(run["results"].as_array().unwrap().len(), MOST_RESULTS);
        assert_eq!(run["results"][0]["level"], "error");
        let notification = &run["invocations"][0]["toolExecutionNotifications"][0];
        assert_eq!(
            notification["message"]["text"],
            "1005 findings beyond the first 5000 were left out"
        );
    }

    #[test]
    fn a_fingerprint_survives_moved_lines_and_tells_twins_apart() {
        let finding = |line| Finding::error("a::b", "same").at(Place::line("a.rs", line));
        let hashes = |findings: Vec<Finding>| {
            let mut report = fixture::interrupted();
            report.steps[0].outcome.findings = findings;
            let document = document(&report);
            let results = document["runs"][0]["results"].as_array().unwrap().clone();
            let hash = |r: Value| r["partialFingerprints"]["primaryLocationLineHash"].clone();
            results.into_iter().map(hash).collect::<Vec<_>>()
        };
        let moved = hashes(vec![finding(3), finding(9)]);
        assert_eq!(moved, hashes(vec![finding(4), finding(20)]));
        assert_ne!(moved[0], moved[1]);
    }

    proptest! {
        #[test]
        fn uris_hold_only_what_a_uri_may(text in any::<String>()) {
            for uri in [path_uri(&text), encode(&text, KEPT_IN_URL)] {
                prop_assert!(uri.bytes().all(|byte| byte.is_ascii_graphic()));
            }
            prop_assert!(!path_uri(&text).contains([':', '?', '#', '"', '<']));
        }

        #[test]
        fn every_result_names_its_rule(text in any::<String>()) {
            let (report, _) = fixture::filled_with(&text);
            let document: Value = serde_json::from_str(&document(&report).to_string()).unwrap();
            let run = &document["runs"][0];
            for result in run["results"].as_array().unwrap() {
                let index = result["ruleIndex"].as_u64().unwrap() as usize;
                prop_assert_eq!(&run["tool"]["driver"]["rules"][index]["id"], &result["ruleId"]);
            }
        }
    }
}

//! SARIF 2.1.0 results.
//!
//! Specification: <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>. Results that
//! passed or were suppressed are no findings.

use super::{Malformed, relative};
use report::{Finding, Level, Place};
use serde::Deserialize;
use serde_json::Value;
use std::collections::HashMap;
use std::path::Path;

#[derive(Debug, Deserialize)]
struct Log {
    runs: Vec<Run>,
}

#[derive(Debug, Deserialize)]
struct Run {
    tool: Tool,
    #[serde(default)]
    results: Option<Vec<Outcome>>,
    #[serde(default, rename = "originalUriBaseIds")]
    bases: HashMap<String, Value>,
}

#[derive(Debug, Deserialize)]
struct Tool {
    driver: Driver,
}

#[derive(Debug, Deserialize)]
struct Driver {
    name: String,
    #[serde(default)]
    rules: Vec<Rule>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: String,
    help_uri: Option<String>,
    help: Option<Text>,
    default_configuration: Option<Configuration>,
    #[serde(default)]
    message_strings: HashMap<String, Text>,
}

#[derive(Debug, Deserialize)]
struct Configuration {
    level: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Text {
    text: Option<String>,
    id: Option<String>,
    #[serde(default)]
    arguments: Vec<String>,
}

/// What SARIF calls a result.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Outcome {
    rule_id: Option<String>,
    rule_index: Option<usize>,
    level: Option<String>,
    kind: Option<String>,
    #[serde(default)]
    message: Text,
    #[serde(default)]
    locations: Vec<Value>,
    #[serde(default)]
    suppressions: Vec<Value>,
}

pub(super) fn parse(root: &Path, text: &str) -> Result<Vec<Finding>, Malformed> {
    let log: Log = serde_json::from_str(text).map_err(|error| Malformed {
        message: error.to_string(),
        line: u32::try_from(error.line()).ok(),
    })?;
    let mut findings = Vec::new();
    for run in &log.runs {
        for outcome in run.results.iter().flatten() {
            findings.extend(run.finding(root, outcome));
        }
    }
    Ok(findings)
}

impl Run {
    fn finding(&self, root: &Path, outcome: &Outcome) -> Option<Finding> {
        let kind = outcome.kind.as_deref().unwrap_or("fail");
        if !outcome.suppressions.is_empty() || matches!(kind, "pass" | "notApplicable") {
            return None;
        }
        let rules = &self.tool.driver.rules;
        let rule = outcome
            .rule_index
            .and_then(|index| rules.get(index))
            .or_else(|| rules.iter().find(|rule| Some(&rule.id) == outcome.rule_id.as_ref()));
        let default = rule.and_then(|rule| rule.default_configuration.as_ref()?.level.as_deref());
        let level = match outcome.level.as_deref().or(default).unwrap_or("warning") {
            "none" => return None,
            "error" => Level::Error,
            "note" => Level::Note,
            _ => Level::Warning,
        };
        let tool = self.tool.driver.name.to_lowercase().replace(char::is_whitespace, "-");
        let id = outcome.rule_id.as_deref().or(rule.map(|rule| rule.id.as_str()));
        let id = format!("{tool}::{}", id.unwrap_or("result"));
        let mut finding = Finding::new(level, id, outcome.message.said(rule));
        finding.place = outcome.locations.first().and_then(|location| self.place(root, location));
        finding.url = rule.and_then(|rule| rule.help_uri.clone());
        finding.help = rule.and_then(|rule| rule.help.as_ref()?.text.clone());
        Some(finding)
    }

    fn place(&self, root: &Path, location: &Value) -> Option<Place> {
        let physical = location.get("physicalLocation")?;
        let artifact = physical.get("artifactLocation")?;
        let uri = artifact.get("uri")?.as_str()?;
        let base = artifact.get("uriBaseId").and_then(Value::as_str);
        let base = base.and_then(|id| self.bases.get(id)?.get("uri")?.as_str()).unwrap_or_default();
        let whole = if uri.contains("://") { uri.to_owned() } else { format!("{base}{uri}") };
        if whole.contains("://") && !whole.starts_with("file://") {
            return Some(Place::url(whole));
        }
        let path = decode(whole.strip_prefix("file://").unwrap_or(&whole));
        let region = physical.get("region");
        let number = |key: &str| {
            region.and_then(|region| region.get(key)?.as_u64()).and_then(|n| u32::try_from(n).ok())
        };
        Some(Place::File {
            path: relative(root, &path),
            line: number("startLine"),
            column: number("startColumn"),
            end_line: number("endLine").filter(|end| number("startLine").is_some_and(|s| *end > s)),
        })
    }
}

impl Text {
    /// The text, or the rule's text of that name, its placeholders `{0}` filled in.
    fn said(&self, rule: Option<&Rule>) -> String {
        let named = || rule?.message_strings.get(self.id.as_deref()?)?.text.as_deref();
        let mut text = self.text.as_deref().or_else(named).unwrap_or("no message").to_owned();
        for (index, argument) in self.arguments.iter().enumerate() {
            text = text.replace(&format!("{{{index}}}"), argument);
        }
        text
    }
}

/// Percent-decoding (RFC 3986, section 2.1); what is no escape stays.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let hex = bytes.get(at + 1..at + 3).and_then(|hex| std::str::from_utf8(hex).ok());
        let escaped = hex.filter(|_| byte == b'%').and_then(|hex| u8::from_str_radix(hex, 16).ok());
        out.push(escaped.unwrap_or(byte));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_is_a_finding_with_place_rule_and_address() {
        let text = r#"{"version": "2.1.0", "runs": [{
            "tool": {"driver": {"name": "Some Linter", "rules": [
                {"id": "R1", "helpUri": "https://example.org/R1",
                 "defaultConfiguration": {"level": "error"},
                 "messageStrings": {"m": {"text": "found {0}"}}}]}},
            "originalUriBaseIds": {"SRC": {"uri": "file:///p/"}},
            "results": [
              {"ruleIndex": 0, "message": {"id": "m", "arguments": ["it"]}, "locations": [
                {"physicalLocation": {"artifactLocation": {"uri": "src/a%20b.js", "uriBaseId": "SRC"},
                 "region": {"startLine": 3, "startColumn": 5, "endLine": 4}}}]},
              {"ruleId": "R2", "message": {"text": "as it is"}},
              {"ruleId": "R1", "message": {"text": "quiet"}, "suppressions": [{}]},
              {"ruleId": "R1", "kind": "pass", "message": {"text": "fine"}}]}]}"#;
        let found = parse(Path::new("/p"), text).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].rule.as_str(), found[0].level), ("some-linter::R1", Level::Error));
        assert_eq!(found[0].message, "found it");
        assert_eq!(found[0].place.as_ref().unwrap().to_string(), "src/a b.js:3:5");
        assert_eq!(found[0].url.as_deref(), Some("https://example.org/R1"));
        assert_eq!((found[1].level, &found[1].place), (Level::Warning, &None));
    }

    #[test]
    fn what_is_no_escape_stays() {
        assert_eq!(decode("100%/%zz/%41%"), "100%/%zz/A%");
    }
}

//! Known-vulnerable npm versions, from a retire.js repository (`jsrepository-v4.json`).
//!
//! Format and comparison of versions: <https://github.com/RetireJS/retire.js>. A component is the
//! npm package that it names, else the one of its own name.

use super::lockfile::{Entry, Locked};
use crate::acceptance::Acceptances;
use report::{Fault, Finding, Place};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::cmp::Ordering;
use std::collections::HashMap;
use std::path::Path;

/// Environment variable that names the file.
pub(crate) const VARIABLE: &str = "XTASK_JS_DB";

/// Largest repository that is read: that of 2026 has 1.3 MB.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// What is known of npm packages.
#[derive(Debug)]
pub(crate) struct JsDatabase {
    by_name: HashMap<String, Vec<Vulnerability>>,
    /// Components that could not be read, and why.
    unreadable: Vec<(String, String)>,
    shown_path: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Component {
    npmname: Option<String>,
    #[serde(default)]
    vulnerabilities: Vec<Vulnerability>,
}

/// A range of versions with something known against it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Vulnerability {
    below: String,
    at_or_above: Option<String>,
    #[serde(default)]
    excludes: Vec<String>,
    #[serde(default)]
    severity: String,
    #[serde(default)]
    identifiers: Map<String, Value>,
    #[serde(default)]
    info: Vec<String>,
}

impl JsDatabase {
    /// # Errors
    /// Exit 2 when the file is not a retire.js repository.
    pub(crate) fn load(path: &Path) -> anyhow::Result<JsDatabase> {
        let shown_path = path.display().to_string();
        let expected = "expected a retire.js repository such as jsrepository-v4.json";
        let unreadable = |error: std::io::Error| {
            Fault::usage(format!("failed to read {shown_path}: {error}; {expected}"))
        };
        let size = path.metadata().map_err(unreadable)?.len();
        if size > MAX_BYTES {
            return Err(Fault::usage(format!("{shown_path} has {size} bytes; {expected}")).into());
        }
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        let components: Map<String, Value> = serde_json::from_str(&text).map_err(|error| {
            Fault::usage(format!("{shown_path} is not a database: {error}; {expected}"))
        })?;
        let mut database =
            JsDatabase { by_name: HashMap::new(), unreadable: Vec::new(), shown_path };
        for (name, component) in components {
            match serde_json::from_value::<Component>(component) {
                Ok(component) => {
                    let name = component.npmname.unwrap_or(name);
                    database.by_name.entry(name).or_default().extend(component.vulnerabilities);
                }
                Err(error) => database.unreadable.push((name, error.to_string())),
            }
        }
        if database.len() == 0 {
            return Err(Fault::usage(format!(
                "{} holds no vulnerability; {expected}",
                database.shown_path
            ))
            .into());
        }
        Ok(database)
    }

    /// How many vulnerabilities it holds.
    pub(crate) fn len(&self) -> usize {
        self.by_name.values().map(Vec::len).sum()
    }

    /// One finding for each locked package and vulnerability that applies to it.
    pub(super) fn check(&self, locked: &Locked, acceptances: &mut Acceptances) -> Vec<Finding> {
        let routes = locked.routes();
        let mut findings = Vec::new();
        for entry in locked.installed() {
            let known = self.by_name.get(entry.name()).into_iter().flatten();
            let Some(version) = &entry.version else { continue };
            for vulnerability in known.filter(|vulnerability| vulnerability.applies(version)) {
                let route = routes.get(entry.key.as_str());
                findings.push(vulnerability.finding(entry, version, route, acceptances));
            }
        }
        let locked_names: Vec<&str> = locked.installed().map(Entry::name).collect();
        for (name, reason) in
            self.unreadable.iter().filter(|(name, _)| locked_names.contains(&name.as_str()))
        {
            acceptances.is_incomplete();
            let message =
                format!("what {} says of `{name}` could not be read: {reason}", self.shown_path);
            findings.push(
                Finding::warning("audit::unreadable-advisory", message)
                    .at(Place::file(super::LOCK_FILE)),
            );
        }
        findings
    }
}

impl Vulnerability {
    fn applies(&self, version: &str) -> bool {
        let is_from = self.at_or_above.as_ref().is_none_or(|from| compare(version, from).is_ge());
        is_from
            && compare(version, &self.below).is_lt()
            && !self.excludes.iter().any(|excluded| excluded == version)
    }

    fn finding(
        &self,
        entry: &Entry,
        version: &str,
        route: Option<&String>,
        acceptances: &mut Acceptances,
    ) -> Finding {
        let ids = self.ids();
        let rule =
            ids.first().map_or_else(|| format!("retire::{}", entry.name()), |id| (*id).to_owned());
        let summary = self
            .identifiers
            .get("summary")
            .and_then(Value::as_str)
            .unwrap_or("known to be vulnerable");
        let severity = match self.severity.as_str() {
            "" => String::new(),
            severity => format!(", severity {severity}"),
        };
        let mut message =
            format!("`{} {version}`: {} (vulnerability{severity})", entry.name(), summary.trim());
        if let Some(route) = route {
            message.push_str(&format!("\nbrought in by {route}"));
        }
        let below = &self.below;
        // A bound such as 2.999.999 stands for all of a major version.
        let fixed = if below.contains("999") {
            format!("every version below {below} is affected")
        } else {
            format!("fixed in {below}")
        };
        let mut finding = Finding::error(rule.as_str(), message)
            .at(entry.place())
            .help(format!("{fixed}: `npm update {}`, or raise what brings it in", entry.name()));
        finding.url = self.info.first().cloned();
        let mut ids = ids;
        ids.push(&rule);
        acceptances.apply(finding, &ids)
    }

    /// Its names elsewhere, the most precise first.
    fn ids(&self) -> Vec<&str> {
        let github = self.identifiers.get("githubID").and_then(Value::as_str);
        let cves = self.identifiers.get("CVE").and_then(Value::as_array).into_iter().flatten();
        github.into_iter().chain(cves.filter_map(Value::as_str)).collect()
    }
}

/// Compares as retire.js does: parts between dots and hyphens, numbers as numbers, a missing part
/// as 0, and a number above any word.
fn compare(a: &str, b: &str) -> Ordering {
    let mut a = a.split(['.', '-']);
    let mut b = b.split(['.', '-']);
    loop {
        let (a, b) = (a.next(), b.next());
        if a.is_none() && b.is_none() {
            return Ordering::Equal;
        }
        let (a, b) = (a.unwrap_or("0"), b.unwrap_or("0"));
        let order = match (a.parse::<u64>(), b.parse::<u64>()) {
            (Ok(a), Ok(b)) => a.cmp(&b),
            (Ok(_), Err(_)) => Ordering::Greater,
            (Err(_), Ok(_)) => Ordering::Less,
            (Err(_), Err(_)) => a.cmp(b),
        };
        if order.is_ne() {
            return order;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_retire_js_compares_them() {
        for (a, b, expected) in [
            ("1.9.0", "1.10.0", Ordering::Less),
            ("1.0", "1.0.0", Ordering::Equal),
            ("3.0.0-beta1", "3.0.0", Ordering::Less),
            ("3.0.0-beta1", "3.0.0-rc1", Ordering::Less),
            ("2.0.0", "1.999.999", Ordering::Greater),
        ] {
            assert_eq!(compare(a, b), expected, "{a} {b}");
            assert_eq!(compare(b, a), expected.reverse(), "{b} {a}");
        }
    }
}

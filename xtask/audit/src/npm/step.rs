//! Whether `package.json` and `package-lock.json` say the same. `npm ci` refuses when they do not,
//! `npm install` silently changes what was locked.

use super::lockfile::{LOCK_FILE, Locked, MANIFEST, parse, read};
use crate::text::{line_at, line_of};
use report::{Finding, Place};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const REMEDY: &str = "run `npm install --package-lock-only`, and look at what changed";

pub(super) fn check(root: &Path, locked: &Locked) -> anyhow::Result<Vec<Finding>> {
    if !root.join(MANIFEST).is_file() {
        let message = format!("there is a {LOCK_FILE} but no {MANIFEST}");
        return Ok(vec![
            Finding::error("audit::npm-step", message)
                .at(Place::file(LOCK_FILE))
                .help("restore it"),
        ]);
    }
    let text = read(root, MANIFEST)?;
    let document = parse(&text, MANIFEST)?;
    let Some(manifest) = document.as_object() else {
        let message = format!("{MANIFEST} is not an object");
        return Ok(vec![Finding::error("audit::npm-step", message).at(Place::line(MANIFEST, 1))]);
    };
    let mut findings = Vec::new();
    let keys: BTreeSet<&str> = locked.entries.iter().map(|entry| entry.key.as_str()).collect();
    let declared = dependencies(manifest);
    let known = locked.project.as_ref().map(dependencies);
    for (name, (kind, range)) in &declared {
        let known = known.as_ref().map(|known| known.get(name).map(|(_, range)| *range));
        let message = match known {
            Some(None) => format!("`{name}` is in {MANIFEST} but not in {LOCK_FILE}"),
            Some(Some(known)) if known != *range => {
                format!("`{name}` is {range} in {MANIFEST} but {known} in {LOCK_FILE}")
            }
            _ if is_needed(kind) && !keys.contains(format!("node_modules/{name}").as_str()) => {
                format!("`{name}` is in {MANIFEST}, but {LOCK_FILE} locks no version of it")
            }
            _ => continue,
        };
        findings.push(
            Finding::error("audit::npm-step", message).at(place(&text, kind, name)).help(REMEDY),
        );
    }
    for name in known.iter().flat_map(BTreeMap::keys).filter(|name| !declared.contains_key(*name)) {
        let message =
            format!("`{name}` is locked in {LOCK_FILE} for a {MANIFEST} that no longer names it");
        findings.push(
            Finding::error("audit::npm-step", message).at(Place::file(LOCK_FILE)).help(REMEDY),
        );
    }
    Ok(findings)
}

fn is_needed(kind: &str) -> bool {
    matches!(kind, "dependencies" | "devDependencies")
}

/// Every dependency with its kind and range. npm takes an optional one out of the others.
fn dependencies(object: &Map<String, Value>) -> BTreeMap<&str, (&'static str, &Value)> {
    let mut all = BTreeMap::new();
    for kind in ["peerDependencies", "devDependencies", "dependencies", "optionalDependencies"] {
        for (name, range) in object.get(kind).and_then(Value::as_object).into_iter().flatten() {
            all.insert(name.as_str(), (kind, range));
        }
    }
    all
}

fn place(text: &str, kind: &str, name: &str) -> Place {
    let start = text.find(&format!("\"{kind}\"")).unwrap_or(0);
    let offset = text[start..].find(&format!("\"{name}\"")).map(|offset| start + offset);
    let line = offset.map(|offset| line_at(text, offset));
    Place::line(MANIFEST, line.or_else(|| line_of(text, name)).unwrap_or(1))
}

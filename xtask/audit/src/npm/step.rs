//! Whether `package.json` and `package-lock.json` say the same. `npm ci` refuses when they do not,
//! `npm install` silently changes what was locked.

use super::lockfile::{LOCK_FILE, Locked, MANIFEST, parse, read};
use crate::text::line_at;
use report::{Finding, Place};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const REMEDY: &str = "run `npm install --package-lock-only`, and look at what changed";

/// Checks the project's own manifest, and those of its workspaces.
pub(super) fn check(root: &Path, locked: &Locked) -> anyhow::Result<Vec<Finding>> {
    if !root.join(MANIFEST).is_file() {
        let message = format!("there is a {LOCK_FILE} but no {MANIFEST}");
        return Ok(vec![
            Finding::error("audit::npm-step", message)
                .at(Place::file(LOCK_FILE))
                .help("restore it"),
        ]);
    }
    let mut findings = check_manifest(root, MANIFEST, locked, locked.projects.get(""), "")?;
    for (folder, known) in locked.projects.iter().filter(|(folder, _)| !folder.is_empty()) {
        let path = format!("{folder}/{MANIFEST}");
        if root.join(&path).is_file() {
            findings.extend(check_manifest(
                root,
                &path,
                locked,
                Some(known),
                &format!("{folder}/"),
            )?);
        }
    }
    Ok(findings)
}

/// Compares one manifest with what the lock file says of it; `below` is its folder.
fn check_manifest(
    root: &Path,
    path: &str,
    locked: &Locked,
    known: Option<&Map<String, Value>>,
    below: &str,
) -> anyhow::Result<Vec<Finding>> {
    let text = read(root, path)?;
    let document = parse(&text, path)?;
    let Some(manifest) = document.as_object() else {
        let message = format!("{path} is not an object");
        return Ok(vec![Finding::error("audit::npm-step", message).at(Place::line(path, 1))]);
    };
    let mut findings = Vec::new();
    let keys: BTreeSet<&str> = locked.entries.iter().map(|entry| entry.key.as_str()).collect();
    let is_locked = |name: &str| {
        [below, ""]
            .iter()
            .any(|below| keys.contains(format!("{below}node_modules/{name}").as_str()))
    };
    let declared = dependencies(manifest);
    let known = known.map(dependencies);
    for (name, (kind, range)) in &declared {
        let known = known.as_ref().map(|known| known.get(name).map(|(_, range)| *range));
        let message = match known {
            Some(None) => format!("`{name}` is in {path} but not in {LOCK_FILE}"),
            Some(Some(known)) if known != *range => {
                format!("`{name}` is {range} in {path} but {known} in {LOCK_FILE}")
            }
            _ if is_needed(kind) && !is_locked(name) => {
                format!("`{name}` is in {path}, but {LOCK_FILE} locks no version of it")
            }
            _ => continue,
        };
        let line = line_of_dependency(&text, kind, name);
        findings.push(
            Finding::error("audit::npm-step", message).at(Place::line(path, line)).help(REMEDY),
        );
    }
    for name in known.iter().flat_map(BTreeMap::keys).filter(|name| !declared.contains_key(*name)) {
        let message =
            format!("`{name}` is locked in {LOCK_FILE} for a {path} that no longer names it");
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

fn line_of_dependency(text: &str, kind: &str, name: &str) -> u32 {
    let start = text.find(&format!("\"{kind}\"")).unwrap_or(0);
    let offset = text[start..].find(&format!("\"{name}\"")).map_or(start, |offset| start + offset);
    line_at(text, offset)
}

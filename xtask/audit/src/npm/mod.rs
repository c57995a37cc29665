//! `package-lock.json`: is everything in it pinned, and is any of it known to be vulnerable?
//!
//! A lock file protects only what it pins: an entry without a digest, fetched over plain HTTP or
//! from git, or under another package's name, can be replaced without the lock file changing.

mod advisories;
mod lockfile;
mod pinning;
mod step;

pub(crate) use advisories::{JsDatabase, VARIABLE};
pub(crate) use lockfile::{LOCK_FILE, MANIFEST};

use crate::Part;
use crate::acceptance::Acceptances;
use crate::text::counted;
use lockfile::Locked;
use report::{Finding, Level, Measure, Place, Unit};
use std::collections::BTreeMap;
use std::path::Path;

/// Findings of one rule that are listed; the rest are counted in one more.
const MAX_OF_A_RULE: usize = 20;

/// Checks the project's `package-lock.json`.
///
/// # Errors
/// Exit 2 when it cannot be read.
pub(crate) fn check(
    root: &Path,
    database: Option<&JsDatabase>,
    acceptances: &mut Acceptances,
) -> anyhow::Result<Part> {
    let locked = Locked::load(root)?;
    let mut findings = bounded(pinning::check(&locked));
    findings.extend(bounded(step::check(root, &locked)?));
    let mut summary = counted(locked.installed().count(), "npm package", "npm packages");
    let errors = findings.iter().filter(|finding| finding.level == Level::Error).count();
    if errors > 0 {
        summary.push_str(&format!(
            ", {}",
            counted(errors, "entry not pinned or in step", "entries not pinned or in step")
        ));
    }
    let mut measures =
        vec![Measure::new("npm.packages", locked.installed().count() as f64, Unit::Count)];
    match database {
        Some(database) => {
            let found = database.check(&locked, acceptances);
            let count = found.iter().filter(|finding| finding.level == Level::Error).count();
            summary.push_str(&format!(", {}", counted(count, "vulnerability", "vulnerabilities")));
            measures.push(Measure::new("npm.advisories", database.len() as f64, Unit::Count));
            findings.extend(found);
        }
        None => {
            acceptances.is_incomplete();
            summary.push_str(", known vulnerabilities NOT CHECKED");
            findings.push(
                Finding::note(
                    "audit::npm-no-database",
                    "npm packages were not checked for known vulnerabilities: no database was given",
                )
                .at(Place::file(LOCK_FILE))
                .help(format!(
                    "give a retire.js repository (jsrepository-v4.json) with --js-db or {VARIABLE}"
                )),
            );
        }
    }
    let findings = findings.into_iter().map(|finding| {
        let rule = finding.rule.clone();
        // Rules of this tool can be accepted too; those of the database have been asked already.
        if rule.starts_with("audit::") { acceptances.apply(finding, &[&rule]) } else { finding }
    });
    Ok(Part { summary, findings: findings.collect(), measures, ..Part::default() })
}

/// Whether the project's `package.json` names any dependency. One that cannot be read may.
pub(crate) fn has_dependencies(root: &Path) -> bool {
    let text = std::fs::read_to_string(root.join(MANIFEST)).unwrap_or_default();
    serde_json::from_str::<serde_json::Value>(&text).map_or(true, |manifest| {
        let kinds = lockfile::KINDS.iter().filter_map(|kind| manifest.get(*kind)?.as_object());
        kinds.into_iter().any(|dependencies| !dependencies.is_empty())
    })
}

/// The first findings of each rule, and one that counts the rest.
fn bounded(findings: Vec<Finding>) -> Vec<Finding> {
    let mut counts: BTreeMap<String, (usize, Level)> = BTreeMap::new();
    let mut kept = Vec::new();
    for finding in findings {
        let (count, _) = counts.entry(finding.rule.clone()).or_insert((0, finding.level));
        *count += 1;
        if *count <= MAX_OF_A_RULE {
            kept.push(finding);
        }
    }
    for (rule, (count, level)) in counts {
        if count > MAX_OF_A_RULE {
            let message = format!("{} more of this kind", count - MAX_OF_A_RULE);
            kept.push(Finding::new(level, rule, message).at(Place::file(LOCK_FILE)));
        }
    }
    kept
}

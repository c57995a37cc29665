//! `Cargo.lock` against a RustSec database.

mod built;
mod lockfile;
mod manifest;
mod route;

pub(crate) use lockfile::{LOCK_FILE, Locked};

use crate::Part;
use crate::acceptance::Acceptances;
use crate::database::{Database, Unreadable};
use crate::text::counted;
use built::Built;
use jiff::civil::Date;
use lockfile::Package;
use manifest::{Declaration, Manifests};
use report::{Finding, Level, Measure, Place, Unit};
use route::Routes;
use rustsec::Advisory;
use rustsec::advisory::Informational;
use rustsec::semver::{Comparator, Op, Version, VersionReq};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Days after which a database counts as old: advisories come in every week.
const MAX_AGE_DAYS: i32 = 30;

/// Affected functions that a message lists; the page of the advisory has all.
const MAX_FUNCTIONS: usize = 5;

/// Advisories that the note at a manifest's line lists.
const MAX_BROUGHT_IN: usize = 10;

/// Packages of one source that a note lists by name.
const MAX_UNCOVERED: usize = 10;

/// Checks every locked package.
pub(crate) fn check(
    root: &Path,
    locked: &Locked,
    database: &Database,
    acceptances: &mut Acceptances,
    today: Date,
) -> anyhow::Result<Part> {
    let mut hits = Vec::new();
    let mut at_manifests = Vec::new();
    let mut findings = Vec::new();
    let mut crates = 0;
    let covered = locked.packages.iter().filter(|package| package.is_from_crates_io());
    for package in covered {
        crates += 1;
        for advisory in database.of(package.name()) {
            match advisory {
                Ok(advisory) if applies(&advisory, package) => hits.push((package, advisory)),
                Ok(_) => {}
                Err(unreadable) => {
                    acceptances.is_incomplete();
                    findings.push(unread(package, &unreadable));
                }
            }
        }
    }
    // Manifests and routes are only needed, and only read, to explain what was found.
    if !hits.is_empty() {
        let manifests = Manifests::read(root);
        let routes = Routes::new(locked);
        let built = Built::ask_cargo(root);
        let mut bringers: BTreeMap<Declaration, BTreeSet<String>> = BTreeMap::new();
        for (package, advisory) in &hits {
            let route = routes.shortest(package);
            let declared = manifests.declaration(&route);
            let is_built = !built.is_never_built(package);
            let finding = explain(package, advisory, &route, declared.as_ref(), is_built);
            let finding = accept(finding, advisory, acceptances);
            if let Some(declared) = declared.filter(|_| finding.level != Level::Note) {
                let what = format!("{}: {}", finding.rule, route::shown(&route[1..]));
                bringers.entry(declared).or_default().insert(what);
            }
            findings.push(finding);
        }
        at_manifests = bringers.into_iter().map(brings_in).collect();
    }
    let count = |level| findings.iter().filter(|finding| finding.level == level).count();
    let (errors, warnings) = (count(Level::Error), count(Level::Warning));
    let date = database.date.map(|date| format!(" of {date}")).unwrap_or_default();
    let summary = match (errors, warnings) {
        (0, 0) => format!(
            "{}, none affected by the {} advisories{date}",
            counted(crates, "crate", "crates"),
            database.advisories
        ),
        _ => format!(
            "{}: {}, {} (advisories{date})",
            counted(crates, "crate", "crates"),
            counted(errors, "vulnerability", "vulnerabilities"),
            counted(warnings, "warning", "warnings"),
        ),
    };
    findings.extend(at_manifests);
    findings.extend(uncovered(locked));
    let mut measures = vec![
        Measure::new("crates", crates as f64, Unit::Count),
        Measure::new("advisories", database.advisories as f64, Unit::Count),
    ];
    if let Some(date) = database.date {
        let age_days = (today - date).get_days();
        measures.push(Measure::new("database.age-days", f64::from(age_days.max(0)), Unit::Count));
        findings.extend(too_old(date, age_days));
    }
    if let Some(reason) = &database.stale {
        let message = format!("the advisory database could not be brought up to date: {reason}");
        findings.push(Finding::warning("audit::not-refreshed", message).at(Place::file(LOCK_FILE)));
    }
    Ok(Part { summary, findings, measures, ..Part::default() })
}

fn applies(advisory: &Advisory, package: &Package) -> bool {
    let is_of_source = match &advisory.metadata.source {
        None => true,
        Some(source) => source.is_default_registry(),
    };
    !advisory.withdrawn() && is_of_source && advisory.versions.is_vulnerable(package.version())
}

/// The advisory, at its package's line of the lock file.
fn explain(
    package: &Package,
    advisory: &Advisory,
    route: &[&Package],
    declared: Option<&Declaration>,
    is_built: bool,
) -> Finding {
    let id = advisory.id().as_str();
    let (mut level, kind) = kind(advisory);
    let severity =
        advisory.severity().map(|severity| format!(", severity {severity}")).unwrap_or_default();
    let mut message = format!(
        "`{} {}`: {} ({kind}{severity})",
        package.name(),
        package.version(),
        advisory.title()
    );
    if route.len() > 1 {
        message.push_str(&format!("\nbrought in by {}", route::shown(route)));
    }
    if let Some(declared) = declared {
        message.push_str(&format!("\ndeclared at {declared}"));
    }
    if !is_built {
        level = level.min(Level::Warning);
        message.push_str(
            "\nlocked but not built: no feature of this project turns it on, on any target",
        );
    }
    message.push_str(&scope(advisory));
    let url = format!("https://rustsec.org/advisories/{id}.html");
    Finding::new(level, id, message)
        .at(Place::line(LOCK_FILE, package.line))
        .help(remedy(package, advisory, route))
        .url(url)
}

fn accept(finding: Finding, advisory: &Advisory, acceptances: &mut Acceptances) -> Finding {
    let aliases = advisory.metadata.aliases.iter().map(rustsec::advisory::Id::as_str);
    let ids: Vec<&str> = std::iter::once(advisory.id().as_str()).chain(aliases).collect();
    acceptances.apply(finding, &ids)
}

/// What one line of a manifest brings in, said there too: that is where it is mended.
fn brings_in((declared, advisories): (Declaration, BTreeSet<String>)) -> Finding {
    let count = counted(advisories.len(), "advisory applies", "advisories apply");
    let mut message = format!("{count} to what this brings in:");
    for advisory in advisories.iter().take(MAX_BROUGHT_IN) {
        message.push_str(&format!("\n{advisory}"));
    }
    if advisories.len() > MAX_BROUGHT_IN {
        message.push_str(&format!("\nand {} more", advisories.len() - MAX_BROUGHT_IN));
    }
    Finding::note("audit::brings-in", message).at(Place::line(declared.path, declared.line))
}

fn kind(advisory: &Advisory) -> (Level, &str) {
    match &advisory.metadata.informational {
        None => (Level::Error, "vulnerability"),
        Some(Informational::Notice) => (Level::Warning, "notice"),
        Some(informational) => (Level::Warning, informational.as_str()),
    }
}

/// The functions and systems to which the advisory is limited.
fn scope(advisory: &Advisory) -> String {
    let mut text = String::new();
    let Some(affected) = &advisory.affected else { return text };
    let functions: Vec<_> = affected.functions.keys().map(ToString::to_string).collect();
    if !functions.is_empty() {
        text.push_str(&format!("\naffects only users of {}", listed(&functions, MAX_FUNCTIONS)));
    }
    let systems: Vec<_> = affected.os.iter().map(|os| os.as_str().to_owned()).collect();
    if !systems.is_empty() {
        text.push_str(&format!("\naffects only {}", systems.join(", ")));
    }
    text
}

/// The first few of a list, and how many more there are.
fn listed(names: &[String], max: usize) -> String {
    let shown = names[..names.len().min(max)].join(", ");
    match names.len().saturating_sub(max) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// What to do: the patched versions, and the command that reaches one if a compatible one exists.
fn remedy(package: &Package, advisory: &Advisory, route: &[&Package]) -> String {
    let patched = advisory.versions.patched();
    if patched.is_empty() {
        return format!(
            "no version of it is patched; replace `{}`, or accept it until a date in [[audit.ignore]]",
            package.name()
        );
    }
    let versions: Vec<_> = patched.iter().map(ToString::to_string).collect();
    let command = format!("cargo update -p {}@{}", package.name(), package.version());
    let versions = versions.join(" or ");
    if patched.iter().any(|patched| is_reachable(package.version(), patched)) {
        format!("patched in {versions}: `{command}`")
    } else {
        let parent = match route {
            [_, direct, ..] => format!("raise the requirement on `{}`", direct.name()),
            _ => "raise its requirement".to_owned(),
        };
        format!(
            "patched in {versions}, which is not compatible with {}: {parent}, then `{command}`",
            package.version()
        )
    }
}

/// Whether a patched range holds versions that Cargo takes for compatible with this one.
fn is_reachable(current: &Version, patched: &VersionReq) -> bool {
    let compatible = VersionReq {
        comparators: vec![Comparator {
            op: Op::Caret,
            major: current.major,
            minor: Some(current.minor),
            patch: Some(current.patch),
            pre: current.pre.clone(),
        }],
    };
    patched.comparators.iter().all(|comparator| {
        let bound = Version {
            major: comparator.major,
            minor: comparator.minor.unwrap_or(0),
            patch: comparator.patch.unwrap_or(0),
            pre: comparator.pre.clone(),
            build: rustsec::semver::BuildMetadata::EMPTY,
        };
        match comparator.op {
            Op::Less | Op::LessEq => *current < bound,
            _ => compatible.matches(&bound) || bound <= *current,
        }
    })
}

fn unread(package: &Package, unreadable: &Unreadable) -> Finding {
    let Unreadable { id, reason } = unreadable;
    let message = format!(
        "{id} could not be read, so whether it applies to `{} {}` is not known: {reason}",
        package.name(),
        package.version()
    );
    Finding::warning("audit::unreadable-advisory", message)
        .at(Place::line(LOCK_FILE, package.line))
        .help("read it yourself; a newer Slipway may know its format")
        .url(format!("https://rustsec.org/advisories/{id}.html"))
}

fn too_old(date: Date, age_days: i32) -> Option<Finding> {
    (age_days > MAX_AGE_DAYS).then(|| {
        let message = format!(
            "the advisory database is of {date}, {age_days} days ago: what was found since is not in it"
        );
        Finding::warning("audit::old-database", message)
            .at(Place::file(LOCK_FILE))
            .help("update it: `git pull` in the folder of --db or XTASK_DB, or run without --offline")
    })
}

/// One note for each source that the database says nothing about.
fn uncovered(locked: &Locked) -> Vec<Finding> {
    let mut by_source: BTreeMap<String, Vec<&Package>> = BTreeMap::new();
    for package in &locked.packages {
        if let Some(source) = package.foreign_source() {
            by_source.entry(source).or_default().push(package);
        }
    }
    by_source
        .into_iter()
        .map(|(source, packages)| {
            let names: Vec<_> = packages
                .iter()
                .map(|package| format!("`{} {}`", package.name(), package.version()))
                .collect();
            let message = format!(
                "not covered, because RustSec only knows crates.io: {} from {source}",
                listed(&names, MAX_UNCOVERED)
            );
            Finding::note("audit::not-covered", message)
                .at(Place::line(LOCK_FILE, packages[0].line))
        })
        .collect()
}

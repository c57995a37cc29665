//! `xtask-audit`: dependency and supply-chain checks.
//!
//! What is found in the project's root decides what is checked: `Cargo.lock` against a RustSec
//! database, `package-lock.json` for what it leaves unpinned, the site's HTML for third-party
//! scripts without a digest. Two rules hold throughout: what could not be checked is said, never
//! passed over; and one entry that cannot be read costs that entry, not the audit.

mod acceptance;
mod crates;
mod database;
mod npm;
mod site;
mod text;

use acceptance::Acceptances;
use anyhow::Context;
use clap::Parser;
use config::{Build, Config};
use database::{Origin, Request};
use report::{Fault, Finding, Measure, Outcome, Place, Status};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

/// Check the project's dependencies against advisory databases, and its supply chain.
///
/// Cargo.lock is checked against a RustSec advisory database: the folder given by --db or XTASK_DB,
/// else a copy in the user's cache, fetched over HTTPS from GitHub (or the mirror of its archive that
/// XTASK_DB_URL names) and refreshed when older than a day. Without a database nothing is checked:
/// a failure (exit code 3) when CI is set, a warning otherwise. Advisories are accepted until a date
/// by [[audit.ignore]] in xtask.toml. Not checked: whether a version was yanked, packages from git
/// and from other registries.
///
/// package-lock.json is checked for what it leaves unpinned, for being in step with package.json,
/// and, given --js-db or XTASK_JS_DB, for known-vulnerable versions. The pages of [build] site are
/// checked for third-party scripts and style sheets without a digest; those of a site that
/// [build] run makes only where [steps.audit] needs "build".
#[derive(Debug, Parser)]
#[command(name = "xtask-audit", bin_name = "cargo xtask audit", version)]
struct Audit {
    /// Folder of a RustSec advisory database (the one that holds `crates/`).
    #[arg(long, value_name = "DIR")]
    db: Option<PathBuf>,
    /// A retire.js repository (jsrepository-v4.json): known-vulnerable npm versions.
    #[arg(long, value_name = "FILE")]
    js_db: Option<PathBuf>,
    /// Never use the network: the copy in the cache is used however old it is.
    #[arg(long)]
    offline: bool,
}

/// What one part of the audit came to.
#[derive(Debug, Default)]
struct Part {
    /// For the closing line: `231 crates, 2 advisories`.
    summary: String,
    findings: Vec<Finding>,
    measures: Vec<Measure>,
    state: State,
}

/// Whether a part could do its work.
#[derive(Debug, Default)]
enum State {
    #[default]
    Checked,
    /// Nothing is locked, so there is nothing to hold against an advisory.
    Unlocked,
    /// No database could be had, for this reason.
    NoDatabase(String),
}

fn main() -> ExitCode {
    let audit = Audit::parse();
    report::tool_main(|| audit.run())
}

/// Whether the site's pages are what they will be when this step runs: sources of the checkout, or
/// built before it. Pages of whichever build happened to be the last say nothing.
fn is_settled(config: &Config, build: &Build) -> bool {
    let needs = config.steps.get("audit").and_then(|step| step.needs.as_ref());
    build.run.is_none() || needs.is_some_and(|needs| needs.iter().any(|need| need == "build"))
}

impl Audit {
    fn run(self) -> anyhow::Result<Outcome> {
        let start = Instant::now();
        let root = std::env::current_dir().context("failed to find the current folder")?;
        let config = Config::load(&root).map_err(|error| Fault::usage(error.to_string()))?;
        let today = jiff::Zoned::now().date();
        let mut acceptances = Acceptances::new(&root, &config.audit, today);
        let mut parts = Vec::new();
        if root.join(crates::LOCK_FILE).is_file() {
            parts.push(self.crates(&root, &mut acceptances, today)?);
        }
        if root.join(npm::LOCK_FILE).is_file() {
            let given = self.js_db.clone().or_else(|| variable(npm::VARIABLE));
            let database = given.as_deref().map(npm::JsDatabase::load).transpose()?;
            parts.push(npm::check(&root, database.as_ref(), &mut acceptances)?);
        }
        parts.extend(unlocked(&root));
        if let Some(build) = config.build.as_ref().filter(|build| is_settled(&config, build)) {
            parts.extend(site::check(&root, &build.site)?);
        }
        let mut outcome = conclude(parts, is_ci(), acceptances);
        outcome.duration_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        Ok(outcome)
    }

    fn crates(
        &self,
        root: &Path,
        acceptances: &mut Acceptances,
        today: jiff::civil::Date,
    ) -> anyhow::Result<Part> {
        // A lock file that cannot be read is said first: no database mends it.
        let locked = crates::Locked::load(root)?;
        let request = Request {
            given: self
                .db
                .clone()
                .map(|dir| (dir, Origin::Option))
                .or_else(|| Some((variable(database::VARIABLE)?, Origin::Variable))),
            is_offline: self.offline,
            is_ci: is_ci(),
        };
        match database::find(&request)? {
            Ok(database) => crates::check(root, &locked, &database, acceptances, today),
            Err(reason) => Ok(Part { state: State::NoDatabase(reason), ..Part::default() }),
        }
    }
}

/// A path from the environment; empty is unset.
fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// Manifests whose dependencies are not locked in a way that is checked here.
fn unlocked(root: &Path) -> Option<Part> {
    let has = |name: &str| root.join(name).is_file();
    let mut findings = Vec::new();
    if has("Cargo.toml") && !has(crates::LOCK_FILE) {
        findings.push(
            Finding::warning(
                "audit::no-lock",
                "NOT CHECKED: the crates, because there is no Cargo.lock",
            )
            .at(Place::file("Cargo.toml"))
            .help("make one with `cargo generate-lockfile`, and commit it"),
        );
    }
    if has(npm::MANIFEST) && !has(npm::LOCK_FILE) && npm::has_dependencies(root) {
        let other = ["yarn.lock", "pnpm-lock.yaml", "bun.lock", "bun.lockb", "npm-shrinkwrap.json"]
            .into_iter()
            .find(|name| has(name));
        let reason = other.map_or("there is no package-lock.json".to_owned(), |other| {
            format!("{other} is not a format that is known here")
        });
        findings.push(
            Finding::warning(
                "audit::no-lock",
                format!("NOT CHECKED: the npm packages, because {reason}"),
            )
            .at(Place::file(npm::MANIFEST))
            .help("make a package-lock.json with `npm install --package-lock-only`, and commit it"),
        );
    }
    if findings.is_empty() {
        return None;
    }
    let messages: Vec<_> = findings.iter().map(|finding| finding.message.as_str()).collect();
    let summary = messages.join("; ");
    Some(Part { summary, findings, state: State::Unlocked, ..Part::default() })
}

/// Whether this run is CI's: `CI` is set and not `false`.
fn is_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false")
}

/// One outcome from all parts. What was not checked fails CI and is never called passed alone.
fn conclude(parts: Vec<Part>, is_ci: bool, mut acceptances: Acceptances) -> Outcome {
    if parts.is_empty() {
        return Outcome::skipped(
            "nothing to audit: no Cargo.lock, no package-lock.json, no page in [build] site",
        );
    }
    let mut findings = Vec::new();
    let mut measures = Vec::new();
    let mut summaries = Vec::new();
    let mut is_unreachable = false;
    let mut checked = 0;
    for part in parts {
        findings.extend(part.findings);
        measures.extend(part.measures);
        match part.state {
            State::Checked => {
                checked += 1;
                summaries.push(part.summary);
            }
            State::Unlocked => summaries.insert(0, part.summary),
            State::NoDatabase(reason) => {
                is_unreachable = true;
                acceptances.is_incomplete();
                findings.push(not_checked(is_ci, &reason));
                summaries.insert(
                    0,
                    "NOT CHECKED: the crates, for want of an advisory database".to_owned(),
                );
            }
        }
    }
    findings.extend(acceptances.conclude());
    // What fails first: some places that show findings show only so many.
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.level));
    let mut outcome = Outcome::of(summaries.join("; "), findings, measures);
    if is_unreachable && is_ci {
        outcome.exit_code = i32::from(report::Exit::Unreachable.code());
    } else if (is_unreachable || checked == 0) && outcome.status == Status::Passed {
        // Not passed although other parts did: a pass is remembered and replayed.
        outcome.status = Status::Skipped;
    }
    print(&outcome);
    outcome
}

/// Says an outcome to a person, without the control characters that a lock file could smuggle in.
fn print(outcome: &Outcome) {
    let plain = |text: &str| text.replace(|c: char| c.is_control() && c != '\n', "\u{fffd}");
    for finding in &outcome.findings {
        let place = finding.place.as_ref().map(|place| format!(" {place}")).unwrap_or_default();
        eprintln!("{} [{}]{}", finding.level, plain(&finding.rule), plain(&place));
        eprintln!("  {}", plain(&finding.message).replace('\n', "\n  "));
    }
    eprintln!("{}", plain(&outcome.summary));
}

fn not_checked(is_ci: bool, reason: &str) -> Finding {
    let level = if is_ci { report::Level::Error } else { report::Level::Warning };
    Finding::new(level, "audit::no-database", format!("nothing was checked: {reason}"))
        .at(Place::file(crates::LOCK_FILE))
        .help(
            "let it reach https://github.com/RustSec/advisory-db, or give a copy of that \
             repository with --db or XTASK_DB",
        )
}

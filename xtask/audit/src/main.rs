//! `xtask-audit`: dependency and supply-chain checks.
//!
//! What is found in the project's root decides what is checked: `Cargo.lock` against a RustSec
//! database, `package-lock.json` for what it leaves unpinned, the site's HTML for third-party
//! scripts without a digest. Two rules hold throughout: what could not be checked is said, never
//! passed over; and one entry that cannot be read costs that entry, not the audit.

mod acceptance;
mod crates;
mod database;
mod text;

use acceptance::Acceptances;
use anyhow::Context;
use clap::Parser;
use config::Config;
use database::{Origin, Request};
use report::{Fault, Finding, Measure, Outcome, Status};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

/// Check the project's dependencies against advisory databases, and its supply chain.
///
/// Cargo.lock is checked against a RustSec advisory database: the folder given by --db or XTASK_DB,
/// else a copy in the user's cache, fetched over HTTPS and refreshed when older than a day. Without
/// a database nothing is checked: a failure (exit code 3) when CI is set, a warning otherwise.
/// Advisories are accepted until a date by [[audit.ignore]] in xtask.toml. Not checked: whether
/// a version was yanked, packages from git and from other registries.
#[derive(Debug, Parser)]
#[command(name = "xtask-audit", bin_name = "cargo xtask audit", version)]
struct Audit {
    /// Folder of a RustSec advisory database (the one that holds `crates/`).
    #[arg(long, value_name = "DIR")]
    db: Option<PathBuf>,
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
    /// Why nothing was checked, if so; the summary then starts with it.
    not_checked: Option<String>,
}

fn main() -> ExitCode {
    let audit = Audit::parse();
    report::tool_main(|| audit.run())
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
            given: self.db.clone().map(|dir| (dir, Origin::Option)).or_else(|| {
                let dir = std::env::var_os(database::VARIABLE).filter(|dir| !dir.is_empty())?;
                Some((PathBuf::from(dir), Origin::Variable))
            }),
            is_offline: self.offline,
        };
        match database::find(&request)? {
            Ok(database) => crates::check(root, &locked, &database, acceptances, today),
            Err(reason) => Ok(Part { not_checked: Some(reason), ..Part::default() }),
        }
    }
}

/// Whether this run is CI's: `CI` is set and not `false`.
fn is_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false")
}

/// One outcome from all parts. What was not checked fails CI and is never called passed alone.
fn conclude(parts: Vec<Part>, is_ci: bool, acceptances: Acceptances) -> Outcome {
    if parts.is_empty() {
        return Outcome::skipped("nothing to audit: no Cargo.lock");
    }
    let mut findings = Vec::new();
    let mut measures = Vec::new();
    let mut summaries = Vec::new();
    let mut is_unreachable = false;
    let mut checked = 0;
    for part in parts {
        findings.extend(part.findings);
        measures.extend(part.measures);
        match part.not_checked {
            Some(reason) => {
                is_unreachable = true;
                findings.push(not_checked(is_ci, &reason));
                summaries.insert(0, format!("NOT CHECKED: {reason}"));
            }
            None => {
                checked += 1;
                summaries.push(part.summary);
            }
        }
    }
    findings.extend(acceptances.conclude());
    let mut outcome = Outcome::of(summaries.join("; "), findings, measures);
    if is_unreachable && is_ci {
        outcome.exit_code = i32::from(report::Exit::Unreachable.code());
    } else if checked == 0 && outcome.status == Status::Passed {
        outcome.status = Status::Skipped;
    }
    for finding in &outcome.findings {
        let place = finding.place.as_ref().map(|place| format!(" {place}")).unwrap_or_default();
        eprintln!(
            "{} [{}]{place}\n  {}",
            finding.level,
            finding.rule,
            finding.message.replace('\n', "\n  ")
        );
    }
    eprintln!("{}", outcome.summary);
    outcome
}

fn not_checked(is_ci: bool, reason: &str) -> Finding {
    let level = if is_ci { report::Level::Error } else { report::Level::Warning };
    Finding::new(level, "audit::no-database", format!("nothing was checked: {reason}"))
        .at(report::Place::file(crates::LOCK_FILE))
        .help(
            "let it reach https://github.com/RustSec/advisory-db, or give a copy of that \
             repository with --db or XTASK_DB",
        )
}

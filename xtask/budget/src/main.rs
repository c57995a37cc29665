//! Performance budgets: what a release weighs, and how its pages load in Chromium, against the
//! limits in `budgets/*.json`.
//!
//! Bytes are exact. Times are taken in a laboratory: a fresh browser context and an empty cache for
//! each run, stated throttling, the median of an odd number of runs, and a note when the runs
//! disagree. A budget that was not checked is never counted as kept.

mod breach;
mod kind;
mod load;
mod noise;
mod schema;
mod site;
mod visit;

use anyhow::Context as _;
use clap::Parser;
use release::Release;
use report::{Artifact, Fault, Finding, Measure, Outcome};
use schema::{BudgetFile, EXAMPLE};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The environment variable that names the folder for what a step leaves.
const ARTIFACTS_ENV: &str = "XTASK_ARTIFACTS";

/// Check a built release and its pages against the budgets in budgets/*.json.
#[derive(Debug, Parser)]
#[command(name = "xtask-budget", version, after_help = after_help())]
struct Arguments {
    /// Address of the served release, for the budgets of pages.
    #[arg(long)]
    url: Option<String>,
    /// Folder of the release, for the budgets of bytes.
    #[arg(long, value_name = "DIR")]
    release: Option<PathBuf>,
    /// Folder of the budget files.
    #[arg(long, value_name = "DIR", default_value = "budgets")]
    budgets: PathBuf,
    /// Only the pages with this name; can be given several times.
    #[arg(long, value_name = "NAME")]
    page: Vec<String>,
}

/// What was found out: every limited number is a measure.
#[derive(Debug, Default)]
struct Found {
    findings: Vec<Finding>,
    measures: Vec<Measure>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    report::tool_main(|| run(&arguments))
}

fn run(arguments: &Arguments) -> anyhow::Result<Outcome> {
    let files = BudgetFile::load_all(&arguments.budgets)?;
    let mut found = Found::default();
    let mut visits = Vec::new();
    for file in &files {
        if let Some(site) = file.budget.site.as_ref().filter(|_| arguments.page.is_empty()) {
            let dir = arguments.release.as_deref().ok_or_else(|| {
                Fault::usage(format!("{} limits the site's bytes: give --release DIR", file.path))
            })?;
            let release = Release::open(dir).with_context(|| "failed to open the release")?;
            found.extend(site::check(site, &release.manifest().files, &file.path)?);
        }
        for page in file.budget.pages.iter().filter(|page| is_asked_for(&page.name, arguments)) {
            let url = arguments.url.as_deref().ok_or_else(|| {
                Fault::usage(format!("{} limits how pages load: give --url URL", file.path))
            })?;
            let (checked, runs) = load::check(page, url, &file.path)?;
            found.extend(checked);
            visits.push((page.name.clone(), runs));
        }
    }
    e2e::Browser::end_shared();
    if found.measures.is_empty() && found.findings.is_empty() {
        return Err(Fault::usage("no budget was checked: no page has the name given").into());
    }
    let mut outcome = outcome(found);
    if !visits.is_empty() {
        outcome.artifacts.push(keep(&visits)?);
    }
    Ok(outcome)
}

fn outcome(found: Found) -> Outcome {
    let limited = found.measures.iter().filter(|measure| measure.limit.is_some());
    let (kept, all) = limited
        .fold((0, 0), |(kept, all), measure| (kept + usize::from(measure.is_within()), all + 1));
    Outcome::of(format!("{kept} of {all} budgets kept"), found.findings, found.measures)
}

fn is_asked_for(page: &str, arguments: &Arguments) -> bool {
    arguments.page.is_empty() || arguments.page.iter().any(|name| name == page)
}

/// Leaves every run's numbers and requests for people.
fn keep(visits: &[(String, Vec<visit::Visit>)]) -> anyhow::Result<Artifact> {
    let root = std::env::current_dir()?;
    let folder = std::env::var_os(ARTIFACTS_ENV)
        .map_or_else(|| root.join("target/xtask/artifacts/budget"), PathBuf::from);
    let path = folder.join("pages.json");
    let json = serde_json::to_string_pretty(visits)?;
    std::fs::create_dir_all(&folder)
        .and_then(|()| std::fs::write(&path, json))
        .with_context(|| format!("failed to write {}", path.display()))?;
    Ok(Artifact { name: "page loads".to_owned(), path: relative(&path, &root) })
}

fn relative(path: &Path, root: &Path) -> String {
    let relative = path.strip_prefix(root).unwrap_or(path);
    relative
        .components()
        .map(|part| part.as_os_str().to_string_lossy())
        .collect::<Vec<_>>()
        .join("/")
}

fn after_help() -> String {
    format!(
        "An example of a budget file:\n\n{EXAMPLE}\n\
         Bytes are written 4096 or \"40 KB\" (1,000 bytes). A device is \"phone\", \"desktop\" or \
         {{width, height, scale, mobile}}; throttling is \"none\", \"mobile-slow-4g\", \"desktop\" or \
         {{rtt-ms, download-kbps, upload-kbps, cpu-factor}}."
    )
}

impl Found {
    fn extend(&mut self, other: Found) {
        self.findings.extend(other.findings);
        self.measures.extend(other.measures);
    }
}

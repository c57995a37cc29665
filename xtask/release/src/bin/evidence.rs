//! `xtask evidence`: what the steps of `ci` proved about a release.

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use release::command::{self, Project};
use release::evidence::{Checked, Document, Evidence, EvidenceFolder, Origin, Verdict, check};
use release::signing::{Keyring, UNSIGNED};
use release::table::Table;
use release::{Release, Sha256};
use report::{Exit, Fault, Report, Status};
use serde::Serialize;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::process::ExitCode;

/// Show what the steps of `ci` proved about a release, and who says so.
///
/// After a run whose `build` passed, `ci` records what each step came to against the digest of the
/// release's manifest, signed by the key that signs releases.
///
/// Exit codes: 0 all that was recorded is sound; 2 no such release; 4 some of it is not to be
/// believed: unsigned, changed, of another release, or signed by a key that is not trusted.
#[derive(Debug, Parser)]
#[command(name = "xtask-evidence", bin_name = "cargo xtask evidence", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say who proved what about which digest.
    Show(Show),
    /// Record what the steps of a run came to; `ci` does it by itself.
    Add(Add),
}

#[derive(Debug, Args)]
struct Show {
    /// The release's id, the start of it, or of its digits [default: the latest].
    release: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct Add {
    /// The run's report: target/xtask/runs/<run>/report.json.
    #[arg(long, value_name = "FILE")]
    report: PathBuf,
    /// Record this step; all that came to an end when none is given.
    #[arg(long = "step", value_name = "STEP")]
    steps: Vec<String>,
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    release: &'a str,
    manifest_sha256: Sha256,
    steps: Vec<ShownStep<'a>>,
}

#[derive(Debug, Serialize)]
struct ShownStep<'a> {
    step: &'a str,
    /// `passed`, `failed`, `missing`, `unsigned`, `wrong key`, `wrong digest` or `tampered`.
    verdict: &'static str,
    /// Why it is not to be believed, or did not pass.
    reason: Option<String>,
    key: Option<String>,
    is_for_production: bool,
    evidence: Option<&'a Evidence>,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    command::main(|| match cli.command {
        Command::Show(show) => show.run(),
        Command::Add(add) => add.run(),
    })
}

impl Show {
    fn run(self) -> anyhow::Result<Exit> {
        let project = Project::here()?;
        let release = project.release(self.release.as_deref())?;
        let id = &release.manifest().id;
        let documents = EvidenceFolder::of(&project.root, id).read_all()?;
        let checked = check(&documents, &[], &project.trust, id, release.manifest_sha256());
        let text = if self.json {
            json(&release, &checked)?
        } else {
            let folder = EvidenceFolder::of(&project.root, id);
            table(&release, &checked) + &disbelieved(&checked, &folder)
        };
        command::print(&text)?;
        Ok(if checked.iter().all(is_sound) { Exit::Passed } else { Exit::Refused })
    }
}

fn table(release: &Release, checked: &[Checked]) -> String {
    let id = &release.manifest().id;
    let mut text = format!("release {id}\nsha256  {}\n\n", release.manifest_sha256());
    if checked.is_empty() {
        return text + "no evidence yet: `cargo xtask ci` records it\n";
    }
    let mut table = Table::new(&["step", "verdict", "at (UTC)", "key", "by", "what"]);
    for it in checked {
        let evidence = it.evidence.as_ref();
        let cell = |of: fn(&Evidence) -> String| evidence.map_or_else(|| "-".to_owned(), of);
        table.row([
            it.step.clone(),
            word(&it.verdict).to_owned(),
            cell(|evidence| minute(&evidence.started_at)),
            it.signer.as_ref().map_or_else(|| "-".to_owned(), |signer| signer.name.to_string()),
            cell(|evidence| evidence.origin.who.clone().unwrap_or_else(|| "-".to_owned())),
            cell(|evidence| evidence.summary.clone()),
        ]);
    }
    text += &table.text();
    for it in checked.iter().filter(|it| is_sound(it)) {
        if let Some(reason) = reason(&it.verdict) {
            let told = format!("{}: {}: {reason}", it.step, word(&it.verdict));
            text += &format!("\n{}\n", screen::text::wrap(&told, COLUMNS).join("\n  "));
        }
    }
    let signers = checked.iter().filter_map(|it| it.signer.as_ref());
    if let Some(signer) = signers.clone().find(|signer| !signer.is_for_production) {
        text += &format!("\nsigned by {} ({}): {UNSIGNED}\n", signer.name, signer.key);
    }
    text
}

/// Whether what was recorded is to be believed, be it good or bad.
fn is_sound(checked: &Checked) -> bool {
    matches!(checked.verdict, Verdict::Passed | Verdict::Failed { .. })
}

/// What is not to be believed: where it is, why, and what to do.
fn disbelieved(checked: &[Checked], folder: &EvidenceFolder) -> String {
    let mut text = String::new();
    for it in checked.iter().filter(|it| !is_sound(it)) {
        let path = folder.path().join(format!("{}.json", it.step));
        text += &format!("\n{}\n", command::seen_from_here(&path.display().to_string()));
        let why = match (&it.verdict, reason(&it.verdict)) {
            (_, Some(reason)) => format!("{}: {reason}", word(&it.verdict)),
            (Verdict::Unsigned, None) => "unsigned: nobody signed it".to_owned(),
            (_, None) => word(&it.verdict).to_owned(),
        };
        for line in screen::text::wrap(&why, COLUMNS - 2) {
            text += &format!("  {line}\n");
        }
    }
    if !text.is_empty() {
        text +=
            "\nnone of that counts; the next `cargo xtask ci` of this release records it anew\n";
    }
    text
}

/// Columns of a line.
const COLUMNS: usize = 80;

/// `2026-11-23 08:43` of a time in RFC 3339.
fn minute(time: &str) -> String {
    time.get(..16).unwrap_or(time).replace('T', " ")
}

fn json(release: &Release, checked: &[Checked]) -> anyhow::Result<String> {
    let steps = checked.iter().map(|it| ShownStep {
        step: &it.step,
        verdict: word(&it.verdict),
        reason: reason(&it.verdict),
        key: it.signer.as_ref().map(|signer| signer.key.to_string()),
        is_for_production: it.signer.as_ref().is_some_and(|signer| signer.is_for_production),
        evidence: it.evidence.as_ref(),
    });
    let shown = Shown {
        release: release.manifest().id.as_str(),
        manifest_sha256: release.manifest_sha256(),
        steps: steps.collect(),
    };
    Ok(serde_json::to_string_pretty(&shown)? + "\n")
}

fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "passed",
        Verdict::Failed { .. } => "failed",
        Verdict::Missing => "missing",
        Verdict::Unsigned => "unsigned",
        Verdict::WrongKey { .. } => "wrong key",
        Verdict::WrongDigest { .. } => "wrong digest",
        Verdict::Tampered { .. } => "tampered",
    }
}

fn reason(verdict: &Verdict) -> Option<String> {
    match verdict {
        Verdict::Passed | Verdict::Missing | Verdict::Unsigned => None,
        Verdict::Failed { summary: reason }
        | Verdict::WrongKey { reason }
        | Verdict::WrongDigest { reason }
        | Verdict::Tampered { reason } => Some(reason.clone()),
    }
}

impl Add {
    fn run(self) -> anyhow::Result<Exit> {
        let root = std::env::current_dir().context("no current folder")?;
        let report = read_report(&self.report)?;
        let Some(release) = release_of(&root, &report)? else {
            return Err(Fault::usage(format!(
                "{}: no step of this run passed and left an artifact named `release`",
                self.report.display()
            ))
            .into());
        };
        if let Some(unknown) =
            self.steps.iter().find(|name| report.steps.iter().all(|step| step.name != **name))
        {
            return Err(Fault::usage(format!("this run has no step {unknown:?}")).into());
        }
        let (key, _) = Keyring::from_env().signing_key(&root).map_err(command::key_fault)?;
        let origin = Origin::from_env();
        let folder = EvidenceFolder::of(&root, &release.manifest().id);
        let asked = |name: &String| self.steps.is_empty() || self.steps.contains(name);
        let mut recorded = Vec::new();
        for step in report.steps.iter().filter(|step| asked(&step.name)) {
            let Some(evidence) = Evidence::of(step, &report, &release, &origin) else { continue };
            folder.write(&Document::sign(evidence, &key).context("failed to sign evidence")?)?;
            recorded.push(step.name.as_str());
        }
        let note =
            if key.name().is_development() { format!(", {UNSIGNED}") } else { String::new() };
        let recorded = if recorded.is_empty() { "nothing".to_owned() } else { recorded.join(", ") };
        let id = &release.manifest().id;
        command::print(&format!("recorded for release {id}: {recorded}{note}\n"))?;
        Ok(Exit::Passed)
    }
}

fn read_report(path: &Path) -> anyhow::Result<Report> {
    let shown = path.display();
    let json =
        fs::read(path).map_err(|error| Fault::usage(format!("failed to read {shown}: {error}")))?;
    let report: Report = serde_json::from_slice(&json)
        .map_err(|error| Fault::usage(format!("{shown} is not a report: {error}")))?;
    if report.version != report::SCHEMA_VERSION {
        let (expected, found) = (report::SCHEMA_VERSION, report.version);
        let message = format!("{shown}: expected report version {expected}, found {found}");
        return Err(Fault::usage(message).into());
    }
    Ok(report)
}

/// The release that the run built or replayed.
fn release_of(root: &Path, report: &Report) -> anyhow::Result<Option<Release>> {
    let passed = report.steps.iter().filter(|step| step.outcome.status == Status::Passed);
    let Some(artifact) =
        passed.flat_map(|step| &step.outcome.artifacts).find(|artifact| artifact.name == "release")
    else {
        return Ok(None);
    };
    let path = Path::new(&artifact.path);
    if !path.components().all(|part| matches!(part, Component::Normal(_))) {
        let message = format!("expected a release inside the project, found {:?}", artifact.path);
        return Err(Fault::usage(message).into());
    }
    Release::open(&root.join(path)).map(Some).map_err(command::release_fault)
}

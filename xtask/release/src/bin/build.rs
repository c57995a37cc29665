//! `xtask build`: runs the project's build command and makes a release of what it left.

use anyhow::Context;
use clap::Parser;
use config::{Build, Config};
use release::command;
use release::evidence::EvidenceFolder;
use release::make::{Made, MakeError, SiteError, make_signed};
use release::signing::{KEY_DATA_ENV, KEY_FILE_ENV, Keyring, UNSIGNED};
use release::{Commit, KEPT_RELEASES, ReleaseId, Releases};
use report::{Artifact, Fault, Finding, Measure, Outcome, Unit};
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Instant;

/// Build the release: files, manifest, digests, signature.
///
/// Runs `[build].run` of xtask.toml, then makes target/xtask/releases/<id>/ of the site and the
/// server that it left, with precompressed variants, signs it, and makes
/// target/xtask/releases/latest name it. The same sources give the same id. `cargo xtask key`
/// shows which key signs.
///
/// Exit codes: 0 built; 1 the build command failed; 2 xtask.toml, or what it names, is not right;
/// 4 others can read the signing key.
#[derive(Debug, Parser)]
#[command(name = "xtask-build", bin_name = "cargo xtask build", version)]
struct Cli {
    /// Print the id of the latest release instead of building one.
    #[arg(long)]
    print: bool,
}

/// How many names a finding lists before it only counts.
const MAX_NAMED: usize = 5;

fn main() -> ExitCode {
    let cli = Cli::parse();
    if cli.print { print_latest() } else { report::tool_main(build) }
}

fn print_latest() -> ExitCode {
    let latest = std::env::current_dir().context("no current folder").and_then(|root| {
        release::latest(&root)
            .map_err(|error| Fault::usage(error.to_string()))?
            .ok_or_else(|| Fault::usage("no release was built yet; run `cargo xtask build`").into())
    });
    match latest {
        Ok(release) => {
            println!("{}", release.id);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            Fault::exit_of(&error).into()
        }
    }
}

fn build() -> anyhow::Result<Outcome> {
    let started = Instant::now();
    let root = std::env::current_dir().context("no current folder")?;
    let config = Config::load(&root).map_err(|error| Fault::usage(error.to_string()))?;
    let build = config.build.as_ref().ok_or_else(|| {
        Fault::usage("xtask.toml has no [build]; expected at least `[build]` with `site = \"…\"`")
    })?;
    // Before the build command: a key that cannot be used is told at once.
    let (key, _) = Keyring::from_env().signing_key(&root).map_err(command::key_fault)?;
    if let Some(failed) = run(&root, build)? {
        return Ok(failed);
    }
    let mut findings = Vec::new();
    let commit = Commit::of(&root).unwrap_or_else(|error| {
        findings.push(
            Finding::warning("build::no-commit", format!("the release names no commit: {error}"))
                .help("run `git status` here and do what it asks for"),
        );
        None
    });
    let made = make_signed(&root, &config, build, commit, &key).map_err(fault)?;
    prune(&root, made.outgoing.as_ref())?;
    if !made.left_out.is_empty() {
        findings.push(left_out(&made));
    }
    let note = if key.name().is_development() { format!(", {UNSIGNED}") } else { String::new() };
    let summary = format!("release {}{note}", made.dir.id);
    Ok(Outcome {
        artifacts: artifacts(&root, &made),
        duration_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        ..Outcome::of(summary, findings, measures(&made))
    })
}

/// Keeps the last releases, and the evidence of those that are kept.
fn prune(root: &Path, outgoing: Option<&ReleaseId>) -> anyhow::Result<()> {
    let releases = Releases::of(root);
    let pruned = releases.prune(KEPT_RELEASES)?;
    for id in pruned.iter().chain(outgoing).filter(|id| !releases.path_of(id).exists()) {
        EvidenceFolder::of(root, id).delete()?;
    }
    Ok(())
}

/// Runs `[build].run`; gives the failed outcome when it fails.
fn run(root: &Path, build: &Build) -> anyhow::Result<Option<Outcome>> {
    let Some(command) = &build.run else { return Ok(None) };
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).current_dir(root).env_remove(report::OUTCOME_ENV);
    // What a project's dependencies run while they are built has no business with the key.
    shell.env_remove(KEY_DATA_ENV).env_remove(KEY_FILE_ENV);
    let status = shell.status().context("failed to run sh")?;
    if status.success() {
        return Ok(None);
    }
    let what = format!("`{command}` ([build].run) failed: {status}");
    eprintln!("error: {what}");
    Ok(Some(Outcome::of(what.clone(), vec![Finding::error("build::command", what)], Vec::new())))
}

/// What the project can mend in its configuration or its site is exit 2; the rest is exit 1.
fn fault(error: MakeError) -> anyhow::Error {
    match &error {
        MakeError::Site(SiteError::Io { .. }) | MakeError::Release(_) | MakeError::Manifest(_) => {
            error.into()
        }
        _ => Fault::usage(error.to_string()).into(),
    }
}

fn left_out(made: &Made) -> Finding {
    let named = made.left_out.iter().take(MAX_NAMED).map(String::as_str).collect::<Vec<_>>();
    let more = made.left_out.len().saturating_sub(MAX_NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let message = format!("hidden files are not published: {}{more}", named.join(", "));
    Finding::note("build::hidden", message).help("only .well-known is; rename what should be")
}

fn artifacts(root: &Path, made: &Made) -> Vec<Artifact> {
    let relative =
        |path: &Path| path.strip_prefix(root).unwrap_or(path).to_string_lossy().into_owned();
    vec![
        Artifact { name: "release".into(), path: relative(&made.dir.path) },
        Artifact { name: "latest pointer".into(), path: relative(&Releases::of(root).pointer()) },
    ]
}

fn measures(made: &Made) -> Vec<Measure> {
    let sizes = &made.sizes;
    let count = |name: &str, count: usize| Measure::new(name, count as f64, Unit::Count);
    let bytes = |name: &str, bytes: u64| Measure::new(name, bytes as f64, Unit::Bytes);
    let mut measures = vec![
        count("site.files", sizes.files),
        count("site.files.reused", made.reused_files),
        bytes("site.bytes", sizes.site_bytes),
        bytes("site.bytes.gzip", sizes.gzip_bytes),
        bytes("site.bytes.brotli", sizes.brotli_bytes),
    ];
    measures.extend(sizes.server_bytes.map(|size| bytes("server.bytes", size)));
    measures
}

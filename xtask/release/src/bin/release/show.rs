//! `xtask release show`.

use crate::signature::Signed;
use clap::Args;
use release::command::{self, Project};
use release::evidence::{EvidenceFolder, check};
use release::{CacheClass, Encoding, Manifest, Release};
use report::{Exit, Unit};
use serde::Serialize;
use std::fmt::Write;

#[derive(Debug, Args)]
pub struct Show {
    /// The release [default: the latest].
    release: Option<String>,
    /// Print JSON: the manifest, its digest, and who signed it.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Shown<'a> {
    manifest_sha256: String,
    signature: &'a Signed,
    manifest: &'a Manifest,
}

impl Show {
    pub fn run(self) -> anyhow::Result<Exit> {
        let project = Project::here()?;
        let release = project.release(self.release.as_deref())?;
        let signature = Signed::of(&release, &project.trust);
        let text = if self.json {
            serde_json::to_string_pretty(&Shown {
                manifest_sha256: release.manifest_sha256().to_string(),
                signature: &signature,
                manifest: release.manifest(),
            })? + "\n"
        } else {
            text(&release, &signature) + &evidence(&project, &release)?
        };
        command::print(&text)?;
        Ok(Exit::Passed)
    }
}

fn text(release: &Release, signature: &Signed) -> String {
    let manifest = release.manifest();
    let mut text = String::new();
    let mut line = |name: &str, value: &str| {
        // Writing to a text cannot fail.
        let _ = writeln!(text, "{name:10} {value}");
    };
    line("release", manifest.id.as_str());
    line("project", &manifest.project);
    line("sha256", &release.manifest_sha256().to_string());
    line("signed by", &signature.sentence());
    let changes = if manifest.has_uncommitted_changes { ", with uncommitted changes" } else { "" };
    match (&manifest.commit, &manifest.created) {
        (Some(commit), Some(created)) => line("commit", &format!("{commit} of {created}{changes}")),
        _ => line("commit", "none"),
    }
    for (name, version) in &manifest.toolchain {
        line("built with", &format!("{name}: {version}"));
    }
    for (name, sha256) in &manifest.lockfiles {
        line("lockfile", &format!("{name} {sha256}"));
    }
    let bytes = |encoding| Unit::Bytes.show(manifest.transfer_bytes(encoding) as f64);
    let immutable = manifest.files.iter().filter(|file| file.cache == CacheClass::Immutable);
    line("files", &format!("{}, {} of them immutable", manifest.files.len(), immutable.count()));
    line(
        "site",
        &format!(
            "{}, as brotli {}, zstd {}, gzip {}",
            bytes(None),
            bytes(Some(Encoding::Br)),
            bytes(Some(Encoding::Zstd)),
            bytes(Some(Encoding::Gzip))
        ),
    );
    match &manifest.server {
        Some(server) => {
            let size = Unit::Bytes.show(server.size_bytes as f64);
            line("server", &format!("{}, {size}, ready at {}", server.path, server.ready));
        }
        None => line("server", "none, static files only"),
    }
    for (name, value) in &manifest.headers {
        line("header", &format!("{name}: {value}"));
    }
    text
}

fn evidence(project: &Project, release: &Release) -> anyhow::Result<String> {
    let id = &release.manifest().id;
    let documents = EvidenceFolder::of(&project.root, id).read_all()?;
    let checked = check(&documents, &[], &project.trust, id, release.manifest_sha256());
    let mut lines = Vec::new();
    let (passed, others): (Vec<_>, Vec<_>) = checked.iter().partition(|it| it.verdict.has_passed());
    let passed = passed.iter().map(|it| it.step.as_str()).collect::<Vec<_>>();
    lines.push(if passed.is_empty() { "none".to_owned() } else { passed.join(", ") });
    lines.extend(others.iter().map(|it| format!("not {}: {}", it.step, it.verdict)));
    let lines = lines.iter().flat_map(|line| screen::text::wrap(line, VALUE_COLUMNS));
    let names = std::iter::once("evidence").chain(std::iter::repeat(""));
    Ok(names.zip(lines).map(|(name, line)| format!("{name:10} {line}\n")).collect())
}

/// What is left of 80 columns beside the names.
const VALUE_COLUMNS: usize = 69;

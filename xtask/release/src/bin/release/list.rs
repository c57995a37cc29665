//! `xtask release list`.

use crate::signature::Signed;
use clap::Args;
use release::Release;
use release::command::{self, Project};
use release::table::Table;
use report::{Exit, Unit};
use serde::Serialize;

#[derive(Debug, Args)]
pub struct List {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Listed {
    id: String,
    is_latest: bool,
    /// Why it cannot be opened.
    damage: Option<String>,
    commit: Option<String>,
    created: Option<String>,
    files: usize,
    /// Of the static files, as they are.
    site_bytes: u64,
    signature: Option<Signed>,
}

impl List {
    pub fn run(self) -> anyhow::Result<Exit> {
        let project = Project::here()?;
        let releases = project.releases();
        let latest = releases.latest().ok().flatten().map(|latest| latest.id);
        let mut listed = Vec::new();
        for dir in releases.list().map_err(command::release_fault)? {
            let release = Release::open(&dir.path);
            let (release, damage) = match release {
                Ok(release) => (Some(release), None),
                Err(error) => (None, Some(command::seen_from_here(&error.to_string()))),
            };
            let manifest = release.as_ref().map(Release::manifest);
            listed.push(Listed {
                id: dir.id.to_string(),
                is_latest: Some(&dir.id) == latest.as_ref(),
                damage,
                commit: manifest.and_then(|manifest| manifest.commit.clone()),
                created: manifest.and_then(|manifest| manifest.created.clone()),
                files: manifest.map_or(0, |manifest| manifest.files.len()),
                site_bytes: manifest.map_or(0, |manifest| manifest.transfer_bytes(None)),
                signature: release.as_ref().map(|release| Signed::of(release, &project.trust)),
            });
        }
        let text =
            if self.json { serde_json::to_string_pretty(&listed)? + "\n" } else { table(&listed) };
        command::print(&text)?;
        Ok(Exit::Passed)
    }
}

fn table(listed: &[Listed]) -> String {
    if listed.is_empty() {
        return "no release was built yet: `cargo xtask build` makes one\n".to_owned();
    }
    let mut table = Table::new(&["", "release", "files", "site", "signature"]);
    for it in listed {
        let (files, size) = if it.damage.is_some() {
            ("-".to_owned(), "-".to_owned())
        } else {
            (it.files.to_string(), Unit::Bytes.show(it.site_bytes as f64))
        };
        table.row([
            if it.is_latest { "*" } else { "" }.to_owned(),
            it.id.clone(),
            files,
            size,
            it.signature.as_ref().map_or_else(|| "DAMAGED".to_owned(), Signed::cell),
        ]);
    }
    let mut text = table.text();
    text += if listed.iter().any(|it| it.is_latest) {
        "\n* the latest\n"
    } else {
        "\n`latest` names none of them: `cargo xtask build` makes it name one\n"
    };
    for it in listed {
        if let Some(damage) = &it.damage {
            text += &format!("\n{} is damaged: {damage}\n", it.id);
        }
    }
    text
}

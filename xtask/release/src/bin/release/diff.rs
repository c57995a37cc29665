//! `xtask release diff`.

use clap::Args;
use release::command::{self, Project};
use release::diff::{ChangeKind, Difference, FileChange, Sides};
use report::{Exit, Unit};
use std::collections::BTreeMap;
use std::fmt::Write;

#[derive(Debug, Args)]
pub struct Diff {
    /// The release before.
    a: String,
    /// The release after.
    b: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Diff {
    pub fn run(self) -> anyhow::Result<Exit> {
        let project = Project::here()?;
        let before = project.release(Some(&self.a))?;
        let after = project.release(Some(&self.b))?;
        let difference = Difference::of(before.manifest(), after.manifest());
        let text = if self.json {
            serde_json::to_string_pretty(&difference)? + "\n"
        } else {
            let ids = format!("{} -> {}\n", before.manifest().id, after.manifest().id);
            ids + &text(&difference)
        };
        command::print(&text)?;
        Ok(Exit::Passed)
    }
}

fn text(difference: &Difference) -> String {
    if difference.is_empty() {
        return "\nno difference\n".to_owned();
    }
    let mut text = String::new();
    if !difference.files.is_empty() {
        text += "\nfiles\n";
        difference.files.iter().for_each(|file| text += &file_line(file));
        text += &totals(&difference.files);
    }
    section(&mut text, "headers", &difference.headers);
    section(&mut text, "release", &difference.facts);
    text
}

fn file_line(file: &FileChange) -> String {
    let size = |bytes: Option<u64>| Unit::Bytes.show(bytes.unwrap_or_default() as f64);
    let Sides { before, after } = file.size_bytes;
    let path = file.path.escape_debug();
    match file.kind {
        ChangeKind::Added => format!("+ {path}  {}\n", size(after)),
        ChangeKind::Removed => format!("- {path}  {}\n", size(before)),
        ChangeKind::Sent => format!("= {path}  the same, sent otherwise\n"),
        ChangeKind::Changed => format!("~ {path}  {} -> {}\n", size(before), size(after)),
    }
}

fn totals(files: &[FileChange]) -> String {
    let count = |kind| files.iter().filter(|file| file.kind == kind).count();
    let sum = |of: fn(&FileChange) -> Option<u64>| files.iter().filter_map(of).sum::<u64>() as f64;
    let (before, after) = (sum(|file| file.size_bytes.before), sum(|file| file.size_bytes.after));
    let sign = if after < before { "-" } else { "+" };
    format!(
        "{} added, {} removed, {} changed, {} sent otherwise: {sign}{}\n",
        count(ChangeKind::Added),
        count(ChangeKind::Removed),
        count(ChangeKind::Changed),
        count(ChangeKind::Sent),
        Unit::Bytes.show((after - before).abs())
    )
}

fn section(text: &mut String, title: &str, changes: &BTreeMap<String, Sides<String>>) {
    if changes.is_empty() {
        return;
    }
    // Writing to a text cannot fail.
    let _ = writeln!(text, "\n{title}");
    for (name, Sides { before, after }) in changes {
        let _ = match (before, after) {
            (Some(before), Some(after)) => writeln!(text, "~ {name}: {before} -> {after}"),
            (Some(before), None) => writeln!(text, "- {name}: {before}"),
            (None, Some(after)) => writeln!(text, "+ {name}: {after}"),
            (None, None) => Ok(()),
        };
    }
}

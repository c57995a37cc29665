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
    /// The release after [default: the latest].
    b: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Diff {
    pub fn run(self) -> anyhow::Result<Exit> {
        let project = Project::here()?;
        let before = project.release(Some(&self.a))?;
        let after = project.release(self.b.as_deref())?;
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
        ChangeKind::Sent if file.sent.is_empty() => format!("= {path}  compressed otherwise\n"),
        ChangeKind::Sent => {
            let mut text = format!("= {path}  the same, sent otherwise\n");
            for (name, sides) in &file.sent {
                let [before, after] =
                    [&sides.before, &sides.after].map(|side| side.as_deref().unwrap_or("none"));
                text += &format!("    {name}: {before} -> {after}\n");
            }
            text
        }
        ChangeKind::Changed if before == after => {
            format!("~ {path}  {}, the same size\n", size(before))
        }
        ChangeKind::Changed if size(before) == size(after) => {
            format!("~ {path}  {}, {}\n", size(before), grown(before, after))
        }
        ChangeKind::Changed => format!("~ {path}  {} -> {}\n", size(before), size(after)),
    }
}

/// `+5 B`
fn grown(before: Option<u64>, after: Option<u64>) -> String {
    let [before, after] = [before, after].map(Option::unwrap_or_default);
    let sign = if after < before { "-" } else { "+" };
    format!("{sign}{}", Unit::Bytes.show(after.abs_diff(before) as f64))
}

fn totals(files: &[FileChange]) -> String {
    let counts = [
        (ChangeKind::Added, "added"),
        (ChangeKind::Removed, "removed"),
        (ChangeKind::Changed, "changed"),
        (ChangeKind::Sent, "sent otherwise"),
    ]
    .into_iter()
    .map(|(kind, word)| (files.iter().filter(|file| file.kind == kind).count(), word))
    .filter(|(count, _)| *count > 0)
    .map(|(count, word)| format!("{count} {word}"));
    let sum = |of: fn(&FileChange) -> Option<u64>| files.iter().filter_map(of).sum::<u64>();
    let (before, after) = (sum(|file| file.size_bytes.before), sum(|file| file.size_bytes.after));
    let counts = counts.collect::<Vec<_>>().join(", ");
    format!("{counts}: {}\n", grown(Some(before), Some(after)))
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

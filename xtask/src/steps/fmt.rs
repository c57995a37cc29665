//! The formatting, checked by rustfmt: one finding for each hunk that it would change.

use crate::context::Context;
use crate::process;
use crate::steps::step;
use report::{Exit, Finding, Outcome, Place, Status};
use std::collections::BTreeSet;
use std::io::{IsTerminal, Write};
use xshell::cmd;

/// Lines of a hunk that a finding shows; the whole difference stands in the output.
const MAX_HUNK_LINES: usize = 30;

/// Check the formatting.
#[derive(Debug, clap::Args)]
pub struct Fmt {
    /// Format the files instead of checking them.
    #[arg(long)]
    fix: bool,
}

impl Fmt {
    pub fn run(self, cx: &Context) -> anyhow::Result<Exit> {
        step::run(cx, "fmt", || if self.fix { fix(cx) } else { check(cx) })
    }
}

/// Checks the formatting of the workspace.
///
/// # Errors
/// When cargo cannot be started.
pub fn check(cx: &Context) -> anyhow::Result<Outcome> {
    let shell = cx.shell()?;
    let cargo = process::cargo();
    let color = if std::io::stdout().is_terminal() { "always" } else { "never" };
    let command = cmd!(shell, "{cargo} fmt --check -- --color {color}");
    let mut hunks = Hunks::new(cx);
    let (status, complaint) = process::lines_and_complaint(command, |line| {
        let mut stdout = std::io::stdout().lock();
        stdout.write_all(line)?;
        stdout.write_all(b"\n")?;
        hunks.line(&plain(line));
        Ok(())
    })?;
    let mut findings = hunks.end();
    let files: BTreeSet<String> =
        findings.iter().filter_map(|finding| finding.place.as_ref()).filter_map(file).collect();
    let summary = match files.len() {
        0 => "formatted".to_owned(),
        1 => "1 file to format".to_owned(),
        count => format!("{count} files to format"),
    };
    if !status.success() && findings.is_empty() {
        findings.extend(errors(cx, &complaint));
    }
    let mut outcome = Outcome::of(summary, findings, Vec::new());
    if !status.success() {
        outcome.status = Status::Failed;
        outcome.exit_code = 1;
        if files.is_empty() {
            "rustfmt could not check it".clone_into(&mut outcome.summary);
        }
    }
    Ok(outcome)
}

fn fix(cx: &Context) -> anyhow::Result<Outcome> {
    let shell = cx.shell()?;
    let cargo = process::cargo();
    let status = process::status(cmd!(shell, "{cargo} fmt"))?;
    Ok(if status.success() {
        Outcome::passed("formatted")
    } else {
        Outcome::failed("rustfmt failed: see its output")
    })
}

fn file(place: &Place) -> Option<String> {
    match place {
        Place::File { path, .. } => Some(path.clone()),
        Place::Url { .. } => None,
    }
}

/// A line without the terminal's escape sequences (ECMA-48 and the character set's, as terminfo has
/// them).
fn plain(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, if c == '\u{1b}' { chars.next() } else { None }) {
            ('\u{1b}', Some('[')) => {
                chars.find(char::is_ascii_alphabetic);
            }
            ('\u{1b}', Some('(')) => {
                chars.next();
            }
            ('\u{1b}', _) => {}
            _ => out.push(c),
        }
    }
    out
}

/// Collects the hunks of `cargo fmt --check`: a line `Diff in PATH:LINE:`, then the difference.
#[derive(Debug)]
struct Hunks<'a> {
    cx: &'a Context,
    findings: Vec<Finding>,
    open: Option<(Place, Vec<String>, usize)>,
}

impl<'a> Hunks<'a> {
    fn new(cx: &'a Context) -> Hunks<'a> {
        Hunks { cx, findings: Vec::new(), open: None }
    }

    fn line(&mut self, line: &str) {
        if let Some(place) = self.head(line) {
            self.close();
            self.open = Some((place, Vec::new(), 0));
        } else if let Some((_, hunk, left_out)) = &mut self.open {
            if hunk.len() < MAX_HUNK_LINES {
                hunk.push(line.to_owned());
            } else {
                *left_out += 1;
            }
        }
    }

    fn head(&self, line: &str) -> Option<Place> {
        let text = line.strip_prefix("Diff in ")?.trim_end_matches(':');
        // `PATH at line 12` until Rust 1.76, `PATH:12` since.
        let (path, number) = text.rsplit_once(" at line ").or_else(|| text.rsplit_once(':'))?;
        Some(Place::line(self.cx.relative(path.as_ref()), number.trim().parse().ok()?))
    }

    fn close(&mut self) {
        let Some((place, mut hunk, left_out)) = self.open.take() else { return };
        while hunk.last().is_some_and(|line| line.trim().is_empty()) {
            hunk.pop();
        }
        if left_out > 0 {
            hunk.push(format!("… {left_out} more lines"));
        }
        let message = format!("rustfmt would change this\n{}", hunk.join("\n"));
        let finding = Finding::error("rustfmt::diff", message).at(place);
        self.findings.push(finding.help("`cargo xtask fmt --fix` formats it"));
    }

    fn end(mut self) -> Vec<Finding> {
        self.close();
        self.findings
    }
}

/// What rustfmt could not read: `error: MESSAGE`, then ` --> FILE:LINE:COLUMN`.
fn errors(cx: &Context, complaint: &str) -> Vec<Finding> {
    let lines: Vec<String> = complaint.lines().map(|line| plain(line.as_bytes())).collect();
    let mut findings = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some(message) = line.strip_prefix("error: ") else { continue };
        let mut finding = Finding::error("rustfmt::error", message);
        let next = lines.get(at + 1).and_then(|line| line.trim().strip_prefix("--> "));
        finding.place = next.and_then(|place| {
            let mut parts = place.rsplitn(3, ':');
            let _column = parts.next()?;
            let line = parts.next()?.parse().ok()?;
            Some(Place::line(cx.relative(parts.next()?.as_ref()), line))
        });
        findings.push(finding);
    }
    if findings.is_empty() {
        findings.push(Finding::error("rustfmt::error", "cargo fmt failed: see its output"));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hunks(output: &str) -> Vec<String> {
        let cx = Context { root: "/home/me/demo".into() };
        let mut hunks = Hunks::new(&cx);
        for line in output.lines() {
            hunks.line(&plain(line.as_bytes()));
        }
        let show = |finding: &Finding| {
            format!("{} {}", finding.place.as_ref().unwrap(), finding.message.replace('\n', "|"))
        };
        hunks.end().iter().map(show).collect()
    }

    #[test]
    fn every_hunk_is_a_finding_at_its_line() {
        let output = "Diff in /home/me/demo/src/lib.rs:10:\n pub fn add() {\n\
            \u{1b}[31m-    return a+b;\n\u{1b}(B\u{1b}[m\u{1b}[32m+    return a + b;\n\
            \u{1b}(B\u{1b}[m }\n \nDiff in /home/me/demo/a b.rs at line 3:\n-x\n";
        assert_eq!(
            hunks(output),
            [
                "src/lib.rs:10 rustfmt would change this| pub fn add() {|-    return a+b;|\
                 +    return a + b;| }",
                "a b.rs:3 rustfmt would change this|-x",
            ]
        );
    }

    #[test]
    fn what_cannot_be_parsed_is_a_finding_with_its_place() {
        let cx = Context { root: "/home/me/demo".into() };
        let complaint = "error: expected `{`, found `;`\n --> /home/me/demo/src/lib.rs:3:9\n  |\n";
        let found = errors(&cx, complaint);
        assert_eq!(found[0].message, "expected `{`, found `;`");
        assert_eq!(found[0].place.as_ref().unwrap().to_string(), "src/lib.rs:3");
    }
}

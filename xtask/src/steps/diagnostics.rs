//! Cargo's messages as JSON (`--message-format=json`), read as findings.
//!
//! Format: <https://doc.rust-lang.org/cargo/reference/external-tools.html#json-messages> and
//! <https://doc.rust-lang.org/rustc/json.html>. A line that is no message of the compiler is left
//! alone; a message seen twice (a library and its tests) is one finding.

use crate::context::Context;
use crate::process;
use report::{Finding, Level, Place};
use serde::Deserialize;
use std::collections::HashSet;
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::Command;

/// Findings kept of one run; a type error in a macro can give tens of thousands.
const MAX_FINDINGS: usize = 2_000;

/// What a cargo command with JSON messages came to.
#[derive(Debug)]
pub struct Diagnosed {
    pub findings: Vec<Finding>,
    /// Its exit code.
    pub code: i32,
}

/// The flag that asks cargo for JSON messages, coloured as the place they are shown in wants.
pub fn message_format() -> &'static str {
    if std::io::stdout().is_terminal() {
        "--message-format=json-diagnostic-rendered-ansi"
    } else {
        "--message-format=json"
    }
}

/// Runs a cargo command that prints JSON messages; the compiler's own rendering goes to standard
/// output as it comes. A failure without any diagnostic, such as a broken manifest, becomes a
/// finding as well.
///
/// # Errors
/// When it cannot be run.
pub fn run(cx: &Context, command: impl Into<Command>) -> anyhow::Result<Diagnosed> {
    let mut reader = Reader::new(cx);
    let (status, complaint) = process::lines_and_complaint(command, |line| {
        if let Some(rendered) = reader.line(line) {
            std::io::stdout().write_all(rendered.as_bytes())?;
        }
        Ok(())
    })?;
    let mut findings = reader.findings;
    if !status.success() && !findings.iter().any(|finding| finding.level == Level::Error) {
        findings.push(Finding::error("cargo::error", said_in(&complaint)));
    }
    Ok(Diagnosed { findings, code: process::code(status) })
}

/// Counts findings for an outcome's summary: `2 errors, 1 warning`.
pub fn count(findings: &[Finding]) -> String {
    let of = |level: Level, word: &str| {
        let count = findings.iter().filter(|finding| finding.level == level).count();
        (count > 0).then(|| format!("{count} {word}{}", if count == 1 { "" } else { "s" }))
    };
    let parts = [of(Level::Error, "error"), of(Level::Warning, "warning")];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// Cargo's own error and its causes, found in what it wrote to standard error.
fn said_in(complaint: &str) -> String {
    let lines: Vec<&str> =
        complaint.lines().skip_while(|line| !line.starts_with("error")).collect();
    let said = lines.join("\n").trim().trim_start_matches("error: ").to_owned();
    if said.is_empty() { "cargo failed: see its output".to_owned() } else { said }
}

/// Collects findings from lines of messages.
#[derive(Debug)]
pub struct Reader<'a> {
    cx: &'a Context,
    seen: HashSet<Finding>,
    pub findings: Vec<Finding>,
}

impl<'a> Reader<'a> {
    pub fn new(cx: &'a Context) -> Reader<'a> {
        Reader { cx, seen: HashSet::new(), findings: Vec::new() }
    }

    /// Reads a line; gives the compiler's rendering of a message that is new.
    pub fn line(&mut self, line: &[u8]) -> Option<String> {
        let message: Message = serde_json::from_slice(line).ok()?;
        let mut diagnostic = message.message?;
        let rendered = diagnostic.rendered.take();
        let Some(finding) = diagnostic.finding(self.cx) else { return rendered };
        if !self.seen.insert(finding.clone()) {
            return None;
        }
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push(finding);
        }
        rendered
    }
}

#[derive(Debug, Deserialize)]
struct Message {
    message: Option<Diagnostic>,
}

#[derive(Debug, Deserialize)]
struct Diagnostic {
    message: String,
    level: String,
    code: Option<Code>,
    #[serde(default)]
    spans: Vec<Span>,
    #[serde(default)]
    children: Vec<Diagnostic>,
    rendered: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Code {
    code: String,
}

#[derive(Debug, Deserialize)]
struct Span {
    file_name: String,
    line_start: u32,
    line_end: u32,
    column_start: u32,
    is_primary: bool,
    suggested_replacement: Option<String>,
    expansion: Option<Box<Expansion>>,
}

#[derive(Debug, Deserialize)]
struct Expansion {
    span: Span,
}

impl Diagnostic {
    fn finding(&self, cx: &Context) -> Option<Finding> {
        let level = match self.level.as_str() {
            "warning" => Level::Warning,
            "note" | "help" => Level::Note,
            "failure-note" => return None,
            _ => Level::Error,
        };
        // "aborting due to 2 previous errors", "3 warnings emitted": they count, and say nothing new.
        if self.code.is_none() && self.spans.is_empty() && is_count(&self.message) {
            return None;
        }
        let code = self.code.as_ref().map(|code| code.code.as_str());
        let rule = match code {
            Some(lint) if lint.contains("::") => lint.to_owned(),
            Some(code) => format!("rustc::{code}"),
            None => "rustc::error".to_owned(),
        };
        let mut finding = Finding::new(level, rule, self.message.clone());
        finding.place = self.place(cx);
        finding.help = self.help();
        finding.url = self.url(code);
        Some(finding)
    }

    fn place(&self, cx: &Context) -> Option<Place> {
        let primary = self.spans.iter().find(|span| span.is_primary).or(self.spans.first())?;
        // What a macro of a dependency expands to is shown where the project calls it.
        let calls = std::iter::successors(Some(primary), |span| {
            span.expansion.as_deref().map(|expansion| &expansion.span)
        });
        let local = calls.into_iter().find(|span| is_local(cx, &span.file_name));
        let span = local.unwrap_or(primary);
        Some(Place::File {
            path: in_project(cx, &span.file_name),
            line: Some(span.line_start),
            column: Some(span.column_start),
            end_line: (span.line_end > span.line_start).then_some(span.line_end),
        })
    }

    /// What the compiler says to do: its help, with the replacement when that is one short line.
    fn help(&self) -> Option<String> {
        let helps = self.children.iter().filter(|child| {
            child.level == "help"
                && !child.message.starts_with("for further information visit")
                && !child.message.starts_with("to override `-D warnings`")
        });
        let texts: Vec<String> = helps
            .map(|child| {
                let mut texts =
                    child.spans.iter().filter_map(|s| s.suggested_replacement.as_deref());
                match texts.next().map(str::trim) {
                    Some(text) if !text.is_empty() && !text.contains('\n') => {
                        format!("{}: `{text}`", child.message)
                    }
                    _ => child.message.clone(),
                }
            })
            .collect();
        (!texts.is_empty()).then(|| texts.join("\n"))
    }

    fn url(&self, code: Option<&str>) -> Option<String> {
        let visit = "for further information visit ";
        let said = self.children.iter().find_map(|child| child.message.strip_prefix(visit));
        let is_error_code = |code: &&str| {
            code.len() == 5
                && code.starts_with('E')
                && code.bytes().skip(1).all(|byte| byte.is_ascii_digit())
        };
        said.map(str::to_owned).or_else(|| {
            let code = code.filter(is_error_code)?;
            Some(format!("https://doc.rust-lang.org/error_codes/{code}.html"))
        })
    }
}

fn is_count(message: &str) -> bool {
    message.starts_with("aborting due to") || message.ends_with(" emitted")
}

fn is_local(cx: &Context, file: &str) -> bool {
    let path = Path::new(file);
    if path.is_absolute() { path.starts_with(&cx.root) } else { !file.starts_with('<') }
}

/// A file as cargo names it, relative to the project's root. Cargo's names are relative to its
/// workspace, which may lie above the root.
pub fn in_project(cx: &Context, file: &str) -> String {
    let path = Path::new(file);
    if path.is_absolute() || cx.root.join(path).exists() {
        return cx.relative(path);
    }
    let above = cx.root.ancestors().skip(1).map(|folder| folder.join(path));
    above.into_iter().find(|path| path.exists()).map_or(file.to_owned(), |path| cx.relative(&path))
}

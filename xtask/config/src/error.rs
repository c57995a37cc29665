//! What is wrong with an `xtask.toml`, and where.

use crate::locate::locate;
use crate::{Config, FILE_NAME};
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// What is wrong with an `xtask.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    pub path: PathBuf,
    /// `None` for a file that could not be read.
    pub position: Option<Position>,
    /// What is wrong, what was expected and found; lowercase, no full stop.
    pub message: String,
    /// What to do next.
    pub help: Option<String>,
}

impl ConfigError {
    /// What is wrong with a step, or with one of its needs, in the `xtask.toml` of the project in
    /// `root`: found only when the steps were put together. What stands elsewhere, as a built-in
    /// step's own needs do, has no position.
    pub fn about_step(
        root: &Path,
        (step, need): (&str, Option<&str>),
        message: String,
        help: Option<String>,
    ) -> ConfigError {
        let path = root.join(FILE_NAME);
        let position = std::fs::read_to_string(&path).ok().and_then(|text| {
            let config: Config = toml::from_str(&text).ok()?;
            let section = config.steps.get(step)?;
            let Some(need) = need else { return locate(&text, &["steps".into(), step.into()]) };
            let index = section.needs.iter().flatten().position(|other| other == need)?;
            locate(&text, &["steps".into(), step.into(), "needs".into(), index.into()])
        });
        ConfigError { path, position, message, help }
    }
}

/// A place in the file, and the line that stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// 1-based.
    pub line: u32,
    /// 1-based, in characters.
    pub column: u32,
    /// How many characters of the line are meant; at least 1.
    pub width: u32,
    pub source: String,
}

impl Position {
    /// The place of a byte range. A range beyond the text is its end.
    pub fn of(text: &str, span: &Range<usize>) -> Position {
        let start = text.floor_char_boundary(span.start.min(text.len()));
        let end = text.floor_char_boundary(span.end.clamp(start, text.len()));
        let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |newline| start + newline);
        let width = text[start..end.min(line_end).max(start)].chars().count().max(1);
        Position {
            line: count(text[..start].matches('\n').count() + 1),
            column: count(text[line_start..start].chars().count() + 1),
            width: count(width),
            source: text[line_start..line_end].trim_end().to_owned(),
        }
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if let Some(position) = &self.position {
            write!(f, ":{}:{}", position.line, position.column)?;
        }
        write!(f, ": {}", self.message)?;
        if let Some(Position { line, column, width, source }) = &self.position {
            let number = line.to_string();
            let margin = " ".repeat(number.len());
            // Tabs are kept, so that the carets stand under what they mean.
            let lead: String = source
                .chars()
                .take(*column as usize - 1)
                .map(|c| if c == '\t' { '\t' } else { ' ' })
                .collect();
            let carets = "^".repeat(*width as usize);
            write!(f, "\n{margin} |\n{number} | {source}\n{margin} | {lead}{carets}")?;
        }
        if let Some(help) = &self.help {
            write!(f, "\n  help: {help}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

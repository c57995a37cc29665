//! One thing that a step noticed.

use serde::{Deserialize, Serialize};
use std::fmt;

/// How serious a finding is. Only [`Level::Error`] fails a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Worth knowing.
    Note,
    /// Should be mended; does not fail the step.
    Warning,
    /// Fails the step.
    Error,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Level::Note => "note",
            Level::Warning => "warning",
            Level::Error => "error",
        })
    }
}

/// Where a finding is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// A file, relative to the project's root, with `/` between its parts.
    File {
        path: String,
        /// 1-based.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        line: Option<u32>,
        /// 1-based, counted in characters.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        column: Option<u32>,
        /// 1-based, inclusive.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        end_line: Option<u32>,
    },
    /// An address.
    Url { url: String },
}

impl Place {
    /// A whole file.
    pub fn file(path: impl Into<String>) -> Place {
        Place::File { path: path.into(), line: None, column: None, end_line: None }
    }

    /// A line of a file, 1-based.
    pub fn line(path: impl Into<String>, line: u32) -> Place {
        Place::File { path: path.into(), line: Some(line), column: None, end_line: None }
    }

    /// An address.
    pub fn url(url: impl Into<String>) -> Place {
        Place::Url { url: url.into() }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Url { url } => f.write_str(url),
            Place::File { path, line, column, .. } => {
                f.write_str(path)?;
                if let Some(line) = line {
                    write!(f, ":{line}")?;
                    if let Some(column) = column {
                        write!(f, ":{column}")?;
                    }
                }
                Ok(())
            }
        }
    }
}

/// One thing that a step noticed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Finding {
    /// Stable id of the rule, `tool::rule` or an advisory's id: `clippy::unwrap_used`,
    /// `RUSTSEC-2024-0003`, `smoke::status`.
    pub rule: String,
    pub level: Level,
    /// What is wrong: one sentence, then any number of lines of detail.
    pub message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// Where to read more about the rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

impl Finding {
    /// A finding that fails the step.
    pub fn error(rule: impl Into<String>, message: impl Into<String>) -> Finding {
        Finding::new(Level::Error, rule, message)
    }

    /// A finding that should be mended.
    pub fn warning(rule: impl Into<String>, message: impl Into<String>) -> Finding {
        Finding::new(Level::Warning, rule, message)
    }

    /// A finding worth knowing.
    pub fn note(rule: impl Into<String>, message: impl Into<String>) -> Finding {
        Finding::new(Level::Note, rule, message)
    }

    /// A finding without place, help or address.
    pub fn new(level: Level, rule: impl Into<String>, message: impl Into<String>) -> Finding {
        Finding {
            rule: rule.into(),
            level,
            message: message.into(),
            place: None,
            help: None,
            url: None,
        }
    }

    #[must_use]
    pub fn at(mut self, place: Place) -> Finding {
        self.place = Some(place);
        self
    }

    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Finding {
        self.help = Some(help.into());
        self
    }

    #[must_use]
    pub fn url(mut self, url: impl Into<String>) -> Finding {
        self.url = Some(url.into());
        self
    }
}

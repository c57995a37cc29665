//! What is wrong with an `xtask.toml`, and where.

use std::fmt;
use std::path::PathBuf;

/// What is wrong with an `xtask.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    pub path: PathBuf,
    /// 1-based line and column, in characters; `None` for a file that could not be read.
    pub position: Option<(u32, u32)>,
    /// What is wrong, what was expected and found; lowercase, no full stop.
    pub message: String,
    /// What to do next.
    pub help: Option<String>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if let Some((line, column)) = self.position {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", self.message)?;
        if let Some(help) = &self.help {
            write!(f, "\n  help: {help}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

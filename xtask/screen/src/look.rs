//! What the screen can show: colour, Unicode, columns, lines, and whether lines can be redrawn.

use clap::ValueEnum;
use report::{Level, Status};
use std::ffi::OsString;
use std::io::IsTerminal;

/// Columns when nothing is known of the screen, and the most that tables use on any screen.
pub const COLUMNS: usize = 80;
/// Lines when nothing is known of the screen.
const LINES: usize = 24;
/// A screen narrower than this is treated as if it had so many columns: nothing can be shown on less.
const MIN_COLUMNS: usize = 20;

/// When to use colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    #[default]
    Auto,
    Always,
    Never,
}

/// What standard output is read by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// A person, who sees lines change where the screen can do that.
    Person,
    /// A person, who wants every line to stay.
    Plain,
    /// A log of GitHub Actions: no terminal, but it shows colours.
    ActionsLog,
}

/// What the screen can show.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    pub color: bool,
    /// Whether signs and bars beyond ASCII can be shown.
    pub unicode: bool,
    pub columns: usize,
    pub lines: usize,
    /// Whether lines can be redrawn in place.
    pub live: bool,
}

/// What a piece of text is, which decides its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    Good,
    Bad,
    Careful,
    Quiet,
    Strong,
    Accent,
}

impl Look {
    /// Of standard output, in the environment of this process.
    pub fn of_stdout(reader: Reader, color: Color) -> Look {
        let is_terminal = std::io::stdout().is_terminal();
        let look = Look::of(reader, color, is_terminal, |name| std::env::var_os(name));
        if is_terminal { look.measured() } else { look }
    }

    /// `get` reads an environment variable.
    fn of(
        reader: Reader,
        color: Color,
        is_terminal: bool,
        get: impl Fn(&str) -> Option<OsString>,
    ) -> Look {
        let is_set = |name: &str| get(name).is_some_and(|value| !value.is_empty());
        let is_dumb = get("TERM").is_some_and(|term| term == "dumb");
        let is_on = |name: &str| is_set(name) && get(name).is_some_and(|value| value != "0");
        let color = match color {
            Color::Always => true,
            Color::Never => false,
            // https://no-color.org and https://bixense.com/clicolors
            Color::Auto if is_set("NO_COLOR") => false,
            Color::Auto if is_on("CLICOLOR_FORCE") => true,
            Color::Auto if reader == Reader::ActionsLog => true,
            Color::Auto => is_terminal && !is_dumb && get("CLICOLOR").is_none_or(|v| v != "0"),
        };
        // POSIX: the first of these that is set and not empty decides.
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
            .into_iter()
            .filter_map(&get)
            .find(|value| !value.is_empty())
            .unwrap_or_default();
        let locale = locale.to_string_lossy().to_ascii_lowercase();
        Look {
            color,
            unicode: cfg!(windows)
                || reader == Reader::ActionsLog
                || locale.contains("utf-8")
                || locale.contains("utf8"),
            columns: COLUMNS,
            lines: LINES,
            live: is_terminal && !is_dumb && reader == Reader::Person,
        }
    }

    /// The same, with the size that the terminal has now.
    #[must_use]
    pub fn measured(mut self) -> Look {
        if let Ok(size) = rustix::termios::tcgetwinsize(std::io::stdout()) {
            if size.ws_col > 0 {
                self.columns = usize::from(size.ws_col).max(MIN_COLUMNS);
            }
            if size.ws_row > 0 {
                self.lines = usize::from(size.ws_row);
            }
        }
        self
    }

    /// Columns that tables and wrapped text use.
    pub fn measure(&self) -> usize {
        self.columns.min(COLUMNS)
    }

    pub fn paint(&self, ink: Ink, text: &str) -> String {
        if !self.color || text.is_empty() {
            return text.to_owned();
        }
        let code = match ink {
            Ink::Good => "32",
            Ink::Bad => "1;31",
            Ink::Careful => "33",
            Ink::Quiet => "2",
            Ink::Strong => "1",
            Ink::Accent => "36",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }

    /// The sign before a step's line; a failure that does not count has its own.
    pub fn sign(&self, status: Status, is_allowed: bool) -> &'static str {
        match (status, self.unicode) {
            (Status::Passed, true) => "✓",
            (Status::Passed, false) => "+",
            (Status::Failed, _) if is_allowed => "!",
            (Status::Failed, true) => "✗",
            (Status::Failed, false) => "x",
            (Status::Skipped, true) => "○",
            (Status::Skipped, false) => "o",
            (Status::Cancelled, true) => "⊘",
            (Status::Cancelled, false) => "-",
        }
    }

    pub fn ellipsis(&self) -> &'static str {
        if self.unicode { "…" } else { "..." }
    }

    pub fn arrow(&self) -> &'static str {
        if self.unicode { "→" } else { "->" }
    }

    pub fn rule(&self) -> &'static str {
        if self.unicode { "─" } else { "-" }
    }
}

/// The colour of a status; a failure that does not count is only a warning.
pub fn ink_of(status: Status, is_allowed: bool) -> Ink {
    match status {
        Status::Passed => Ink::Good,
        Status::Failed if is_allowed => Ink::Careful,
        Status::Failed => Ink::Bad,
        Status::Skipped | Status::Cancelled => Ink::Quiet,
    }
}

pub fn ink_of_level(level: Level) -> Ink {
    match level {
        Level::Error => Ink::Bad,
        Level::Warning => Ink::Careful,
        Level::Note => Ink::Accent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(color: Color, is_terminal: bool, environment: &[(&str, &str)]) -> Look {
        Look::of(Reader::Person, color, is_terminal, |name| {
            environment.iter().find(|(n, _)| *n == name).map(|(_, value)| value.into())
        })
    }

    #[test]
    fn colour_is_decided_by_the_option_then_the_environment_then_the_terminal() {
        assert!(look(Color::Auto, true, &[]).color);
        assert!(!look(Color::Auto, false, &[]).color);
        assert!(!look(Color::Auto, true, &[("NO_COLOR", "1")]).color);
        assert!(look(Color::Auto, true, &[("NO_COLOR", "")]).color);
        assert!(!look(Color::Auto, true, &[("TERM", "dumb")]).color);
        assert!(!look(Color::Auto, true, &[("CLICOLOR", "0")]).color);
        assert!(look(Color::Auto, false, &[("CLICOLOR_FORCE", "1")]).color);
        assert!(!look(Color::Auto, false, &[("CLICOLOR_FORCE", "0")]).color);
        assert!(!look(Color::Auto, false, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]).color);
        assert!(look(Color::Always, false, &[("NO_COLOR", "1")]).color);
        assert!(!look(Color::Never, true, &[("CLICOLOR_FORCE", "1")]).color);
    }

    #[test]
    fn signs_need_a_locale_that_can_show_them() {
        assert!(look(Color::Auto, true, &[("LANG", "en_US.UTF-8")]).unicode);
        assert!(look(Color::Auto, true, &[("LC_ALL", "C.utf8"), ("LANG", "C")]).unicode);
        assert!(!look(Color::Auto, true, &[("LC_ALL", "C"), ("LANG", "de_DE.UTF-8")]).unicode);
        assert!(look(Color::Auto, true, &[("LC_ALL", ""), ("LANG", "de_DE.UTF-8")]).unicode);
        assert!(!look(Color::Auto, true, &[]).unicode);
    }

    #[test]
    fn only_a_terminal_that_can_move_its_cursor_is_live() {
        assert!(look(Color::Auto, true, &[]).live);
        assert!(!look(Color::Auto, true, &[("TERM", "dumb")]).live);
        assert!(!look(Color::Always, false, &[("CLICOLOR_FORCE", "1")]).live);
    }
}

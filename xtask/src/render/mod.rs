//! Renderers: one file each. All are fed the same events; none asks a step anything.
//!
//! What a run leaves for people and machines: something on standard output ([`Format`]), always the
//! HTML report in the run's folder, and whatever files [`Options`] asks for. The run's `report.json`
//! and the captured outputs are written by the run itself.

mod closing;
mod finding;
#[cfg(test)]
mod fixture;
mod github;
mod html;
mod json;
mod junit;
mod live;
mod progress;
mod sarif;
mod single;
mod stored;
mod terminal;
mod written;

pub use single::single;
pub use stored::Stored;

use crate::pipeline::event::Event;
use ::screen::look::{Color, Look, Reader};
use ::screen::{self, Screen, look, text};
use clap::ValueEnum;
use std::path::{Path, PathBuf};

/// Shows a run while it happens, or writes it down at its end. Renderers never fail a run: what
/// goes wrong while rendering is returned and becomes a warning.
pub trait Renderer {
    /// Called for every event, in order, from one thread.
    fn on(&mut self, event: &Event<'_>) -> anyhow::Result<()>;

    /// Called about ten times a second while steps run, for live lines.
    fn tick(&mut self) -> anyhow::Result<()> {
        Ok(())
    }
}

/// How a run is shown and what it leaves. Flattened into the commands that run steps.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Options {
    /// What is written to standard output.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT", help_heading = "Output")]
    pub format: Format,
    /// When to use colour; NO_COLOR and CLICOLOR_FORCE are respected.
    #[arg(long, value_enum, default_value_t, value_name = "WHEN", help_heading = "Output")]
    pub color: Color,
    /// Also write the run as JUnit XML.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub junit: Option<PathBuf>,
    /// Also write the findings as SARIF 2.1.0.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub sarif: Option<PathBuf>,
    /// Also write the HTML report here; it is always written to the run's folder.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub html: Option<PathBuf>,
}

/// What is written to standard output.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// `github` under GitHub Actions, else `terminal`.
    #[default]
    Auto,
    /// Live lines on a terminal, plain lines otherwise.
    Terminal,
    /// Plain lines, on a terminal too.
    Plain,
    /// Groups and annotations of GitHub Actions, job summary and outputs.
    Github,
    /// One JSON object a line for every event.
    Json,
}

impl Format {
    /// Who reads standard output when this is written there.
    fn reader(self) -> Reader {
        match self {
            Format::Terminal => Reader::Person,
            Format::Github => Reader::ActionsLog,
            Format::Auto | Format::Plain | Format::Json => Reader::Plain,
        }
    }

    /// What `auto` comes to in this environment.
    fn settled(self) -> Format {
        let is_github = std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true");
        match self {
            Format::Auto if is_github => Format::Github,
            Format::Auto => Format::Terminal,
            format => format,
        }
    }
}

/// The renderers of a run. `root` is the project's root, `folder` the run's own folder
/// (`target/xtask/runs/<run>`); both absolute.
pub fn renderers(options: &Options, root: &Path, folder: &Path) -> Vec<Box<dyn Renderer>> {
    let format = options.format.settled();
    // A folder elsewhere stands in for the run's own, and is gone with the run.
    let page = folder.starts_with(root).then(|| folder.join("report.html"));
    let shown = page.as_ref().or(options.html.as_ref());
    let shown = shown.map(|page| relative(page, root)).unwrap_or_default();
    let look = Look::of_stdout(format.reader(), options.color);
    let mut renderers: Vec<Box<dyn Renderer>> = Vec::new();
    renderers.push(match format {
        Format::Json => Box::new(json::Json::new(Screen::stdout())),
        Format::Github => Box::new(github::Github::new(
            Screen::stdout(),
            look,
            shown,
            github::Files::of_environment(),
        )),
        _ => Box::new(terminal::Terminal::new(Screen::stdout(), look, Look::measured, shown)),
    });
    if let Some(path) = &options.junit {
        let document = |report: &_| Ok(junit::document(report));
        renderers.push(Box::new(written::Written::new(path.clone(), document)));
    }
    if let Some(path) = &options.sarif {
        let document = |report: &_| Ok(serde_json::to_string_pretty(&sarif::document(report))?);
        renderers.push(Box::new(written::Written::new(path.clone(), document)));
    }
    let pages = [page, options.html.clone()].into_iter().flatten().collect();
    renderers.push(Box::new(html::Html::new(root, pages)));
    renderers
}

/// A path as it is shown: relative to the root where it lies under it.
fn relative(path: &Path, root: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).display().to_string()
}

/// Prints a text; that nobody reads it is no error.
///
/// # Errors
/// When standard output cannot be written.
pub fn print(text: &str) -> std::io::Result<()> {
    Screen::stdout().show(text)
}

//! Opens or prints the last run's report, or that of a run named.

use crate::context::Context;
use crate::render::{Stored, print};
use clap::ValueEnum;
use report::{Exit, Fault};
use screen::look::Color;
use std::path::Path;
use std::process::{Command, Stdio};

/// Opens or prints the last run's report.
#[derive(Debug, clap::Args)]
pub struct ReportCommand {
    /// The run, by its id; the last one when none is named.
    run: Option<String>,
    /// What is printed.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: ReportFormat,
    /// When to use colour; NO_COLOR and CLICOLOR_FORCE are respected.
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    color: Color,
    /// Open the HTML report in the browser instead.
    #[arg(long, conflicts_with = "format")]
    open: bool,
}

/// What is printed of a run.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum ReportFormat {
    /// What the run showed at its end.
    #[default]
    Terminal,
    /// `report.json`.
    Json,
    /// The page.
    Html,
    /// JUnit XML.
    Junit,
    /// SARIF 2.1.0.
    Sarif,
    /// Where the page is.
    Path,
}

impl ReportCommand {
    pub fn run(self, cx: &Context) -> anyhow::Result<Exit> {
        let stored = Stored::open(&cx.root, self.run.as_deref())?;
        if self.open {
            open(&stored.html_path()?)?;
            return Ok(Exit::Passed);
        }
        print(&match self.format {
            ReportFormat::Terminal => stored.terminal(self.color),
            ReportFormat::Json => stored.json()?,
            ReportFormat::Html => stored.html()?,
            ReportFormat::Junit => stored.junit(),
            ReportFormat::Sarif => stored.sarif()?,
            ReportFormat::Path => format!("{}\n", stored.html_path()?.display()),
        })?;
        Ok(Exit::Passed)
    }
}

/// Hands a page to what this system opens pages with.
fn open(page: &Path) -> Result<(), Fault> {
    let opener = if cfg!(target_os = "macos") {
        "open"
    } else if cfg!(windows) {
        "explorer"
    } else {
        "xdg-open"
    };
    let result = Command::new(opener).arg(page).stdin(Stdio::null()).status();
    let shown = page.display();
    match result {
        // Explorer exits with 1 whatever happened.
        Ok(status) if status.success() || cfg!(windows) => Ok(()),
        Ok(status) => Err(Fault::unreachable(format!(
            "`{opener}` failed to open {shown} ({status}): open it in a browser yourself"
        ))),
        Err(error) => Err(Fault::unreachable(format!(
            "failed to start `{opener}`: {error}; open {shown} in a browser yourself"
        ))),
    }
}

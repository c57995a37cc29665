//! `xtask status`.

use crate::places::{Place, Places};
use crate::show::status_text;
use crate::signals::Signals;
use crate::view::{self, EnvironmentView, VIEW_VERSION};
use clap::Parser;
use jiff::Timestamp;
use release::command::{self, Project};
use report::{Exit, Fault};
use screen::look::{Color, Look, Reader};
use serde_json::json;
use std::path::Path;
use std::time::{Duration, Instant};

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Between two looks at whether to stop.
const LISTEN_EVERY: Duration = Duration::from_millis(50);

/// Show where the environments are: what is live, what is under way and what it waits for, who moves it,
/// what the edges say.
///
/// Exit codes: 0 shown; 2 wrong usage; 3 a store was not reachable; 4 a journal is not to be believed.
#[derive(Debug, Parser)]
#[command(name = "xtask-status", bin_name = "cargo xtask status", version)]
pub struct Status {
    /// This environment alone.
    #[arg(long, value_name = "ENV")]
    env: Option<String>,
    /// Show it again whenever it changes, until Ctrl-C.
    #[arg(long)]
    watch: bool,
    /// Print JSON; with --watch an object a line.
    #[arg(long)]
    json: bool,
    /// When to use colour; NO_COLOR and CLICOLOR_FORCE are respected.
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    color: Color,
}

impl Status {
    /// # Errors
    /// When a store cannot be read.
    pub fn run(self) -> anyhow::Result<Exit> {
        let (root, config) = Project::without_keys()?;
        let places = Places::of(&root, &config)?;
        let places = places.named(self.env.as_deref())?;
        if !self.watch {
            let (text, failure) = self.look(&root, &places);
            command::print(&text)?;
            return failure.map_or(Ok(Exit::Passed), Err);
        }
        let signals = Signals::watch()?;
        let mut shown = String::new();
        while !signals.is_caught() {
            let (text, failure) = self.look(&root, &places);
            let text = match failure {
                Some(failure) => format!("{text}error: {failure:#}\n"),
                None => text,
            };
            if text != shown {
                let clear = if self.live() { "\u{1b}[H\u{1b}[2J" } else { "" };
                command::print(&format!("{clear}{text}"))?;
                shown = text;
            }
            let began = Instant::now();
            while began.elapsed() < LOOK_EVERY && !signals.is_caught() {
                std::thread::sleep(LISTEN_EVERY);
            }
        }
        // It goes on until it is stopped: that is no failure.
        Ok(Exit::Passed)
    }

    fn live(&self) -> bool {
        !self.json && Look::of_stdout(Reader::Person, self.color).live
    }

    /// All that can be looked at, and the first reason why something cannot.
    fn look(&self, root: &Path, places: &[&Place]) -> (String, Option<anyhow::Error>) {
        let now = Timestamp::now();
        let mut failure = None;
        let mut views: Vec<EnvironmentView> = Vec::new();
        for place in places {
            match view::look(root, place, now) {
                Ok(view) => views.push(view),
                Err(error) => failure = failure.or(Some(unreachable(error))),
            }
        }
        let text = if self.json {
            let json = json!({ "version": VIEW_VERSION, "environments": views });
            if self.watch { format!("{json}\n") } else { format!("{json:#}\n") }
        } else {
            let look = Look::of_stdout(Reader::Person, self.color);
            status_text(&look, &views, now, self.watch && !look.live)
        };
        (text, failure)
    }
}

/// An error without an exit code of its own is of a world that was not reachable.
fn unreachable(error: anyhow::Error) -> anyhow::Error {
    match Fault::exit_of(&error) {
        Exit::Failed => error.context(Fault::unreachable("failed to look at an environment")),
        _ => error,
    }
}

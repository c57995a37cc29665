//! `xtask rollback`.

use crate::clock::SystemClock;
use crate::edges::{self, Following};
use crate::fault;
use crate::journal::RolloutId;
use crate::notify::Notifier;
use crate::places::{Place, Places};
use crate::preflight::{schema, stand};
use crate::record;
use crate::rollback::{RolledBack, roll_back};
use crate::show::{GoneBack, gone_back_text};
use clap::{Parser, ValueEnum};
use release::ReleaseId;
use release::command::{self, Project};
use release::store::stored_releases;
use report::{Exit, Fault};
use screen::look::{Color, Look, Reader};
use std::path::Path;
use std::time::{Duration, Instant};

/// How long the edges are waited for: one that follows at all does so within a tenth of a second,
/// unless the release is one that it has to load first.
const FOLLOW_LIMIT: Duration = Duration::from_secs(10);

/// Between two looks at whether they do.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Go back to the release that was live before: one write, whatever else is under way.
///
/// It asks no gate and waits for nothing: it works while a rollout runs, with a promoter that is dead,
/// with a candidate that is damaged, in a frozen environment, and with no edge running. A rollout that
/// is under way ends with it.
///
/// Exit codes: 0 the routing says so (a warning tells when an edge does not follow yet); 2 there is
/// nothing to go back to, or no such release; 3 the store was not reachable; 4 the journal is not to be
/// believed.
#[derive(Debug, Parser)]
#[command(name = "xtask-rollback", bin_name = "cargo xtask rollback", version)]
pub struct Rollback {
    /// Make this release live: its id, the start of it, or of its digits [default: what was live
    /// before].
    #[arg(long, value_name = "RELEASE")]
    to: Option<String>,
    /// The environment [default: the last one with a rollout under way, else the last one].
    #[arg(long, value_name = "ENV")]
    env: Option<String>,
    /// Why, for the journal.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// What is written to standard output.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: Format,
    /// When to use colour; NO_COLOR and CLICOLOR_FORCE are respected.
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    color: Color,
}

/// What is written to standard output.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Lines for people.
    #[default]
    Text,
    /// One JSON object.
    Json,
}

impl Rollback {
    /// # Errors
    /// Why nothing was changed; with the exit code.
    pub fn run(self) -> anyhow::Result<Exit> {
        let (root, config) = Project::without_keys()?;
        let places = Places::of(&root, &config)?;
        let place = match &self.env {
            Some(name) => places.find(name)?,
            None => the_one_that_moves(&places),
        };
        let to = self.to.as_deref().map(|name| named(place, name)).transpose()?;
        // Told apart before: afterwards it is over.
        let rollout = running(place);
        let done = roll_back(&*place.store, &SystemClock, to.as_ref(), self.reason.as_deref());
        let done = done.map_err(|error| fault::of_rollback(error, &place.name))?;
        let followed = follow(&root, place, &done);
        let mut warnings: Vec<String> = unusable_data(place, &done).into_iter().collect();
        let mut notifier = Notifier::new(&config.project.name, place);
        notifier.rolled_back(&done, rollout, self.reason.as_deref());
        let record = rollout.and_then(|rollout| {
            let written = record::rewrite(&root, place, rollout);
            written.unwrap_or_else(|error| {
                warnings.push(format!("the rollout's record was not written: {error:#}"));
                None
            })
        });
        warnings.extend(notifier.end());
        let back = GoneBack { environment: &place.name, done: &done, rollout, followed, record };
        let text = match self.format {
            Format::Text => gone_back_text(&Look::of_stdout(Reader::Plain, self.color), &back),
            Format::Json => serde_json::to_string(&back.json())? + "\n",
        };
        // What was done is done, whoever can read it: another exit code would have it done again.
        if let Err(error) = command::print(&text) {
            warnings.push(format!("{error:#}"));
        }
        for warning in warnings {
            eprintln!("warning: {warning}");
        }
        Ok(Exit::Passed)
    }
}

/// How the edges took it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Followed {
    /// All that can be asked, after so long from the command's write.
    After(Duration),
    NoEdge,
    /// Not within the time that was waited.
    NotYet(String),
}

fn follow(root: &Path, place: &Place, done: &RolledBack) -> Followed {
    let began = Instant::now();
    loop {
        let seen = edges::following(root, place, done.generation, done.to.as_ref());
        let is_over = began.elapsed() >= FOLLOW_LIMIT;
        match seen {
            Ok(Following::NoEdge) => return Followed::NoEdge,
            Ok(Following::All) => return Followed::After(done.took + began.elapsed()),
            Ok(Following::NotYet(why)) if is_over => return Followed::NotYet(why),
            Err(error) if is_over => return Followed::NotYet(format!("{error:#}")),
            Ok(Following::NotYet(_)) | Err(_) => std::thread::sleep(LOOK_AGAIN),
        }
    }
}

/// Why the server of what is gone back to may not start.
fn unusable_data(place: &Place, done: &RolledBack) -> Option<String> {
    schema::unusable(&stand(place).ok()?.state, done.to.as_ref()?)
}

/// The last environment in which a rollout is under way, else the last one.
fn the_one_that_moves(places: &Places) -> &Place {
    let moving = places.all().iter().rev().find(|place| running(place).is_some());
    moving.unwrap_or_else(|| places.last())
}

/// The rollout that is under way; one whose journal cannot be read is told by the rollback itself.
fn running(place: &Place) -> Option<RolloutId> {
    stand(place).ok()?.state.running().map(|rollout| rollout.id)
}

/// The release of a store that a person means.
fn named(place: &Place, name: &str) -> anyhow::Result<ReleaseId> {
    let all = stored_releases(&*place.store);
    let all = all.map_err(|error| fault::of_store_of(error, &place.name))?;
    let digits = |id: &ReleaseId| id.as_str().rsplit('-').next().unwrap_or_default().to_owned();
    let meant: Vec<&ReleaseId> = all
        .iter()
        .filter(|id| {
            !name.is_empty() && (id.as_str().starts_with(name) || digits(id).starts_with(name))
        })
        .collect();
    let list =
        |ids: &[&ReleaseId]| ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    match meant.as_slice() {
        [one] => Ok((*one).clone()),
        [] => {
            let known = list(&all.iter().rev().take(5).collect::<Vec<_>>());
            let known = if known.is_empty() { "none".to_owned() } else { known };
            let message =
                format!("the store of {} holds no release {name:?}; it holds: {known}", place.name);
            Err(Fault::usage(message).into())
        }
        many => Err(Fault::usage(format!("{name:?} may mean each of: {}", list(many))).into()),
    }
}

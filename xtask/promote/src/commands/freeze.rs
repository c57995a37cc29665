//! `xtask freeze` and `xtask unfreeze`.

use crate::fault;
use crate::journal::{Act, Journal, JournalError, Writer};
use crate::lease::{self, Holder};
use crate::places::{Place, Places};
use crate::state::State;
use clap::Parser;
use release::command::{self, Project};
use report::{Exit, Fault};

/// Let no rollout begin or go on in an environment, until `unfreeze`.
///
/// A rollout that is under way stays where it is: what is live stays live, the candidate keeps its
/// share. `rollback` works all the same.
///
/// Exit codes: 0 done; 2 wrong usage, or it is frozen already; 3 the store was not reachable.
#[derive(Debug, Parser)]
#[command(name = "xtask-freeze", bin_name = "cargo xtask freeze", version)]
pub struct Freeze {
    /// The environment [default: the last one].
    #[arg(long, value_name = "ENV")]
    env: Option<String>,
    /// Why, for those who meet it.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// Let rollouts begin and go on again in an environment.
///
/// Exit codes: 0 done; 2 wrong usage, or it is not frozen; 3 the store was not reachable.
#[derive(Debug, Parser)]
#[command(name = "xtask-unfreeze", bin_name = "cargo xtask unfreeze", version)]
pub struct Unfreeze {
    /// The environment [default: the last one].
    #[arg(long, value_name = "ENV")]
    env: Option<String>,
    /// Why.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

impl Freeze {
    /// # Errors
    /// When it is frozen already, or the store cannot be written.
    pub fn run(self) -> anyhow::Result<Exit> {
        let place = place(self.env.as_deref())?;
        let name = &place.name;
        if self.reason.trim().is_empty() {
            return Err(Fault::usage("expected a reason, found an empty one").into());
        }
        if let Some(frozen) = state(&place)?.frozen {
            let message = format!("{name} is frozen already by {}: {}", frozen.who, frozen.reason);
            return Err(Fault::usage(message).into());
        }
        append(&place, &Act::Freeze { reason: self.reason.clone() })?;
        command::print(&format!(
            "{name} is frozen: no rollout begins or goes on here\n  \
             cargo xtask unfreeze --env {name}\n"
        ))?;
        Ok(Exit::Passed)
    }
}

impl Unfreeze {
    /// # Errors
    /// When it is not frozen, or the store cannot be written.
    pub fn run(self) -> anyhow::Result<Exit> {
        let place = place(self.env.as_deref())?;
        let name = &place.name;
        let Some(frozen) = state(&place)?.frozen else {
            return Err(Fault::usage(format!("{name} is not frozen")).into());
        };
        append(&place, &Act::Unfreeze { reason: self.reason.clone() })?;
        let who = screen::text::line(frozen.who.as_bytes());
        command::print(&format!("{name} is no longer frozen; {who} had frozen it\n"))?;
        Ok(Exit::Passed)
    }
}

fn place(name: Option<&str>) -> anyhow::Result<Place> {
    let (root, config) = Project::without_keys()?;
    let places = Places::of(&root, &config)?;
    Ok(match name {
        Some(name) => places.find(name)?.clone(),
        None => places.last().clone(),
    })
}

fn state(place: &Place) -> anyhow::Result<State> {
    let journal = Journal::read(&*place.store);
    let journal = journal.map_err(|error| fault::of_journal_of(error, &place.name))?;
    Ok(State::of(journal.records()))
}

/// Writes an act that needs no lease: it moves no traffic.
///
/// # Errors
/// When the journal cannot be written.
pub fn append(place: &Place, act: &Act) -> anyhow::Result<()> {
    let (store, name) = (&*place.store, &place.name);
    let in_journal = |error| fault::of_journal_of(error, name);
    let mut journal = Journal::read(store).map_err(in_journal)?;
    let lease = lease::read(store).map_err(|error| fault::of_store_of(error, name))?;
    let fencing = lease.map_or(0, |lease| lease.fencing);
    let writer = Writer { who: Holder::this_process().who, fencing };
    let now = jiff::Timestamp::now();
    let make = |_| (None, act.clone());
    journal.append(store, &writer, now, make, |_| Ok::<(), JournalError>(())).map_err(in_journal)
}

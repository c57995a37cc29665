//! `xtask history`.

use crate::fault;
use crate::journal::{Head, Journal};
use crate::lease;
use crate::legal::first_illegal;
use crate::places::{Place, Places};
use crate::show::record_text;
use crate::state::State;
use clap::{Parser, Subcommand};
use release::command::{self, Project};
use release::routing::Routing;
use report::{Exit, Fault};
use screen::look::{Color, Ink, Look, Reader};
use serde_json::json;

/// Show what was done to the environments: who, when, what, why, from which commit.
///
/// Every act stands in an environment's journal before it is done, each record with the digest of the
/// one before.
///
/// Exit codes: 0 shown, or the journals hold; 2 wrong usage; 3 a store was not reachable; 4 a journal is
/// not to be believed.
#[derive(Debug, Parser)]
#[command(name = "xtask-history", bin_name = "cargo xtask history", version)]
pub struct History {
    #[command(subcommand)]
    command: Option<Command>,
    /// This environment alone.
    #[arg(long, value_name = "ENV", global = true)]
    env: Option<String>,
    /// Print JSON: the records as they stand in the journal.
    #[arg(long, global = true)]
    json: bool,
    /// The last so many records of each environment.
    #[arg(short = 'n', long, value_name = "NUMBER", default_value_t = 20)]
    last: usize,
    /// When to use colour; NO_COLOR and CLICOLOR_FORCE are respected.
    #[arg(long, value_enum, default_value_t, value_name = "WHEN", global = true)]
    color: Color,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Prove the journals: the chain of digests, their end, the order of the acts, and that the routing is
    /// what they came to.
    Verify,
}

impl History {
    /// # Errors
    /// When a store cannot be read, or a journal is not to be believed.
    pub fn run(self) -> anyhow::Result<Exit> {
        let (root, config) = Project::without_keys()?;
        let places = Places::of(&root, &config)?;
        let places = places.named(self.env.as_deref())?;
        match self.command {
            Some(Command::Verify) => verify(&places, self.json),
            None => self.list(&places),
        }
    }

    fn list(&self, places: &[&Place]) -> anyhow::Result<Exit> {
        let look = Look::of_stdout(Reader::Plain, self.color);
        let mut text = String::new();
        for place in places {
            let name = &place.name;
            let journal = Journal::read(&*place.store);
            let journal = journal.map_err(|error| fault::of_journal_of(error, name))?;
            let records = journal.records();
            let last = &records[records.len().saturating_sub(self.last)..];
            if self.json {
                for record in last {
                    let line = json!({ "environment": name, "record": record });
                    text += &format!("{line}\n");
                }
                continue;
            }
            let heading = match records.len() {
                0 => format!("{}  nothing was done here yet\n", look.paint(Ink::Strong, name)),
                all if all > last.len() => {
                    format!(
                        "{}  the last {} of {all} records\n",
                        look.paint(Ink::Strong, name),
                        last.len()
                    )
                }
                _ => format!("{}\n", look.paint(Ink::Strong, name)),
            };
            text += &heading;
            text += &last.iter().map(|record| record_text(&look, record)).collect::<String>();
        }
        command::print(&text)?;
        Ok(Exit::Passed)
    }
}

/// What was found out about one journal.
struct Verified {
    environment: String,
    records: usize,
    /// The end that the lease remembers.
    head: Option<Head>,
    /// Why it is not to be believed.
    problem: Option<String>,
}

fn verify(places: &[&Place], is_json: bool) -> anyhow::Result<Exit> {
    let verified =
        places.iter().map(|place| verify_one(place)).collect::<anyhow::Result<Vec<_>>>()?;
    let mut text = String::new();
    for Verified { environment, records, head, problem } in &verified {
        if is_json {
            let line = json!({
                "environment": environment, "records": records,
                "remembered_end": head, "problem": problem,
            });
            text += &format!("{line}\n");
            continue;
        }
        text += &match (problem, head) {
            (Some(_), _) => format!("{environment}: NOT TO BE BELIEVED\n"),
            (None, Some(head)) => format!(
                "{environment}: {records} records hold; the lease remembers the end at {}\n",
                head.number
            ),
            (None, None) => format!("{environment}: {records} records hold\n"),
        };
    }
    command::print(&text)?;
    let problems: Vec<String> = verified
        .iter()
        .filter_map(|it| Some(format!("{}: {}", it.environment, it.problem.as_ref()?)))
        .collect();
    if problems.is_empty() {
        return Ok(Exit::Passed);
    }
    Err(Fault::refused(problems.join("; ")).into())
}

fn verify_one(place: &Place) -> anyhow::Result<Verified> {
    let (store, environment) = (&*place.store, place.name.clone());
    let lease = lease::read(store).map_err(|error| fault::of_store_of(error, &environment))?;
    let head = lease.and_then(|lease| lease.journal);
    let broken = |records, problem| {
        Ok(Verified { environment: environment.clone(), records, head, problem: Some(problem) })
    };
    let journal = match Journal::read(store) {
        Ok(journal) => journal,
        Err(error) => {
            let text = error.to_string();
            let error = fault::of_journal_of(error, &environment);
            // A store that cannot be read says nothing about its journal.
            return if Fault::exit_of(&error) == Exit::Refused {
                broken(0, text)
            } else {
                Err(error)
            };
        }
    };
    let count = journal.records().len();
    if let Some(head) = &head
        && let Err(error) = journal.check_head(head)
    {
        return broken(count, error.to_string());
    }
    if let Some((number, why)) = first_illegal(journal.records()) {
        return broken(count, format!("record {number} cannot stand where it does: {why}"));
    }
    let state = State::of(journal.records());
    let routing =
        Routing::read(store).map_err(|error| fault::of_stopped(error.into(), &environment))?;
    let live = routing.and_then(|(routing, _)| routing.live);
    let is_settled = state.running().is_none() && state.rollback.is_none();
    if is_settled && live != state.live {
        let name = |release: Option<&release::ReleaseId>| {
            release.map_or_else(|| "nothing".to_owned(), ToString::to_string)
        };
        let (live, state) = (name(live.as_ref()), name(state.live.as_ref()));
        return broken(count, format!("{live} is live by the routing, and {state} by the journal"));
    }
    Ok(Verified { environment, records: count, head, problem: None })
}

//! `xtask promote`.

use crate::fault;
use crate::journal::{Override, RolloutId};
use crate::lease::Holder;
use crate::notify::Notifier;
use crate::places::{Place, Places};
use crate::plan::{EnvironmentPlan, Todo};
use crate::preflight::{refusal, stand};
use crate::prepare::{Asked, Prepared, prepare};
use crate::record::Chronicle;
use crate::rollout::{Beginning, End};
use crate::show::{Ended, Follower, JsonLines, Terminal, Told};
use crate::signals::Signals;
use crate::state::State;
use crate::walk::{Approval, Equipment, Walk, approve_from_outside};
use clap::{Parser, ValueEnum};
use config::Gate;
use jiff::Timestamp;
use release::command::{self, Project};
use report::{Exit, Fault};
use screen::Screen;
use screen::look::{Color, Look, Reader};
use std::time::Instant;

/// Take a release through the environments, in the order in which they need each other.
///
/// Everything is looked at before anything is changed: the signature, every digest, the evidence, the
/// environments. Then each environment in turn: the release is uploaded, loaded without traffic, asked
/// by the gates, given its shares of the traffic, and made live; or what was live before is live again.
/// Where it is live already nothing is done.
///
/// Stopped by Ctrl-C or TERM, or killed, a rollout stays where it is: `--resume` goes on, `cargo xtask
/// rollback` goes back.
///
/// Exit codes: 0 it is live; 1 it turned back; 2 wrong usage; 3 a store or an edge was not reachable; 4
/// refused: something is missing, or another is moving the environment; 130, 143 stopped as asked.
#[derive(Debug, Parser)]
#[command(name = "xtask-promote", bin_name = "cargo xtask promote", version)]
pub struct Promote {
    /// The release's id, the start of it, or of its digits [default: the last one with evidence].
    release: Option<String>,
    /// Go as far as this environment [default: the last one].
    #[arg(long, value_name = "ENV")]
    to: Option<String>,
    /// Go on with the rollout that is under way.
    #[arg(long)]
    resume: bool,
    /// Show the whole plan, and what is missing; change nothing.
    #[arg(long)]
    dry_run: bool,
    /// Approve: for the gate `approval`. When the rollout is another process's, only that.
    #[arg(long)]
    approve: bool,
    /// Why, for the journal.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Go on although the live release could not use the data afterwards, or this one not what is
    /// there.
    #[arg(long)]
    allow_schema_break: bool,
    /// Keep no copy of the data before its schema changes.
    #[arg(long)]
    without_backup: bool,
    /// Go on although what is live is of a project with another name.
    #[arg(long)]
    allow_other_project: bool,
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
    /// One JSON object a line.
    Json,
}

impl Promote {
    /// # Errors
    /// What was refused, and what stopped it; with the exit code.
    pub fn run(self) -> anyhow::Result<Exit> {
        let project = Project::here()?;
        if self.approve
            && !self.dry_run
            && let Some((place, rollout)) = self.waiting(&project)?
        {
            approve_from_outside(&place, rollout, self.reason.as_deref())?;
            command::print(&format!(
                "approved rollout {rollout} in {}; whoever takes it through goes on\n",
                place.name
            ))?;
            return Ok(Exit::Passed);
        }
        let (release, to) = (self.release.as_deref(), self.to.as_deref());
        let overrides = self.overrides();
        let asked = Asked { release, to, is_resume: self.resume, overrides: &overrides };
        let prepared = prepare(&project, asked)?;
        let mut show = self.show();
        let id = prepared.plan.release.to_string();
        if prepared.plan.is_done() && !self.dry_run {
            let names: Vec<&str> =
                prepared.plan.environments.iter().map(|it| it.name.as_str()).collect();
            let message = format!("{id} is live in {} already; nothing to do", names.join(", "));
            match self.format {
                Format::Text => command::print(&format!("{message}\n"))?,
                Format::Json => show.on(Timestamp::now(), &Told::Plan(&prepared.plan)),
            }
            return Ok(Exit::Passed);
        }
        if prepared.plan.missing.is_empty() || self.dry_run || self.format == Format::Json {
            show.on(Timestamp::now(), &Told::Plan(&prepared.plan));
        }
        if !prepared.plan.missing.is_empty() {
            return Err(refusal(&id, &prepared.plan.missing).into());
        }
        if self.dry_run {
            return Ok(Exit::Passed);
        }
        let signals = Signals::watch()?;
        self.walk(&project, &prepared, &signals, show.as_mut())
    }

    fn overrides(&self) -> Vec<Override> {
        let mut overrides = Vec::new();
        if self.allow_schema_break {
            overrides.push(Override::SchemaBreak);
        }
        if self.without_backup {
            overrides.push(Override::NoBackup);
        }
        if self.allow_other_project {
            overrides.push(Override::OtherProject);
        }
        overrides
    }

    fn show(&self) -> Box<dyn Follower> {
        match self.format {
            Format::Text => {
                let look = Look::of_stdout(Reader::Person, self.color);
                Box::new(Terminal::new(Screen::stdout(), look))
            }
            Format::Json => Box::new(JsonLines::new(Screen::stdout())),
        }
    }

    /// The rollout that another process takes through, and that waits for an approval.
    fn waiting(&self, project: &Project) -> anyhow::Result<Option<(Place, RolloutId)>> {
        let places = Places::of(&project.root, &project.config)?;
        for place in places.way_to(self.to.as_deref())? {
            let standing = stand(place)?;
            let here = Holder::this_process();
            let is_held = standing
                .lease
                .as_ref()
                .is_some_and(|lease| lease.held_by(&here, Timestamp::now()).is_some());
            let Some(rollout) = standing.state.running().filter(|_| is_held && !self.resume) else {
                continue;
            };
            if rollout.plan.gates.contains(&Gate::Approval) && rollout.approved_by.is_none() {
                return Ok(Some((place.clone(), rollout.id)));
            }
        }
        Ok(None)
    }

    fn beginning<'a>(&self, prepared: &'a Prepared, plan: &EnvironmentPlan) -> Beginning<'a> {
        Beginning {
            manifest: &prepared.manifest,
            plan: plan.rollout.clone(),
            live: plan.live.clone(),
            reason: self.reason.clone(),
            // What nothing was refused for was not needed.
            overrides: self
                .overrides()
                .into_iter()
                .filter(|it| *it == Override::OtherProject || plan.schema.is_some())
                .collect(),
        }
    }

    fn walk(
        &self,
        project: &Project,
        prepared: &Prepared,
        signals: &Signals,
        show: &mut dyn Follower,
    ) -> anyhow::Result<Exit> {
        let began = Instant::now();
        let approval = self.approve.then(|| Approval { reason: self.reason.clone() });
        let may_ask = self.format == Format::Text;
        let mut ended = Ended {
            release: prepared.plan.release.clone(),
            exit: Exit::Passed,
            went_live: Vec::new(),
            turned_back: None,
            took: began.elapsed(),
            records: Vec::new(),
        };
        let mut failure = None;
        for (place, plan) in prepared.places.iter().zip(&prepared.plan.environments) {
            if plan.todo == Todo::IsLive {
                continue;
            }
            let name = place.name.as_str();
            let equipment = Equipment::of(project, place, may_ask)?;
            let mut chronicle = Chronicle::new(&project.root, &prepared.plan, name);
            let mut notifier = Notifier::new(&prepared.plan.project, place);
            for warning in notifier.warnings() {
                show.on(Timestamp::now(), &Told::Warning(&warning));
            }
            let walk = Walk {
                project,
                place,
                beginning: (plan.todo == Todo::Begin).then(|| self.beginning(prepared, plan)),
                approval: approval.as_ref(),
                may_ask,
                signals,
            };
            let end = walk.run(&equipment, &mut |event| {
                let (at, told) = (Timestamp::now(), Told::Rollout { environment: name, event });
                for follower in [&mut *show, &mut chronicle, &mut notifier] {
                    follower.on(at, &told);
                }
            });
            match end {
                Ok(End::Live) => ended.went_live.push(name.to_owned()),
                Ok(End::TurnedBack { reason }) => {
                    ended.exit = Exit::Failed;
                    ended.turned_back = Some((name.to_owned(), reason));
                }
                Err(stopped) => {
                    let reason = fault::with_causes(&stopped);
                    let rollout = running(place);
                    let told = Told::Stopped { environment: name, rollout, reason: &reason };
                    for follower in [&mut *show, &mut chronicle, &mut notifier] {
                        follower.on(Timestamp::now(), &told);
                    }
                    let error = fault::of_stopped(stopped, name);
                    ended.exit = signals.exit().unwrap_or_else(|| Fault::exit_of(&error));
                    failure = signals.exit().is_none().then_some(error);
                }
            }
            match chronicle.write(&*place.store) {
                Ok(record) => ended.records.extend(record),
                Err(error) => {
                    let warning = format!("the record was not written: {error:#}");
                    show.on(Timestamp::now(), &Told::Warning(&warning));
                }
            }
            for warning in notifier.end() {
                show.on(Timestamp::now(), &Told::Warning(&warning));
            }
            if ended.exit != Exit::Passed {
                break;
            }
        }
        ended.took = began.elapsed();
        show.on(Timestamp::now(), &Told::Ended(&ended));
        failure.map_or(Ok(ended.exit), Err)
    }
}

/// The rollout that is under way, as far as can be read.
fn running(place: &Place) -> Option<RolloutId> {
    let journal = crate::journal::Journal::read(&*place.store).ok()?;
    State::of(journal.records()).running().map(|rollout| rollout.id)
}

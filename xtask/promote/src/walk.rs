//! One environment of a promotion: takes the lease, keeps it, and lets the rollout go on to its end.

use crate::clock::{Clock, SystemClock};
use crate::edge_target::EdgeTarget;
use crate::gates::{Gates, Prompt};
use crate::journal::{Act, Journal, JournalError, RolloutId, Writer};
use crate::lease::{self, Claim, Holder};
use crate::places::Place;
use crate::prompt::TerminalPrompt;
use crate::rollout::{Beginning, End, Event, Leash, Rolling, Stopped};
use crate::signals::Signals;
use crate::state::State;
use crate::target::Target;
use crate::upload::LocalReleases;
use anyhow::Context;
use config::Gate;
use release::command::Project;
use report::Fault;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

/// How often the lease is looked at while a gate takes its time.
const KEEP_EVERY: Duration = Duration::from_secs(1);

/// What is to be done in one environment.
#[derive(Debug)]
pub struct Walk<'a> {
    pub project: &'a Project,
    pub place: &'a Place,
    /// `None`: the rollout that is under way goes on.
    pub beginning: Option<Beginning<'a>>,
    pub approval: Option<&'a Approval>,
    /// Whether a person may be asked at the terminal.
    pub may_ask: bool,
    pub signals: &'a Signals,
}

/// An approval that was given on the command line.
#[derive(Debug, Clone)]
pub struct Approval {
    pub reason: Option<String>,
}

/// What is needed to judge and serve an environment.
#[derive(Debug)]
pub struct Equipment {
    pub target: Arc<EdgeTarget>,
    pub gates: Gates,
}

impl Equipment {
    /// Of an environment.
    ///
    /// # Errors
    /// When its limits make no rules: exit code 2.
    pub fn of(project: &Project, place: &Place, may_ask: bool) -> anyhow::Result<Equipment> {
        let (name, root) = (place.name.as_str(), project.root.as_path());
        let store = Arc::clone(&place.store);
        let target = EdgeTarget::new(Arc::clone(&store), name, &place.settings, root);
        let target = Arc::new(target);
        let prompt = if may_ask { TerminalPrompt::here() } else { None };
        let prompt = prompt.map(|prompt| Box::new(prompt) as Box<dyn Prompt>);
        let gates = Gates::new(&project.config, name, root, store, Arc::clone(&target), prompt)
            .map_err(|error| Fault::usage(error.to_string()))?;
        Ok(Equipment { target, gates })
    }
}

impl Walk<'_> {
    /// Takes the release through, and gives the lease back however that ends.
    ///
    /// # Errors
    /// Why it stopped before its end; the journal says where.
    pub fn run(
        &self,
        equipment: &Equipment,
        tell: &mut dyn FnMut(&Event<'_>),
    ) -> Result<End, Stopped> {
        let (store, clock) = (&*self.place.store, SystemClock);
        let holder = Holder::this_process();
        let who = holder.who.clone();
        let held = lease::acquire(store, holder, Claim::IfFree, clock.now())?;
        let taken_from = held.taken_from.as_ref().map(ToString::to_string);
        let leash = Leash::new(who, held);
        let end = std::thread::scope(|scope| {
            let (over, is_over) = channel::<()>();
            let leash = &leash;
            scope.spawn(move || {
                // Ends when the other side is dropped.
                while is_over.recv_timeout(KEEP_EVERY) == Err(RecvTimeoutError::Timeout) {
                    leash.look(store);
                    // That it is lost, the rollout finds out before its next move.
                    leash.keep(store, &SystemClock).ok();
                }
            });
            let end = self.roll(equipment, leash, taken_from.as_deref(), tell);
            drop(over);
            end
        });
        // One that cannot be given back ends by itself.
        leash.release(store, &clock).ok();
        end
    }

    fn roll(
        &self,
        equipment: &Equipment,
        leash: &Leash,
        taken_from: Option<&str>,
        tell: &mut dyn FnMut(&Event<'_>),
    ) -> Result<End, Stopped> {
        let store = &*self.place.store;
        let journal = Journal::read(store)?;
        if let Some(head) = lease::read(store)?.and_then(|lease| lease.journal) {
            journal.check_head(&head)?;
        }
        leash.remember(journal.head());
        let mut approved = Ok(());
        let mut approving = |event: &Event<'_>| {
            if let Event::Began { rollout, .. } | Event::Resumed { rollout, .. } = event {
                approved = self.approve(*rollout, &leash.writer());
            }
            tell(event);
        };
        let upload = LocalReleases::new(&self.project.root, self.project.trust.clone());
        let target: &dyn Target = &*equipment.target;
        let signals = self.signals;
        let mut rolling = Rolling {
            store,
            target,
            judge: &equipment.gates,
            backup: &equipment.gates,
            upload: &upload,
            clock: &SystemClock,
            leash,
            journal,
            tell: &mut approving,
            is_interrupted: &|| signals.is_caught(),
        };
        let end = match &self.beginning {
            Some(beginning) => rolling.begin(beginning),
            None => rolling.resume(taken_from),
        };
        // An approval that could not be written is one that was not given: the gate has waited for it.
        end.and_then(|end| approved.map(|()| end).map_err(Stopped::from))
    }

    /// Writes an approval down, where one was given and one is asked for.
    fn approve(&self, rollout: RolloutId, writer: &Writer) -> Result<(), JournalError> {
        let Some(approval) = self.approval else { return Ok(()) };
        let mut journal = Journal::read(&*self.place.store)?;
        let state = State::of(journal.records());
        let is_asked = state.running().is_some_and(|running| {
            running.plan.gates.contains(&Gate::Approval) && running.approved_by.is_none()
        });
        if !is_asked {
            return Ok(());
        }
        let act = Act::Approve { reason: approval.reason.clone() };
        journal.append(
            &*self.place.store,
            writer,
            SystemClock.now(),
            |_| (Some(rollout), act.clone()),
            |_| Ok(()),
        )
    }
}

/// Approves a rollout that another process takes through an environment.
///
/// # Errors
/// When the journal cannot be written.
pub fn approve_from_outside(
    place: &Place,
    rollout: RolloutId,
    reason: Option<&str>,
) -> anyhow::Result<()> {
    let store = &*place.store;
    let mut journal = Journal::read(store)?;
    let lease = lease::read(store).context("failed to read the lease")?;
    let fencing = lease.map_or(0, |lease| lease.fencing);
    let writer = Writer { who: Holder::this_process().who, fencing };
    let act = Act::Approve { reason: reason.map(str::to_owned) };
    journal.append(
        store,
        &writer,
        SystemClock.now(),
        |_| (Some(rollout), act.clone()),
        |_| Ok::<(), JournalError>(()),
    )?;
    Ok(())
}

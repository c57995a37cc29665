//! What a step's own thread does: run its attempts or put its result back, keep what it came to,
//! and tell the run.

use crate::pipeline::cache::{Cache, Entry};
use crate::pipeline::exec::capture::Captured;
use crate::pipeline::exec::family::Family;
use crate::pipeline::exec::stop::{Ear, Stop};
use crate::pipeline::exec::{self, End, Ran, Surroundings, environment};
use crate::pipeline::fingerprint::Ingredients;
use crate::pipeline::plan::Plan;
use crate::pipeline::run::folder::Folder;
use crate::pipeline::run::freshness::{self, Freshness};
use crate::pipeline::run::turn::Turn;
use crate::pipeline::run::{Options, conclude};
use report::{Outcome, Status};
use std::panic::UnwindSafe;
use std::path::Path;
use std::sync::mpsc::{SyncSender, TrySendError};
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime};

/// Largest outcome that is read: findings and measures by the hundred thousand.
const MAX_OUTCOME_BYTES: u64 = 64 << 20;

/// What all workers of a run share.
pub struct Shared<'a> {
    pub plan: &'a Plan,
    pub options: &'a Options<'a>,
    pub folder: &'a Folder,
    pub family: &'a Family,
    pub stop: &'a Stop,
    pub cache: Option<&'a Cache>,
    pub freshness: Option<&'a RwLock<Freshness>>,
    pub start: Instant,
}

/// What a worker tells the run.
pub enum Message {
    Started {
        step: usize,
        at: Duration,
        attempt: u32,
    },
    /// Whole lines.
    Lines {
        step: usize,
        lines: Vec<u8>,
    },
    Warning(String),
    Finished(Box<Finished>),
    /// The result in the cache could not be put back; the reason.
    NotReplayed {
        step: usize,
        warning: String,
    },
}

/// A step that came to an outcome.
pub struct Finished {
    pub step: usize,
    pub at: Duration,
    pub outcome: Outcome,
    pub output: Captured,
    /// The last lines, not told yet.
    pub lines: Vec<u8>,
    /// Whether the outcome is what the fingerprint says: what needs it may then be cached too.
    pub is_sound: bool,
    /// Whether files may be others than at the start of the run although it was replayed.
    pub has_restored: bool,
}

/// Does a step's work so that the run hears of its end even if the runner itself is broken: it
/// would wait forever otherwise.
pub fn guarded(
    shared: &Shared<'_>,
    step: usize,
    sender: &SyncSender<Message>,
    work: impl FnOnce() + UnwindSafe,
) {
    if std::panic::catch_unwind(work).is_ok() {
        return;
    }
    shared.stop.forget(step);
    let outcome = Outcome::failed("the runner failed: what it said is on standard error");
    let finished = Finished { outcome, ..unstarted(shared, step) };
    sender.send(Message::Finished(Box::new(finished))).ok();
}

fn unstarted(shared: &Shared<'_>, step: usize) -> Finished {
    Finished {
        step,
        at: shared.start.elapsed(),
        outcome: Outcome::new(Status::Cancelled, ""),
        output: Captured::default(),
        lines: Vec::new(),
        is_sound: false,
        has_restored: false,
    }
}

/// Runs a step, again if it fails and may be tried again. `ingredients`: what its result depends
/// on, if it may be kept.
pub fn execute(
    shared: &Shared<'_>,
    step: usize,
    ingredients: Option<&Ingredients>,
    sender: &SyncSender<Message>,
) {
    let plan_step = &shared.plan.steps[step];
    let turn = turn(shared, step, sender);
    if turn.has_waited()
        && let Some(finished) = kept_by_another(shared, step, ingredients, sender)
    {
        sender.send(Message::Finished(Box::new(finished))).ok();
        return;
    }
    if turn.is_theirs() && shared.stop.is_on() {
        sender.send(Message::Finished(Box::new(unstarted(shared, step)))).ok();
        return;
    }
    let ingredients = ingredients.filter(|_| !turn.is_theirs());
    let mut attempts = 0;
    let (outcome, ran) = loop {
        attempts += 1;
        // The run listens until every worker is done.
        sender.send(Message::Started { step, at: shared.start.elapsed(), attempt: attempts }).ok();
        let (outcome, ran) = attempt(shared, step, sender);
        let is_last = attempts > plan_step.retries || shared.stop.is_on();
        if outcome.status != Status::Failed || is_last {
            break (outcome, ran);
        }
        keep_output(shared, step, Some(attempts), &ran.output.bytes, sender);
        sender.send(Message::Lines { step, lines: ran.lines }).ok();
    };
    keep_output(shared, step, None, &ran.output.bytes, sender);
    let is_sound = outcome.status == Status::Passed && is_unchanged(shared, step, sender);
    if is_sound || outcome.status == Status::Failed {
        store(shared, step, ingredients, &outcome, &ran.output.bytes, sender);
    }
    let finished = Finished {
        step,
        at: shared.start.elapsed(),
        is_sound,
        outcome,
        output: ran.output,
        lines: ran.lines,
        has_restored: false,
    };
    sender.send(Message::Finished(Box::new(finished))).ok();
}

/// Puts a step's result back from the cache.
pub fn replay(shared: &Shared<'_>, step: usize, entry: &Entry, sender: &SyncSender<Message>) {
    // What leaves no files gets in nobody's way.
    let turn = (!entry.kept.is_empty()).then(|| turn(shared, step, sender));
    let message = match put_back(shared, step, entry, sender) {
        Ok(mut finished) => {
            finished.has_restored |= turn.is_some_and(|turn| turn.has_waited());
            Message::Finished(Box::new(finished))
        }
        Err(warning) => Message::NotReplayed { step, warning },
    };
    sender.send(message).ok();
}

fn turn(shared: &Shared<'_>, step: usize, sender: &SyncSender<Message>) -> Turn {
    let plan_step = &shared.plan.steps[step];
    let tell = || {
        let warning = format!("{} waits: another run is at it in this checkout", plan_step.name);
        sender.send(Message::Warning(warning)).ok();
    };
    Turn::take(shared.options.root, plan_step, || !shared.stop.is_on(), tell)
}

/// What another run came to while this one waited for it.
fn kept_by_another(
    shared: &Shared<'_>,
    step: usize,
    ingredients: Option<&Ingredients>,
    sender: &SyncSender<Message>,
) -> Option<Finished> {
    let cache = shared.cache.filter(|_| !shared.options.force)?;
    let mut warn = |warning| {
        sender.send(Message::Warning(warning)).ok();
    };
    let fingerprint = ingredients?.fingerprint();
    let entry = freshness::look_up(cache, &shared.plan.steps[step], fingerprint, &mut warn)?;
    match put_back(shared, step, &entry, sender) {
        Ok(finished) => Some(Finished { has_restored: true, ..finished }),
        Err(warning) => {
            warn(warning);
            None
        }
    }
}

fn put_back(
    shared: &Shared<'_>,
    step: usize,
    entry: &Entry,
    sender: &SyncSender<Message>,
) -> Result<Finished, String> {
    let cache = shared.cache.ok_or("there is no cache")?;
    let mut replayed = cache.replay(entry).map_err(|error| {
        let name = shared.plan.name(step);
        format!("{name} runs again: its result could not be put back: {error:#}")
    })?;
    keep_output(shared, step, None, &replayed.output, sender);
    for artifact in &mut replayed.outcome.artifacts {
        match shared.folder.adopt(shared.options.root, &artifact.path) {
            Ok(path) => artifact.path = path,
            Err(error) => {
                sender.send(Message::Warning(format!("{error:#}"))).ok();
            }
        }
    }
    Ok(Finished {
        step,
        at: shared.start.elapsed(),
        outcome: Outcome { replayed: true, ..replayed.outcome },
        output: Captured { bytes: replayed.output, omitted_bytes: 0 },
        lines: Vec::new(),
        is_sound: true,
        has_restored: replayed.restored > 0,
    })
}

fn attempt(shared: &Shared<'_>, step: usize, sender: &SyncSender<Message>) -> (Outcome, Ran) {
    let plan_step = &shared.plan.steps[step];
    let Options { root, program, import, .. } = shared.options;
    let outcome_path = shared.folder.outcome(&plan_step.name);
    // An earlier attempt's must not be taken for this one's.
    std::fs::remove_file(&outcome_path).ok();
    let since = SystemTime::now();
    let ran = run(shared, step, sender, |artifacts| {
        environment::command(plan_step, root, program, &outcome_path, artifacts)
    });
    let delivered = delivered(&outcome_path);
    let imported = if ran.end == End::Stopped || has_no_imports(shared, step) {
        Ok(Vec::new())
    } else {
        import(root, &plan_step.junit, &plan_step.sarif, since)
    };
    let outcome = conclude::outcome(plan_step, &ran.end, delivered, imported, ran.took);
    (outcome, ran)
}

fn has_no_imports(shared: &Shared<'_>, step: usize) -> bool {
    let step = &shared.plan.steps[step];
    step.junit.is_empty() && step.sarif.is_empty()
}

fn run(
    shared: &Shared<'_>,
    step: usize,
    sender: &SyncSender<Message>,
    command: impl FnOnce(&Path) -> std::process::Command,
) -> Ran {
    let plan_step = &shared.plan.steps[step];
    let artifacts = shared.folder.artifacts(&plan_step.name);
    let prepared = std::fs::create_dir_all(&artifacts).and_then(|()| Ear::new());
    let (ear, wake) = match prepared {
        Ok(prepared) => prepared,
        Err(error) => {
            let end = End::NotStarted(format!("failed to prepare the step: {error}"));
            let output = Captured::default();
            return Ran { end, output, lines: Vec::new(), took: Duration::ZERO };
        }
    };
    let mut offer = |lines| match sender.try_send(Message::Lines { step, lines }) {
        Err(TrySendError::Full(Message::Lines { lines, .. })) => Some(lines),
        _ => None,
    };
    shared.stop.listen(step, &ear);
    let mark = shared.family.mark(&plan_step.name);
    let ran = exec::run(
        command(&artifacts),
        plan_step.timeout,
        &mut Surroundings {
            family: shared.family,
            mark: &mark,
            ear: &ear,
            wake: &wake,
            offer: &mut offer,
        },
    );
    shared.stop.forget(step);
    // Only a folder that the step left empty can be removed so.
    std::fs::remove_dir(&artifacts).ok();
    ran
}

fn delivered(path: &Path) -> anyhow::Result<Option<Outcome>> {
    let metadata = std::fs::symlink_metadata(path).ok();
    // A pipe, for one, would be waited on for ever.
    anyhow::ensure!(
        metadata.as_ref().is_none_or(std::fs::Metadata::is_file),
        "the outcome in {} is no regular file",
        path.display()
    );
    let size = metadata.map_or(0, |metadata| metadata.len());
    anyhow::ensure!(
        size <= MAX_OUTCOME_BYTES,
        "the outcome in {} has {size} bytes, expected at most {MAX_OUTCOME_BYTES}",
        path.display()
    );
    report::read_outcome(path)
}

fn keep_output(
    shared: &Shared<'_>,
    step: usize,
    attempt: Option<u32>,
    bytes: &[u8],
    sender: &SyncSender<Message>,
) {
    if let Err(error) = shared.folder.keep_output(shared.plan.name(step), attempt, bytes) {
        sender.send(Message::Warning(format!("{error:#}"))).ok();
    }
}

fn is_unchanged(shared: &Shared<'_>, step: usize, sender: &SyncSender<Message>) -> bool {
    let Some(freshness) = shared.freshness.filter(|_| shared.plan.steps[step].cache) else {
        return true;
    };
    let freshness = freshness.read().unwrap_or_else(PoisonError::into_inner);
    let warning = match freshness.first_change(step) {
        Ok(None) => return true,
        Ok(Some(change)) => format!("its input {change} while it ran"),
        Err(error) => format!("its inputs could not be read again: {error:#}"),
    };
    let name = shared.plan.name(step);
    sender.send(Message::Warning(format!("{name} is not kept in the cache: {warning}"))).ok();
    false
}

fn store(
    shared: &Shared<'_>,
    step: usize,
    ingredients: Option<&Ingredients>,
    outcome: &Outcome,
    output: &[u8],
    sender: &SyncSender<Message>,
) {
    let (Some(cache), Some(ingredients)) = (shared.cache, ingredients) else { return };
    let plan_step = &shared.plan.steps[step];
    if let Err(error) = cache.store(plan_step, ingredients, outcome, output) {
        let name = &plan_step.name;
        let warning = format!("{name} could not be kept in the cache: {error:#}");
        sender.send(Message::Warning(warning)).ok();
    }
}

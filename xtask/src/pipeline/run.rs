//! A run from its plan to its report: what the cache has is put back, the rest is executed in the
//! schedule's order, and everything that happens is told to the renderers.
//!
//! One thread, this one, decides and tells; each step has a thread of its own that waits for its
//! process. Nothing that goes wrong with the cache, the run's folder or a renderer fails the run:
//! it is a warning.

pub mod audience;
pub mod conclude;
mod coordinate;
pub mod folder;
pub mod freshness;
mod record;
mod turn;
mod worker;

use crate::pipeline::cache::{Cache, Entry};
use crate::pipeline::durations::Durations;
use crate::pipeline::event::Event;
use crate::pipeline::exec::family::Family;
use crate::pipeline::exec::stop::{Stop, handle_signals};
use crate::pipeline::plan::Plan;
use crate::pipeline::schedule::{Forecast, Schedule};
use crate::pipeline::select::Selection;
use crate::render::Renderer;
use audience::Audience;
use coordinate::{Coordinator, Course};
use folder::Folder;
use freshness::Freshness;
use record::Record;
use report::{Finding, Report};
use std::path::{Path, PathBuf};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Instant, SystemTime};
use worker::Shared;

/// Messages from the workers that wait to be told, each at most one read from a pipe.
const MESSAGES: usize = 256;

/// Reads the JUnit and the SARIF files that match these globs, relative to the root, and that were
/// written since a time. Passed in, so that the pipeline knows neither format.
pub type Import = fn(&Path, &[String], &[String], SystemTime) -> anyhow::Result<Vec<Finding>>;

/// What is done with the report of a run that is over, after it was written to the run's folder.
/// Takes the project's root and that folder, both absolute; gives a warning when something failed.
/// Passed in, so that the pipeline does not know what a release is.
pub type Closing = fn(&Path, &Path, &Report) -> Option<String>;

/// How a plan is run.
#[derive(Debug)]
pub struct Options<'a> {
    /// Absolute.
    pub root: &'a Path,
    pub project: &'a str,
    pub commit: Option<String>,
    /// How many steps may run at once.
    pub jobs: usize,
    /// Whether what does not depend on a failed step still runs.
    pub keep_going: bool,
    /// Whether everything is run, and kept, even if the cache has it.
    pub force: bool,
    /// The cache; `None` neither reads nor keeps anything.
    pub cache: Option<&'a Cache>,
    /// What is to be told before the first step starts.
    pub warnings: Vec<String>,
    /// This very program, for the built-in steps.
    pub program: PathBuf,
    pub import: Import,
    pub closing: Closing,
}

/// Runs the selected steps and gives the report of the run.
pub fn run(
    plan: &Plan,
    selection: &Selection,
    options: &Options<'_>,
    folder: &Folder,
    renderers: &mut [Box<dyn Renderer>],
    started_at: jiff::Timestamp,
) -> Report {
    let start = Instant::now();
    let mut warnings = options.warnings.clone();
    warnings.extend(folder.warning.clone());
    let mut durations = Durations::load(options.root);
    let (freshness, hits) = look_at_inputs(plan, selection, options, &mut warnings);
    let forecast: Vec<Forecast> = plan
        .steps
        .iter()
        .zip(&hits)
        .map(|(step, hit)| Forecast {
            takes: durations.forecast(&step.name),
            is_hit: hit.is_some(),
        })
        .collect();
    let freshness = freshness.map(RwLock::new);
    let family = Family::new(&folder.run);
    let stop = Arc::new(Stop::default());
    if let Err(error) = handle_signals(&stop) {
        warnings.push(format!("Ctrl-C will not be handled: {error}"));
    }
    let schedule = Schedule::new(plan, selection, options.jobs, &forecast);
    let mut record = Record::new(plan, selection, &schedule, &durations);
    let shared = Shared {
        plan,
        options,
        folder,
        family: &family,
        stop: &stop,
        cache: options.cache,
        freshness: freshness.as_ref(),
        start,
    };
    let mut audience = Audience::new(renderers);
    audience.tell(&Event::RunStarted {
        project: options.project,
        run: &folder.run,
        steps: &record.heads,
    });
    warnings.into_iter().for_each(|warning| audience.warn(warning));
    let (sender, receiver) = sync_channel(MESSAGES);
    std::thread::scope(|scope| {
        Coordinator {
            shared: &shared,
            schedule,
            record: &mut record,
            audience: &mut audience,
            durations: &mut durations,
            hits,
            course: Course::new(plan.steps.len()),
            sender,
            scope,
            running: 0,
        }
        .run(&receiver);
    });
    family.end();
    let saved = freshness
        .as_ref()
        .map_or(Ok(()), |lock| lock.read().unwrap_or_else(PoisonError::into_inner).save());
    for result in [saved, durations.save()] {
        if let Err(error) = result {
            audience.warn(format!("the next run will know less: {error:#}"));
        }
    }
    let mut report = record.report(&shared, stop.signal(), started_at);
    report.warnings.clone_from(&audience.warnings);
    let finished = folder.finish(&report).map_err(|error| format!("{error:#}"));
    let warning = match finished {
        Ok(()) => (options.closing)(options.root, &folder.path, &report),
        Err(warning) => Some(warning),
    };
    if let Some(warning) = warning {
        audience.warn(warning);
        report.warnings.clone_from(&audience.warnings);
        // A report that could not be written was told; one without its last warning is still true.
        folder.finish(&report).ok();
    }
    audience.tell(&Event::RunFinished { report: &report });
    report
}

/// The steps' ingredients, and what the cache has for each of them.
fn look_at_inputs(
    plan: &Plan,
    selection: &Selection,
    options: &Options<'_>,
    warnings: &mut Vec<String>,
) -> (Option<Freshness>, Vec<Option<Box<Entry>>>) {
    let nothing = || plan.steps.iter().map(|_| None).collect();
    let Some(cache) = options.cache else { return (None, nothing()) };
    let freshness = match Freshness::take(options.root, plan, selection) {
        Ok(freshness) => freshness,
        Err(error) => {
            warnings.push(format!("the cache is not used: {error:#}"));
            return (None, nothing());
        }
    };
    if options.force {
        return (Some(freshness), nothing());
    }
    let hits = (0..plan.steps.len())
        .map(|step| {
            let fingerprint = freshness.fingerprint(step);
            freshness::look_up(cache, &plan.steps[step], fingerprint, &mut |warning| {
                warnings.push(warning);
            })
        })
        .collect();
    (Some(freshness), hits)
}

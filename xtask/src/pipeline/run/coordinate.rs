//! The thread that decides and tells: starts what the schedule gives, hears what the workers say,
//! and ends the run at the first failure or on a signal.

use crate::pipeline::cache::Entry;
use crate::pipeline::durations::Durations;
use crate::pipeline::event::{Event, Output};
use crate::pipeline::exec::stop::Urgency;
use crate::pipeline::run::audience::Audience;
use crate::pipeline::run::freshness;
use crate::pipeline::run::record::Record;
use crate::pipeline::run::worker::{self, Finished, Message, Shared};
use crate::pipeline::schedule::Schedule;
use crate::pipeline::select::Part;
use report::{Outcome, Status};
use std::panic::AssertUnwindSafe;
use std::sync::PoisonError;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::thread::Scope;
use std::time::{Duration, Instant};

/// How often the renderers' live lines move.
const TICK: Duration = Duration::from_millis(100);

/// How long a process that lost its parents may stay a zombie. A look at all processes costs a few
/// milliseconds.
const REAP_EVERY: Duration = Duration::from_secs(1);

/// Everything that a run in progress consists of.
pub struct Coordinator<'scope, 'env, 'run, 'list> {
    pub shared: &'env Shared<'env>,
    pub schedule: Schedule<'run>,
    pub record: &'run mut Record<'env>,
    pub audience: &'run mut Audience<'list>,
    pub durations: &'run mut Durations,
    /// What the cache has for each step, until it is put back.
    pub hits: Vec<Option<Box<Entry>>>,
    pub course: Course,
    pub sender: SyncSender<Message>,
    pub scope: &'scope Scope<'scope, 'env>,
    /// Workers that have not ended.
    pub running: usize,
}

/// When this thread is broken, the steps are not left to run for nobody.
impl Drop for Coordinator<'_, '_, '_, '_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.shared.stop.all(Urgency::Terminate);
        }
    }
}

/// What has happened so far that decides what happens next.
pub struct Course {
    /// The step whose failure ends the run.
    failed: Option<usize>,
    is_interruption_told: bool,
    /// For each step, whether it ran, put files back or was looked at again: then what needs it is
    /// looked at again.
    has_acted: Vec<bool>,
    /// For each step, whether its result is what its fingerprint says.
    is_sound: Vec<bool>,
    /// For each step, whether it was looked at again.
    is_known: Vec<bool>,
    ticked: Instant,
    reaped: Instant,
}

impl Course {
    pub fn new(steps: usize) -> Course {
        Course {
            failed: None,
            is_interruption_told: false,
            has_acted: vec![false; steps],
            is_sound: vec![true; steps],
            is_known: vec![false; steps],
            ticked: Instant::now(),
            reaped: Instant::now(),
        }
    }
}

impl<'scope> Coordinator<'scope, '_, '_, '_> {
    /// Until every step has come to an outcome.
    pub fn run(&mut self, receiver: &Receiver<Message>) {
        self.leave_out();
        loop {
            self.tell_interruption();
            if self.shared.stop.is_on() {
                self.cancel_waiting();
            } else {
                self.start_what_can();
            }
            if self.running == 0 && self.schedule.is_over() {
                return;
            }
            match receiver.recv_timeout(TICK) {
                Ok(message) => self.hear(message),
                Err(RecvTimeoutError::Timeout) => {}
                // Cannot be: this thread holds a sender itself.
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if self.course.ticked.elapsed() >= TICK {
                self.course.ticked = Instant::now();
                self.audience.tick();
            }
            if self.course.reaped.elapsed() >= REAP_EVERY {
                self.course.reaped = Instant::now();
                self.shared.family.reap_strays();
            }
        }
    }

    /// Tells the steps that are part of the project but not of this run, and why.
    fn leave_out(&mut self) {
        for step in 0..self.shared.plan.steps.len() {
            if let Part::LeftOut(reason) = self.record.selection.part(step) {
                self.settle(step, Outcome::skipped(reason.clone()));
            }
        }
    }

    fn start_what_can(&mut self) {
        while let Some(step) = self.schedule.start() {
            self.look_again(step);
            let shared = self.shared;
            let hit = self.hits[step].take();
            if hit.is_none() && self.schedule.is_hit(step) {
                // It takes its turn among those that run.
                self.schedule.miss(step);
                continue;
            }
            self.running += 1;
            self.record.started(step, shared.start.elapsed());
            let sender = self.sender.clone();
            if let Some(entry) = hit {
                self.schedule.hit(step);
                let work = move || worker::replay(shared, step, &entry, &sender);
                self.spawn(step, work);
                continue;
            }
            let ingredients = shared.freshness.and_then(|freshness| {
                let freshness = freshness.read().unwrap_or_else(PoisonError::into_inner);
                freshness.ingredients(step).cloned()
            });
            let work = move || worker::execute(shared, step, ingredients.as_ref(), &sender);
            self.spawn(step, work);
        }
    }

    fn spawn(&self, step: usize, work: impl FnOnce() + Send + 'scope) {
        let shared = self.shared;
        let sender = self.sender.clone();
        self.scope.spawn(move || {
            // What a panic leaves half done is this one step's, and that step has failed.
            worker::guarded(shared, step, &sender, AssertUnwindSafe(work));
        });
    }

    /// A step whose needs did anything may find other inputs than there were at the start.
    fn look_again(&mut self, step: usize) {
        let Shared { plan, freshness, options, .. } = self.shared;
        let has_news = plan.needs[step].iter().any(|need| self.course.has_acted[*need]);
        let Some(lock) = freshness.filter(|_| has_news && !self.course.is_known[step]) else {
            return;
        };
        self.course.is_known[step] = true;
        let mut freshness = lock.write().unwrap_or_else(PoisonError::into_inner);
        let is_sound = |need: usize| self.course.is_sound[need];
        let refreshed = freshness.refresh(plan, step, is_sound);
        let fingerprint = freshness.fingerprint(step);
        drop(freshness);
        self.hits[step] = None;
        if let Err(error) = refreshed {
            let name = plan.name(step);
            self.audience.warn(format!("the inputs of {name} could not be read again: {error:#}"));
        } else if let Some(cache) = options.cache.filter(|_| !options.force) {
            let mut warn = |warning| self.audience.warn(warning);
            self.hits[step] = freshness::look_up(cache, &plan.steps[step], fingerprint, &mut warn);
        }
    }

    fn hear(&mut self, message: Message) {
        match message {
            Message::Started { step, at, attempt } => {
                self.record.tried(step, attempt);
                if let Some(step) = self.record.place(step) {
                    self.audience.tell(&Event::StepStarted { step, at, attempt });
                }
            }
            Message::Lines { step, lines } => self.tell_lines(step, &lines),
            Message::Warning(warning) => self.audience.warn(warning),
            Message::NotReplayed { step, warning } => {
                self.running -= 1;
                self.audience.warn(warning);
                self.schedule.miss(step);
            }
            Message::Finished(finished) => self.finish(*finished),
        }
    }

    fn finish(&mut self, finished: Finished) {
        self.running -= 1;
        let Finished { step, at, mut outcome, output, lines, is_sound, has_restored } = finished;
        self.tell_lines(step, &lines);
        if outcome.status == Status::Cancelled {
            outcome.summary = self.why_cancelled();
        }
        let plan_step = &self.shared.plan.steps[step];
        self.course.is_sound[step] = is_sound;
        // What needs one that was looked at again is looked at again too: its fingerprint holds this
        // one's.
        let is_known = self.course.is_known[step];
        self.course.has_acted[step] = !outcome.replayed || has_restored || is_known;
        if outcome.status == Status::Passed && !outcome.replayed {
            self.durations.remember(&plan_step.name, Duration::from_millis(outcome.duration_ms));
        }
        let has_failed = outcome.status == Status::Failed && !plan_step.allow_failure;
        let is_passed = !has_failed && outcome.status != Status::Cancelled;
        if let Some(step) = self.record.place(step) {
            let output = Output { bytes: &output.bytes, omitted_bytes: output.omitted_bytes };
            self.audience.tell(&Event::StepFinished { step, at, outcome: &outcome, output });
        }
        self.record.finished(step, at, outcome);
        self.schedule.end(step, is_passed);
        if has_failed && self.shared.options.keep_going {
            self.skip_blocked();
        } else if has_failed && !self.shared.stop.is_on() {
            self.course.failed = Some(step);
            self.shared.stop.all(Urgency::Terminate);
        }
    }

    fn skip_blocked(&mut self) {
        for (step, culprit) in self.schedule.take_blocked() {
            let name = self.shared.plan.name(culprit);
            let reason = match self.record.status(culprit) {
                Some(Status::Failed) => format!("needs `{name}`, which failed"),
                _ => format!("needs `{name}`, which did not run"),
            };
            self.settle(step, Outcome::skipped(reason));
        }
    }

    fn cancel_waiting(&mut self) {
        for step in self.schedule.take_waiting() {
            let outcome = Outcome::new(Status::Cancelled, self.why_cancelled());
            self.settle(step, outcome);
        }
    }

    fn why_cancelled(&self) -> String {
        match (self.shared.stop.signal(), self.course.failed) {
            (None, Some(failed)) => format!("`{}` failed first", self.shared.plan.name(failed)),
            _ => "interrupted".to_owned(),
        }
    }

    /// A step that never started comes to an outcome.
    fn settle(&mut self, step: usize, outcome: Outcome) {
        let at = self.shared.start.elapsed();
        if let Some(step) = self.record.place(step) {
            let output = Output { bytes: b"", omitted_bytes: 0 };
            self.audience.tell(&Event::StepFinished { step, at, outcome: &outcome, output });
        }
        self.record.settled(step, at, outcome);
    }

    fn tell_lines(&mut self, step: usize, lines: &[u8]) {
        let Some(step) = self.record.place(step) else { return };
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            self.audience.tell(&Event::StepOutput { step, line });
        }
    }

    fn tell_interruption(&mut self) {
        let Some((signal, _)) = self.shared.stop.signal() else { return };
        if !self.course.is_interruption_told {
            self.course.is_interruption_told = true;
            self.audience.tell(&Event::Interrupted { signal });
        }
    }
}

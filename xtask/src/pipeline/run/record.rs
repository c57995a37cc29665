//! What came to pass, step by step, and the report made from it.

use crate::pipeline::critical_path::{Analysis, Span, analyse};
use crate::pipeline::durations::Durations;
use crate::pipeline::event::StepHead;
use crate::pipeline::plan::Plan;
use crate::pipeline::run::conclude::{exit_code, millis};
use crate::pipeline::run::worker::Shared;
use crate::pipeline::schedule::Schedule;
use crate::pipeline::select::{Part, Selection};
use report::{Outcome, Report, SCHEMA_VERSION, Status, StepReport};
use std::path::Path;
use std::sync::PoisonError;
use std::time::Duration;

/// The steps of a run and what each came to.
pub struct Record<'a> {
    plan: &'a Plan,
    pub selection: &'a Selection,
    /// What the renderers are told of; events know a step by its place here.
    pub heads: Vec<StepHead>,
    /// The place of each step of the plan among the heads. A preparation that nobody could know to
    /// be needed has none: it is only in the report.
    place: Vec<Option<usize>>,
    entries: Vec<Entry>,
}

#[derive(Debug, Clone, Default)]
struct Entry {
    start: Duration,
    end: Duration,
    attempts: u32,
    has_output: bool,
    outcome: Option<Outcome>,
}

impl<'a> Record<'a> {
    pub fn new(
        plan: &'a Plan,
        selection: &'a Selection,
        schedule: &Schedule<'_>,
        durations: &Durations,
    ) -> Record<'a> {
        let mut heads = Vec::new();
        let place = (0..plan.steps.len())
            .map(|at| {
                let step = &plan.steps[at];
                let is_told =
                    schedule.takes_part(at) || matches!(selection.part(at), Part::LeftOut(_));
                is_told.then(|| {
                    heads.push(StepHead {
                        name: step.name.clone(),
                        needs: step.needs.clone(),
                        expected: durations.expected(&step.name),
                        allow_failure: step.allow_failure,
                    });
                    heads.len() - 1
                })
            })
            .collect();
        let entries = vec![Entry::default(); plan.steps.len()];
        Record { plan, selection, heads, place, entries }
    }

    /// A step's place among the heads.
    pub fn place(&self, step: usize) -> Option<usize> {
        self.place[step]
    }

    pub fn status(&self, step: usize) -> Option<Status> {
        self.entries[step].outcome.as_ref().map(|outcome| outcome.status)
    }

    pub fn started(&mut self, step: usize, at: Duration) {
        self.entries[step].start = at;
    }

    pub fn tried(&mut self, step: usize, attempt: u32) {
        self.entries[step].attempts = attempt;
    }

    /// A step that ran or was replayed.
    pub fn finished(&mut self, step: usize, at: Duration, outcome: Outcome) {
        let entry = &mut self.entries[step];
        entry.end = at;
        entry.has_output = true;
        entry.outcome = Some(outcome);
    }

    /// A step that never started.
    pub fn settled(&mut self, step: usize, at: Duration, outcome: Outcome) {
        self.entries[step] =
            Entry { start: at, end: at, outcome: Some(outcome), ..Entry::default() };
    }

    /// The report of a run that is over. `signal`: what interrupted it.
    pub fn report(
        &self,
        shared: &Shared<'_>,
        signal: Option<(&'static str, u8)>,
        started_at: jiff::Timestamp,
    ) -> Report {
        let duration_ms = millis(shared.start.elapsed());
        let listed = self.listed();
        let steps: Vec<StepReport> =
            listed.iter().filter_map(|&step| self.step_report(shared, step)).collect();
        let Analysis { path, advice } = self.analysis(shared, &listed, duration_ms);
        let failure = exit_code(&steps);
        let (status, exit_code) = match signal {
            Some((_, code)) => (Status::Cancelled, i32::from(code)),
            None if failure != 0 => (Status::Failed, failure),
            None => (Status::Passed, 0),
        };
        // A run that was cut short says nothing about how long a whole one takes.
        let advice = advice.filter(|_| status == Status::Passed);
        Report {
            version: SCHEMA_VERSION,
            project: shared.options.project.to_owned(),
            run: shared.folder.run.clone(),
            started_at: started_at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            duration_ms,
            commit: shared.options.commit.clone(),
            status,
            exit_code,
            steps,
            critical_path: path.into_iter().map(str::to_owned).collect(),
            advice,
            warnings: Vec::new(),
        }
    }

    /// The steps in the order of the heads, then those that are not among them.
    fn listed(&self) -> Vec<usize> {
        let mut listed: Vec<usize> = (0..self.plan.steps.len())
            .filter(|step| self.entries[*step].outcome.is_some())
            .collect();
        listed.sort_by_key(|step| (self.place[*step].is_none(), *step));
        listed
    }

    fn step_report(&self, shared: &Shared<'_>, step: usize) -> Option<StepReport> {
        let Entry { start, end, attempts, has_output, outcome } = &self.entries[step];
        let plan_step = &self.plan.steps[step];
        let fingerprint = shared.freshness.and_then(|freshness| {
            freshness.read().unwrap_or_else(PoisonError::into_inner).fingerprint(step)
        });
        let log = shared.folder.output(&plan_step.name);
        Some(StepReport {
            name: plan_step.name.clone(),
            outcome: outcome.clone()?,
            needs: plan_step.needs.clone(),
            start_ms: millis(*start),
            end_ms: millis(*end),
            allow_failure: plan_step.allow_failure,
            attempts: *attempts,
            fingerprint: fingerprint.map(|fingerprint| fingerprint.to_string()),
            output: has_output.then(|| relative(&log, shared.options.root)),
        })
    }

    fn analysis(&self, shared: &Shared<'_>, listed: &[usize], total_ms: u64) -> Analysis<'a> {
        let mut ran: Vec<usize> =
            listed.iter().copied().filter(|step| self.entries[*step].has_output).collect();
        if ran.iter().all(|step| self.entries[*step].attempts == 0) {
            // Everything was replayed: there is nothing to shorten.
            ran.clear();
        }
        let spans: Vec<Span<'_>> = ran
            .iter()
            .map(|&step| Span {
                name: self.plan.name(step),
                after: self
                    .plan
                    .before(step)
                    .filter_map(|before| ran.iter().position(|other| *other == before))
                    .collect(),
                exclusive: self.plan.steps[step].exclusive.as_deref(),
                alone: self.plan.steps[step].alone,
                start_ms: millis(self.entries[step].start),
                end_ms: millis(self.entries[step].end),
            })
            .collect();
        analyse(&spans, shared.options.jobs, total_ms)
    }
}

fn relative(path: &Path, root: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).to_string_lossy().into_owned()
}

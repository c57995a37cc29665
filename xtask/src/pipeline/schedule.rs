//! Which step starts next. Pure: the run tells it what ended, it says what may start.
//!
//! Of the steps that may start, the one on the longest remaining path goes first (Graham's list
//! scheduling with critical-path priority); those that run alone come last, so that a quick check is
//! not held up by one that measures. Invariants, checked by the property tests: a step
//! starts after all that it needs passed and never twice; no two running steps hold the same
//! resource; a step that runs alone has nothing beside it; at most `jobs` run at once. A replay from
//! the cache counts for none of these.

use crate::pipeline::plan::Plan;
use crate::pipeline::select::{Part, Selection};
use std::collections::BTreeSet;
use std::time::Duration;

/// Where a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// A preparation that nothing has asked for, or no part of the run at all.
    Dormant,
    Waiting,
    Running,
    /// Ended so that what needs it may start.
    Passed,
    /// Ended so that what needs it may not.
    Failed,
}

/// What is known of a step before it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forecast {
    /// How long it will run.
    pub takes: Duration,
    /// Whether the cache has its result.
    pub is_hit: bool,
}

/// The steps of a run and where each of them is.
#[derive(Debug)]
pub struct Schedule<'a> {
    plan: &'a Plan,
    selection: &'a Selection,
    jobs: usize,
    is_hit: Vec<bool>,
    /// Length of the longest path from a step's start to the end of the run.
    path: Vec<Duration>,
    state: Vec<State>,
}

impl<'a> Schedule<'a> {
    /// `jobs`: how many steps may run at once, at least 1. `forecast`: for every step of the plan.
    pub fn new(
        plan: &'a Plan,
        selection: &'a Selection,
        jobs: usize,
        forecast: &[Forecast],
    ) -> Schedule<'a> {
        let mut schedule = Schedule {
            plan,
            selection,
            jobs: jobs.max(1),
            is_hit: forecast.iter().map(|forecast| forecast.is_hit).collect(),
            path: longest_paths(plan, selection, forecast),
            state: vec![State::Dormant; plan.steps.len()],
        };
        for step in selection.members() {
            schedule.state[step] = State::Waiting;
        }
        for step in selection.members() {
            if !schedule.is_hit[step] {
                schedule.ask_for_preparation(step);
            }
        }
        schedule
    }

    /// Takes the step that should start now, if one can: it is then running until
    /// [`Schedule::end`] is told.
    pub fn start(&mut self) -> Option<usize> {
        let running = self.running();
        let held: BTreeSet<&str> =
            running.iter().filter_map(|step| self.plan.steps[*step].exclusive.as_deref()).collect();
        let is_alone = |step: &usize| self.plan.steps[*step].alone;
        let is_full = running.len() >= self.jobs || running.iter().any(is_alone);
        let can_start = |step: &usize| {
            let is_free = || match &self.plan.steps[*step].exclusive {
                Some(resource) => !held.contains(resource.as_str()),
                None => true,
            };
            let has_room = !is_full && (running.is_empty() || !is_alone(step));
            self.is_ready(*step) && (self.is_hit[*step] || (has_room && is_free()))
        };
        let next = (0..self.state.len()).filter(can_start).max_by_key(|step| {
            (self.is_hit[*step], !is_alone(step), self.path[*step], std::cmp::Reverse(*step))
        })?;
        self.state[next] = State::Running;
        Some(next)
    }

    /// The cache's result could not be put back: a running replay becomes a waiting step.
    pub fn miss(&mut self, step: usize) {
        self.is_hit[step] = false;
        self.state[step] = State::Waiting;
        self.ask_for_preparation(step);
    }

    /// A step about to start turned out to have its result in the cache.
    pub fn hit(&mut self, step: usize) {
        self.is_hit[step] = true;
    }

    /// Whether the cache has a step's result, as far as is known.
    pub fn is_hit(&self, step: usize) -> bool {
        self.is_hit[step]
    }

    /// A running step ended.
    pub fn end(&mut self, step: usize, is_passed: bool) {
        self.state[step] = if is_passed { State::Passed } else { State::Failed };
    }

    /// Takes the steps that can never start, because of the failed one that each is given with.
    pub fn take_blocked(&mut self) -> Vec<(usize, usize)> {
        let mut blocked = Vec::new();
        for &step in &self.plan.order {
            if self.state[step] != State::Waiting {
                continue;
            }
            let culprit = self.waits_for(step).find(|other| self.state[*other] == State::Failed);
            if let Some(culprit) = culprit {
                self.state[step] = State::Failed;
                blocked.push((step, culprit));
            }
        }
        blocked
    }

    /// Takes all that have not started: they never will.
    pub fn take_waiting(&mut self) -> Vec<usize> {
        let waiting: Vec<usize> =
            (0..self.state.len()).filter(|step| self.state[*step] == State::Waiting).collect();
        waiting.iter().for_each(|step| self.state[*step] = State::Failed);
        waiting
    }

    /// Whether a step takes part: a member, or a preparation that was asked for.
    pub fn takes_part(&self, step: usize) -> bool {
        self.state[step] != State::Dormant
    }

    pub fn is_over(&self) -> bool {
        !self.state.iter().any(|state| matches!(state, State::Waiting | State::Running))
    }

    fn running(&self) -> Vec<usize> {
        (0..self.state.len())
            .filter(|step| self.state[*step] == State::Running && !self.is_hit[*step])
            .collect()
    }

    fn is_ready(&self, step: usize) -> bool {
        self.state[step] == State::Waiting
            && self.waits_for(step).all(|other| self.state[other] == State::Passed)
    }

    /// What must pass before a step starts. What is no part of the run is not waited for.
    fn waits_for(&self, step: usize) -> impl Iterator<Item = usize> {
        let preparation = self.plan.prepares_with[step].filter(|_| !self.is_hit[step]);
        self.plan.needs[step]
            .iter()
            .copied()
            .chain(preparation)
            .filter(|other| self.state[*other] != State::Dormant)
    }

    fn ask_for_preparation(&mut self, step: usize) {
        let mut queue: Vec<usize> = self.plan.prepares_with[step].into_iter().collect();
        while let Some(step) = queue.pop() {
            let is_asleep = self.state[step] == State::Dormant;
            if is_asleep && *self.selection.part(step) == Part::Preparation {
                self.state[step] = State::Waiting;
                queue.extend(&self.plan.needs[step]);
                queue.extend(self.plan.prepares_with[step].filter(|_| !self.is_hit[step]));
            }
        }
    }
}

/// For each step the time from its start to the end of the last that waits for it, were there
/// cores and resources for all.
fn longest_paths(plan: &Plan, selection: &Selection, forecast: &[Forecast]) -> Vec<Duration> {
    let mut after = vec![Duration::ZERO; plan.steps.len()];
    let mut path = vec![Duration::ZERO; plan.steps.len()];
    for step in plan.order.iter().rev().copied() {
        if *selection.part(step) == Part::Absent {
            continue;
        }
        let own = if forecast[step].is_hit { Duration::ZERO } else { forecast[step].takes };
        path[step] = after[step] + own;
        for before in plan.before(step) {
            after[before] = after[before].max(path[step]);
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::plan::tests::{graphs, plan_of, step};
    use crate::pipeline::select::{Request, select};
    use crate::pipeline::step::Step;
    use proptest::prelude::*;

    fn everything(plan: &Plan) -> Selection {
        select(plan, &Request::default()).unwrap()
    }

    fn seconds(takes: &[u64]) -> Vec<Forecast> {
        takes
            .iter()
            .map(|takes| Forecast { takes: Duration::from_secs(*takes), is_hit: false })
            .collect()
    }

    #[test]
    fn the_longest_path_goes_first() {
        let plan = Plan::new(vec![step("short", &[]), step("head", &[]), step("long", &["head"])])
            .unwrap();
        let selection = everything(&plan);
        let mut schedule = Schedule::new(&plan, &selection, 1, &seconds(&[5, 1, 9]));
        assert_eq!(schedule.start(), Some(1));
        assert_eq!(schedule.start(), None);
        schedule.end(1, true);
        assert_eq!(schedule.start(), Some(2));
    }

    #[test]
    fn a_preparation_runs_once_and_only_for_a_miss() {
        let prepared =
            |name: &str| Step { prepares_with: Some("tools".to_owned()), ..step(name, &[]) };
        let plan =
            Plan::new(vec![prepared("audit"), prepared("smoke"), step("tools", &[])]).unwrap();
        let selection = everything(&plan);
        let mut forecast = seconds(&[1, 1, 1]);
        forecast[0].is_hit = true;
        forecast[1].is_hit = true;
        let mut schedule = Schedule::new(&plan, &selection, 2, &forecast);
        assert!(!schedule.takes_part(2));
        assert_eq!((schedule.start(), schedule.start()), (Some(0), Some(1)));
        schedule.miss(1);
        schedule.end(0, true);
        assert_eq!((schedule.start(), schedule.start()), (Some(2), None));
        schedule.end(2, true);
        assert_eq!(schedule.start(), Some(1));
        schedule.end(1, true);
        assert!(schedule.is_over());
    }

    #[test]
    fn what_waits_for_a_failure_is_blocked_by_name() {
        let plan = Plan::new(vec![step("a", &[]), step("b", &["a"]), step("c", &["b"])]).unwrap();
        let selection = everything(&plan);
        let mut schedule = Schedule::new(&plan, &selection, 1, &seconds(&[1, 1, 1]));
        assert_eq!(schedule.start(), Some(0));
        schedule.end(0, false);
        assert_eq!(schedule.take_blocked(), [(1, 0), (2, 1)]);
        assert!(schedule.is_over());
    }

    proptest! {
        #[test]
        fn every_run_keeps_the_promises(
            graph in graphs(),
            jobs in 1..5_usize,
            resources in proptest::collection::vec(0..4_usize, 12),
            alone in proptest::collection::vec(proptest::bool::weighted(0.2), 12),
            takes in proptest::collection::vec(1..30_u64, 12),
            hits in proptest::collection::vec(any::<bool>(), 12),
            picks in proptest::collection::vec(any::<prop::sample::Index>(), 40),
        ) {
            let mut plan = plan_of(&graph);
            for (at, step) in plan.steps.iter_mut().enumerate() {
                step.exclusive = (resources[at] > 0).then(|| format!("r{}", resources[at]));
                step.alone = alone[at];
            }
            let selection = everything(&plan);
            let mut forecast = seconds(&takes[..plan.steps.len()]);
            for (at, forecast) in forecast.iter_mut().enumerate() {
                forecast.is_hit = hits[at];
            }
            let paths = longest_paths(&plan, &selection, &forecast);
            let mut schedule = Schedule::new(&plan, &selection, jobs, &forecast);
            let (mut running, mut ended) = (Vec::new(), Vec::new());
            let mut picks = picks.into_iter();
            while !schedule.is_over() {
                let ready: Vec<usize> =
                    (0..plan.steps.len()).filter(|step| schedule.is_ready(*step)).collect();
                while let Some(started) = schedule.start() {
                    prop_assert!(!running.contains(&started) && !ended.contains(&started));
                    prop_assert!(plan.needs[started].iter().all(|need| ended.contains(need)));
                    if !hits[started] && running.is_empty() {
                        let first = ready.iter().filter(|step| !hits[**step])
                            .map(|step| (!alone[*step], paths[*step])).max();
                        prop_assert_eq!(first, Some((!alone[started], paths[started])));
                    }
                    running.push(started);
                    let busy: Vec<usize> =
                        running.iter().copied().filter(|step| !hits[*step]).collect();
                    prop_assert!(busy.len() <= jobs);
                    prop_assert!(busy.len() <= 1 || !busy.iter().any(|step| alone[*step]));
                    let held: Vec<&String> =
                        busy.iter().filter_map(|step| plan.steps[*step].exclusive.as_ref()).collect();
                    prop_assert_eq!(held.iter().collect::<BTreeSet<_>>().len(), held.len());
                }
                prop_assert!(!running.is_empty(), "nothing runs, and it is not over");
                let pick = picks.next().map_or(0, |index| index.index(running.len()));
                let done = running.remove(pick);
                schedule.end(done, true);
                ended.push(done);
            }
            prop_assert_eq!(ended.len(), plan.steps.len());
        }

        #[test]
        fn a_step_outweighs_all_that_waits_for_it(
            graph in graphs(),
            takes in proptest::collection::vec(0..30_u64, 12),
        ) {
            let plan = plan_of(&graph);
            let forecast = seconds(&takes[..plan.steps.len()]);
            let paths = longest_paths(&plan, &everything(&plan), &forecast);
            for step in 0..plan.steps.len() {
                let dependents: Vec<usize> = (0..plan.steps.len())
                    .filter(|other| plan.needs[*other].contains(&step)).collect();
                let longest =
                    dependents.iter().map(|other| paths[*other]).max().unwrap_or_default();
                prop_assert_eq!(paths[step], longest + forecast[step].takes);
            }
        }
    }
}

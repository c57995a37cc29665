//! The steps as a graph, checked once: past [`Plan::new`] every need exists and nothing goes in
//! circles.
//!
//! Pure. A step is known by its index in [`Plan::steps`], which keeps the order in which people
//! read the steps; [`Plan::order`] is the order in which they can run.

use crate::pipeline::step::Step;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Longest name of a step: it becomes part of file names, and 80 columns have to show it.
const MAX_NAME_CHARS: usize = 60;

/// All steps of a project and how they hang together, whether selected or not.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    pub steps: Vec<Step>,
    /// For each step the steps it needs, in the order of its `needs`, each once.
    pub needs: Vec<Vec<usize>>,
    /// For each step what prepares it when it has to run.
    pub prepares_with: Vec<Option<usize>>,
    /// All steps, each after what it needs and what prepares it; ties in the order of `steps`.
    pub order: Vec<usize>,
}

/// Why steps are no plan, or a name no step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlanError {
    Name {
        name: String,
    },
    Twice {
        name: String,
    },
    UnknownNeed {
        step: String,
        need: String,
        near: Option<String>,
    },
    /// The names around the circle; the first comes again at the end.
    Cycle(Vec<String>),
    UnknownStep {
        option: &'static str,
        name: String,
        near: Option<String>,
        known: Vec<String>,
    },
}

impl Plan {
    /// Checks the steps and finds their order.
    ///
    /// # Errors
    /// A name that cannot be one or is there twice, a need that is no step, a cycle.
    pub fn new(steps: Vec<Step>) -> Result<Plan, PlanError> {
        let mut index = BTreeMap::new();
        for (at, step) in steps.iter().enumerate() {
            if !is_name(&step.name) {
                return Err(PlanError::Name { name: step.name.clone() });
            }
            if index.insert(step.name.as_str(), at).is_some() {
                return Err(PlanError::Twice { name: step.name.clone() });
            }
        }
        let find = |step: &Step, need: &String| {
            index.get(need.as_str()).copied().ok_or_else(|| PlanError::UnknownNeed {
                step: step.name.clone(),
                need: need.clone(),
                near: nearest(need, index.keys().copied()),
            })
        };
        let mut needs = Vec::with_capacity(steps.len());
        let mut prepares_with = Vec::with_capacity(steps.len());
        for step in &steps {
            let mut own = Vec::new();
            for need in &step.needs {
                let need = find(step, need)?;
                if !own.contains(&need) {
                    own.push(need);
                }
            }
            needs.push(own);
            prepares_with
                .push(step.prepares_with.as_ref().map(|name| find(step, name)).transpose()?);
        }
        let mut plan = Plan { steps, needs, prepares_with, order: Vec::new() };
        plan.order = plan.topological().map_err(|cycle| {
            PlanError::Cycle(cycle.into_iter().map(|at| plan.steps[at].name.clone()).collect())
        })?;
        Ok(plan)
    }

    /// The step with this name; `option` is where it was named, for the error.
    ///
    /// # Errors
    /// When there is none.
    pub fn find(&self, option: &'static str, name: &str) -> Result<usize, PlanError> {
        self.steps.iter().position(|step| step.name == name).ok_or_else(|| {
            let known: Vec<String> = self.steps.iter().map(|step| step.name.clone()).collect();
            PlanError::UnknownStep {
                option,
                name: name.to_owned(),
                near: nearest(name, known.iter().map(String::as_str)),
                known,
            }
        })
    }

    pub fn name(&self, step: usize) -> &str {
        &self.steps[step].name
    }

    /// What a step waits for: its needs, then what prepares it.
    pub fn before(&self, step: usize) -> impl Iterator<Item = usize> {
        self.needs[step].iter().copied().chain(self.prepares_with[step])
    }

    /// The steps and all that they need, directly or not; what prepares them is not among it.
    pub fn with_needs(&self, steps: impl IntoIterator<Item = usize>) -> BTreeSet<usize> {
        reach(steps, |step| self.needs[step].clone())
    }

    /// The steps and all that need them, directly or not.
    pub fn with_dependents(&self, steps: impl IntoIterator<Item = usize>) -> BTreeSet<usize> {
        reach(steps, |step| {
            (0..self.steps.len()).filter(|other| self.needs[*other].contains(&step)).collect()
        })
    }

    /// Whether a step is there only to prepare others.
    pub fn is_preparation(&self, step: usize) -> bool {
        self.prepares_with.contains(&Some(step))
    }

    /// For each step how many must end one after another before it can start.
    pub fn levels(&self) -> Vec<usize> {
        let mut levels = vec![0; self.steps.len()];
        for &step in &self.order {
            levels[step] = self.needs[step].iter().map(|need| levels[*need] + 1).max().unwrap_or(0);
        }
        levels
    }

    fn topological(&self) -> Result<Vec<usize>, Vec<usize>> {
        let mut waits: Vec<BTreeSet<usize>> =
            (0..self.steps.len()).map(|step| self.before(step).collect()).collect();
        let mut left: BTreeSet<usize> = (0..self.steps.len()).collect();
        let mut order = Vec::with_capacity(left.len());
        while let Some(&first) = left.first() {
            let Some(next) = left.iter().copied().find(|step| waits[*step].is_empty()) else {
                return Err(self.cycle(first, &left));
            };
            left.remove(&next);
            waits.iter_mut().for_each(|waits| {
                waits.remove(&next);
            });
            order.push(next);
        }
        Ok(order)
    }

    /// A circle among `left`, all of which wait for another of `left`: walking from need to need
    /// must come back to a step already passed.
    fn cycle(&self, start: usize, left: &BTreeSet<usize>) -> Vec<usize> {
        let mut path = vec![start];
        loop {
            let last = path[path.len() - 1];
            let Some(next) = self.before(last).find(|step| left.contains(step)) else {
                return path;
            };
            if let Some(from) = path.iter().position(|step| *step == next) {
                path.drain(..from);
                path.push(next);
                return path;
            }
            path.push(next);
        }
    }
}

fn reach(
    from: impl IntoIterator<Item = usize>,
    next: impl Fn(usize) -> Vec<usize>,
) -> BTreeSet<usize> {
    let mut queue: Vec<usize> = from.into_iter().collect();
    let mut seen = BTreeSet::new();
    while let Some(step) = queue.pop() {
        if seen.insert(step) {
            queue.extend(next(step));
        }
    }
    seen
}

/// Letters, digits, `-`, `_` and `.`, not first a `.` or `-`: safe in a file name, in `--only`
/// and in a workflow's shell.
fn is_name(name: &str) -> bool {
    let is_safe = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    name.chars().count() <= MAX_NAME_CHARS
        && name.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && name.chars().all(is_safe)
}

/// The known name that was probably meant.
fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    /// Below this similarity a suggestion confuses more than it helps.
    const ALIKE: f64 = 0.7;
    known
        .map(|other| (strsim::jaro_winkler(name, other), other))
        .filter(|(alike, _)| *alike >= ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, other)| other.to_owned())
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let suggest = |f: &mut fmt::Formatter<'_>, near: &Option<String>| match near {
            Some(near) => write!(f, ", did you mean `{near}`?"),
            None => Ok(()),
        };
        match self {
            PlanError::Name { name } => write!(
                f,
                "`{name}` cannot be the name of a step: expected at most {MAX_NAME_CHARS} letters, \
                 digits, `-`, `_` and `.`, a letter or digit first"
            ),
            PlanError::Twice { name } => write!(f, "there are two steps named `{name}`"),
            PlanError::UnknownNeed { step, need, near } => {
                write!(f, "step `{step}` needs `{need}`, which is no step")?;
                suggest(f, near)
            }
            PlanError::Cycle(names) => {
                write!(f, "the steps need each other in a circle: {}", names.join(" -> "))
            }
            PlanError::UnknownStep { option, name, near, known } => {
                write!(f, "{option}: there is no step `{name}`")?;
                suggest(f, near)?;
                write!(f, "\n  steps: {}", known.join(", "))
            }
        }
    }
}

impl std::error::Error for PlanError {}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::pipeline::step::Command;
    use proptest::prelude::*;

    /// A step that needs others, for tests of the pipeline.
    pub fn step(name: &str, needs: &[&str]) -> Step {
        Step {
            needs: needs.iter().map(|&need| need.to_owned()).collect(),
            ..Step::new(name, Command::Shell("true".to_owned()))
        }
    }

    /// Graphs of up to twelve steps: each needs some of those before it, by number.
    pub fn graphs() -> impl Strategy<Value = Vec<Vec<usize>>> {
        proptest::collection::vec(proptest::collection::vec(0..12_usize, 0..4), 1..12).prop_map(
            |raw| {
                raw.into_iter()
                    .enumerate()
                    .map(|(at, needs)| needs.into_iter().filter(|need| *need < at).collect())
                    .collect()
            },
        )
    }

    /// The plan of such a graph, listed in another order than it can run in.
    pub fn plan_of(graph: &[Vec<usize>]) -> Plan {
        let name = |at: usize| format!("s{at}");
        let mut steps: Vec<Step> = graph
            .iter()
            .enumerate()
            .map(|(at, needs)| Step {
                needs: needs.iter().copied().map(name).collect(),
                ..step(&name(at), &[])
            })
            .collect();
        steps.reverse();
        Plan::new(steps).unwrap()
    }

    #[test]
    fn a_need_that_is_no_step_is_named_with_the_one_meant() {
        let error = Plan::new(vec![step("build", &[]), step("smoke", &["biuld"])]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "step `smoke` needs `biuld`, which is no step, did you mean `build`?"
        );
    }

    #[test]
    fn a_cycle_is_shown_as_the_cycle() {
        let steps =
            vec![step("first", &["a"]), step("a", &["b"]), step("b", &["c"]), step("c", &["a"])];
        assert_eq!(
            Plan::new(steps).unwrap_err().to_string(),
            "the steps need each other in a circle: a -> b -> c -> a"
        );
        assert_eq!(
            Plan::new(vec![step("a", &["a"])]).unwrap_err(),
            PlanError::Cycle(vec!["a".into(), "a".into()])
        );
    }

    #[test]
    fn a_preparation_takes_part_in_cycles_too() {
        let mut prepared = step("audit", &[]);
        prepared.prepares_with = Some("tools".to_owned());
        let error = Plan::new(vec![prepared, step("tools", &["audit"])]).unwrap_err();
        assert!(matches!(error, PlanError::Cycle(names) if names.len() == 3));
    }

    #[test]
    fn names_that_would_break_a_path_or_a_shell_are_refused() {
        for name in ["", "../up", "a b", "-x", ".hidden", "a;b", "a/b"] {
            assert!(
                matches!(Plan::new(vec![step(name, &[])]), Err(PlanError::Name { .. })),
                "{name:?}"
            );
        }
        assert!(Plan::new(vec![step("e2e-1.2_x", &[])]).is_ok());
        let twice = Plan::new(vec![step("a", &[]), step("a", &[])]).unwrap_err();
        assert_eq!(twice, PlanError::Twice { name: "a".into() });
    }

    proptest! {
        #[test]
        fn the_order_is_topological(graph in graphs()) {
            let plan = plan_of(&graph);
            prop_assert_eq!(plan.order.len(), graph.len());
            for (at, step) in plan.order.iter().enumerate() {
                for need in &plan.needs[*step] {
                    prop_assert!(plan.order[..at].contains(need));
                }
            }
        }

        #[test]
        fn a_closed_circle_is_always_found(graph in graphs(), from in 0..12_usize) {
            let plan = plan_of(&graph);
            let from = from % plan.steps.len();
            let reached: Vec<usize> = plan.with_needs([from]).into_iter().collect();
            let last = reached[reached.len() - 1];
            let mut steps = plan.steps.clone();
            let name = steps[from].name.clone();
            steps[last].needs.push(name);
            let Err(PlanError::Cycle(names)) = Plan::new(steps.clone()) else {
                return Err(TestCaseError::fail("no cycle found"));
            };
            prop_assert_eq!(names.first(), names.last());
            for pair in names.windows(2) {
                let step = steps.iter().find(|step| step.name == pair[0]).unwrap();
                prop_assert!(step.needs.contains(&pair[1]));
            }
        }
    }
}

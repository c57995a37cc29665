//! Which steps a run is made of. Pure: what the world has to say (CI or not, which files changed)
//! comes in with the [`Request`].
//!
//! `--only`, `--from` and `--affected` each narrow what is wanted; what a wanted step needs comes
//! along. A step named by `--only`, and what it needs, takes part whatever its `when` says.
//! `--skip` takes steps out for good: what needs them runs on what they left last, and is not
//! cached. A step that its `when` leaves out takes those that need it with it, because they would
//! check something that was never made.

use crate::pipeline::plan::{Plan, PlanError};
use config::When;
use std::collections::BTreeSet;

/// What a person asked for, and what the world is like.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    pub only: Vec<String>,
    pub skip: Vec<String>,
    pub from: Vec<String>,
    pub is_ci: bool,
    /// The steps whose inputs are among the changed files, when `--affected` is given.
    pub affected: Option<BTreeSet<usize>>,
    /// The steps whose `when = { changed = […] }` matches a changed file.
    pub changed: BTreeSet<usize>,
}

/// A step's part in a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// It is run, or replayed.
    Member,
    /// It is run only if a member that it prepares has to run.
    Preparation,
    /// It is listed as skipped, for this reason.
    LeftOut(String),
    /// It is no part of the run.
    Absent,
}

/// The part of every step, by its index in the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    pub parts: Vec<Part>,
}

impl Selection {
    pub fn part(&self, step: usize) -> &Part {
        &self.parts[step]
    }

    pub fn is_member(&self, step: usize) -> bool {
        self.parts[step] == Part::Member
    }

    /// The steps that are run or replayed, in the order of the plan's list.
    pub fn members(&self) -> impl Iterator<Item = usize> {
        (0..self.parts.len()).filter(|step| self.is_member(*step))
    }
}

/// Finds the part of every step.
///
/// # Errors
/// When a name that was given is no step.
pub fn select(plan: &Plan, request: &Request) -> Result<Selection, PlanError> {
    let named = |option, names: &[String]| {
        names.iter().map(|name| plan.find(option, name)).collect::<Result<Vec<_>, _>>()
    };
    let only = named("--only", &request.only)?;
    let skip: BTreeSet<usize> = named("--skip", &request.skip)?.into_iter().collect();
    let from = named("--from", &request.from)?;

    let mut wanted: BTreeSet<usize> = if only.is_empty() {
        (0..plan.steps.len()).filter(|step| !plan.is_preparation(*step)).collect()
    } else {
        only.iter().copied().collect()
    };
    if !from.is_empty() {
        wanted = &wanted & &plan.with_dependents(from);
    }
    if let Some(affected) = &request.affected {
        wanted = &wanted & &plan.with_dependents(affected.iter().copied());
    }
    wanted = &wanted - &skip;

    let is_asked_for_by_name = plan.with_needs(only);
    let mut parts = vec![Part::Absent; plan.steps.len()];
    let taken = needs_without(plan, &wanted, &skip);
    for &step in &plan.order {
        if !taken.contains(&step) {
            continue;
        }
        parts[step] = if is_asked_for_by_name.contains(&step) {
            Part::Member
        } else {
            part_by_when(plan, step, request, &parts)
        };
    }
    drop_needs_of_nothing(plan, &wanted, &mut parts);
    for step in plan.order.iter().rev().copied() {
        let prepares = |other: &usize| {
            let waits = plan.prepares_with[*other] == Some(step)
                || (parts[*other] == Part::Preparation && plan.needs[*other].contains(&step));
            waits && matches!(parts[*other], Part::Member | Part::Preparation)
        };
        let is_wanted = (0..plan.steps.len()).any(|other| prepares(&other));
        if parts[step] == Part::Absent && is_wanted && !skip.contains(&step) {
            parts[step] = Part::Preparation;
        }
    }
    Ok(Selection { parts })
}

/// The wanted steps and what they need, without walking through what is skipped.
fn needs_without(plan: &Plan, wanted: &BTreeSet<usize>, skip: &BTreeSet<usize>) -> BTreeSet<usize> {
    let mut taken = BTreeSet::new();
    let mut queue: Vec<usize> = wanted.iter().copied().collect();
    while let Some(step) = queue.pop() {
        if !skip.contains(&step) && taken.insert(step) {
            queue.extend(&plan.needs[step]);
        }
    }
    taken
}

fn part_by_when(plan: &Plan, step: usize, request: &Request, parts: &[Part]) -> Part {
    match &plan.steps[step].when {
        When::Never => return Part::Absent,
        When::Ci if !request.is_ci => return Part::LeftOut("only under CI".to_owned()),
        When::Local if request.is_ci => return Part::LeftOut("only outside CI".to_owned()),
        When::Changed(globs) if !request.changed.contains(&step) => {
            return Part::LeftOut(format!("nothing changed that matches {}", globs.join(", ")));
        }
        When::Always | When::Ci | When::Local | When::Changed(_) => {}
    }
    let missing = plan.needs[step].iter().find(|need| match &parts[**need] {
        Part::LeftOut(_) => true,
        Part::Absent => plan.steps[**need].when == When::Never,
        Part::Member | Part::Preparation => false,
    });
    match missing {
        None => Part::Member,
        Some(need) => {
            Part::LeftOut(format!("needs `{}`, which is not part of this run", plan.name(*need)))
        }
    }
}

/// What was taken along only for a step that was then left out is of no use.
fn drop_needs_of_nothing(plan: &Plan, wanted: &BTreeSet<usize>, parts: &mut [Part]) {
    for step in plan.order.iter().rev().copied() {
        let is_used = (0..plan.steps.len())
            .any(|other| parts[other] == Part::Member && plan.needs[other].contains(&step));
        if !wanted.contains(&step) && !is_used {
            parts[step] = Part::Absent;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::plan::tests::{graphs, plan_of, step};
    use crate::pipeline::step::Step;
    use proptest::prelude::*;

    fn names(plan: &Plan, selection: &Selection) -> Vec<String> {
        selection.members().map(|step| plan.name(step).to_owned()).collect()
    }

    fn strings(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    fn plan() -> Plan {
        let prepared = |name: &str, needs: &[&str]| Step {
            prepares_with: Some("tools".to_owned()),
            ..step(name, needs)
        };
        let when = |name: &str, when| Step { when, ..step(name, &[]) };
        Plan::new(vec![
            step("lint", &[]),
            step("build", &[]),
            prepared("smoke", &["build"]),
            step("screens", &["smoke"]),
            step("tools", &[]),
            when("publish", When::Ci),
            Step { when: When::Always, ..step("announce", &["publish"]) },
            when("clean", When::Never),
        ])
        .unwrap()
    }

    fn selected(request: &Request) -> Vec<String> {
        let plan = plan();
        names(&plan, &select(&plan, request).unwrap())
    }

    #[test]
    fn everything_but_preparations_and_what_when_leaves_out() {
        let plan = plan();
        let selection = select(&plan, &Request::default()).unwrap();
        assert_eq!(names(&plan, &selection), ["lint", "build", "smoke", "screens"]);
        assert_eq!(selection.parts[4], Part::Preparation);
        assert_eq!(selection.parts[5], Part::LeftOut("only under CI".into()));
        assert_eq!(
            selection.parts[6],
            Part::LeftOut("needs `publish`, which is not part of this run".into())
        );
        assert_eq!(selection.parts[7], Part::Absent);
        let ci = Request { is_ci: true, ..Request::default() };
        assert!(selected(&ci).ends_with(&["publish".into(), "announce".into()]));
    }

    #[test]
    fn only_brings_what_is_needed_whatever_when_says() {
        let only =
            |names: &[&str]| selected(&Request { only: strings(names), ..Request::default() });
        assert_eq!(only(&["smoke"]), ["build", "smoke"]);
        assert_eq!(only(&["announce"]), ["publish", "announce"]);
        assert_eq!(only(&["clean"]), ["clean"]);
        assert_eq!(only(&["tools"]), ["tools"]);
    }

    #[test]
    fn skip_takes_out_and_from_takes_what_depends() {
        let request = Request { skip: strings(&["build"]), ..Request::default() };
        assert_eq!(selected(&request), ["lint", "smoke", "screens"]);
        let request =
            Request { only: strings(&["smoke"]), skip: strings(&["build"]), ..Request::default() };
        assert_eq!(selected(&request), ["smoke"]);
        let request = Request { from: strings(&["smoke"]), ..Request::default() };
        assert_eq!(selected(&request), ["build", "smoke", "screens"]);
    }

    #[test]
    fn affected_steps_bring_their_dependents_and_their_needs() {
        let request = Request { affected: Some(BTreeSet::from([2])), ..Request::default() };
        assert_eq!(selected(&request), ["build", "smoke", "screens"]);
        let request = Request { affected: Some(BTreeSet::new()), ..Request::default() };
        assert_eq!(selected(&request), Vec::<String>::new());
    }

    #[test]
    fn a_name_that_is_no_step_is_an_error_with_the_one_meant() {
        let request = Request { only: strings(&["biuld"]), ..Request::default() };
        let error = select(&plan(), &request).unwrap_err().to_string();
        assert!(error.starts_with("--only: there is no step `biuld`, did you mean `build`?"));
    }

    proptest! {
        #[test]
        fn a_member_has_its_needs_beside_it(graph in graphs(), only in 0..12_usize) {
            let plan = plan_of(&graph);
            let only = vec![plan.name(only % plan.steps.len()).to_owned()];
            let selection = select(&plan, &Request { only, ..Request::default() }).unwrap();
            for step in selection.members() {
                prop_assert!(plan.needs[step].iter().all(|need| selection.is_member(*need)));
            }
        }
    }
}

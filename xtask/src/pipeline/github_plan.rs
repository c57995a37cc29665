//! The plan as a job matrix of GitHub Actions, one job a step, read by a workflow with `fromJSON`.
//! Pure.
//!
//! A job runs its step with `ci --only`, which brings what the step needs: from the shared cache
//! when there is one, else by running it in that job. `level` lets a workflow run the jobs level by
//! level, with one matrix for each.

use crate::pipeline::plan::Plan;
use crate::pipeline::select::Selection;
use serde::Serialize;
use std::collections::BTreeMap;

/// GitHub runs no larger matrix.
const MAX_JOBS: usize = 256;

/// A matrix: `{"include": […]}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Matrix {
    pub include: Vec<Job>,
}

/// One job of the matrix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Job {
    /// The step's name, or the names of those that share the job, as `--only` takes them.
    pub name: String,
    /// Arguments of `cargo xtask`, safe to stand in a shell as they are.
    pub args: String,
    pub needs: Vec<String>,
    /// How many jobs must end one after another before this one could start.
    pub level: usize,
}

/// The matrix of the selected steps. More steps than GitHub allows jobs share jobs, those of one
/// level together.
pub fn matrix(plan: &Plan, selection: &Selection) -> Matrix {
    let levels = plan.levels();
    let mut by_level: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for step in selection.members() {
        by_level.entry(levels[step]).or_default().push(step);
    }
    let jobs_of = |together: usize| -> usize {
        by_level.values().map(|steps| steps.len().div_ceil(together)).sum()
    };
    let most = by_level.values().map(Vec::len).max().unwrap_or(1).max(1);
    let together = (1..=most).find(|together| jobs_of(*together) <= MAX_JOBS).unwrap_or(most);
    let include = by_level
        .iter()
        .flat_map(|(level, steps)| steps.chunks(together).map(|steps| job(plan, *level, steps)))
        .collect();
    Matrix { include }
}

fn job(plan: &Plan, level: usize, steps: &[usize]) -> Job {
    let names: Vec<&str> = steps.iter().map(|step| plan.name(*step)).collect();
    let mut needs: Vec<String> = steps
        .iter()
        .flat_map(|step| &plan.needs[*step])
        .map(|need| plan.name(*need).to_owned())
        .collect();
    needs.sort_unstable();
    needs.dedup();
    Job { name: names.join(", "), args: format!("ci --only {}", names.join(",")), needs, level }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::plan::tests::step;
    use crate::pipeline::select::{Request, select};

    fn matrix_of(plan: &Plan) -> Matrix {
        matrix(plan, &select(plan, &Request::default()).unwrap())
    }

    #[test]
    fn one_job_a_step_with_its_level() {
        let plan = Plan::new(vec![step("smoke", &["build"]), step("build", &[])]).unwrap();
        assert_eq!(
            serde_json::to_string(&matrix_of(&plan)).unwrap(),
            r#"{"include":[{"name":"build","args":"ci --only build","needs":[],"level":0},"#
                .to_owned()
                + r#"{"name":"smoke","args":"ci --only smoke","needs":["build"],"level":1}]}"#
        );
    }

    #[test]
    fn a_matrix_is_never_larger_than_github_allows() {
        let name = |at: usize| format!("s{at}");
        let mut steps: Vec<_> = (0..600).map(|at| step(&name(at), &[])).collect();
        steps.push(step("last", &["s0"]));
        let plan = Plan::new(steps).unwrap();
        let jobs = matrix_of(&plan).include;
        assert!(jobs.len() <= MAX_JOBS);
        let steps: usize = jobs.iter().map(|job| job.args.split(',').count()).sum();
        assert_eq!(steps, 601);
    }
}

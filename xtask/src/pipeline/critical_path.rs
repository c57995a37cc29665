//! Why a run took as long as it did. Pure: computed from when each step started and ended.
//!
//! The critical path is the longest chain of steps that need each other: no number of cores makes
//! the run shorter than it (Kelley and Walker, 1959). What the run took beyond it, it waited: for a
//! resource that another step held, or for one of the jobs.

use std::collections::BTreeMap;

/// Below this nothing is advised: neither a part this small of the run nor a run this short is
/// worth anyone's time.
const WORTH_SHARE: f64 = 0.05;
const WORTH_MS: u64 = 500;

/// A step that ran or was replayed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span<'a> {
    pub name: &'a str,
    /// Indices of the spans that had to end before this one could start.
    pub after: Vec<usize>,
    pub exclusive: Option<&'a str>,
    /// Whether nothing else could run beside it.
    pub alone: bool,
    pub start_ms: u64,
    pub end_ms: u64,
}

/// What a run's time was spent on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Analysis<'a> {
    /// Names of the steps on the critical path, first to last.
    pub path: Vec<&'a str>,
    /// What would have shortened the run, in one sentence.
    pub advice: Option<String>,
}

/// Why a step that could have started did not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Cause<'a> {
    /// Another step held the same resource.
    Resource(&'a str),
    /// It runs alone, or the one before it does.
    Alone,
    /// All jobs were taken.
    Jobs,
}

/// Something that would have made the run shorter, and by how much at most.
struct Saving {
    ms: u64,
    advice: String,
}

/// Analyses a run of `total_ms`, in which at most `jobs` steps ran at once.
pub fn analyse<'a>(spans: &[Span<'a>], jobs: usize, total_ms: u64) -> Analysis<'a> {
    let path = longest(spans, None);
    let advice = [shorter_step(spans, &path, total_ms), shorter_wait(spans, jobs)]
        .into_iter()
        .flatten()
        .filter(|saving| saving.ms >= WORTH_MS && saving.ms as f64 >= WORTH_SHARE * total_ms as f64)
        .max_by_key(|saving| saving.ms)
        .map(|saving| saving.advice);
    Analysis { path: path.into_iter().map(|at| spans[at].name).collect(), advice }
}

fn took(span: &Span<'_>) -> u64 {
    span.end_ms.saturating_sub(span.start_ms)
}

/// The longest chain, were the step `without` to take no time.
fn longest(spans: &[Span<'_>], without: Option<usize>) -> Vec<usize> {
    let cost = |at: usize| if without == Some(at) { 0 } else { took(&spans[at]) };
    // A step starts after the end of what it waits for, so this order is topological; spans that
    // start and end in the same millisecond are settled by the number of rounds.
    let mut length: Vec<u64> = (0..spans.len()).map(cost).collect();
    let mut before = vec![None; spans.len()];
    for _ in 0..spans.len() {
        let mut has_changed = false;
        for at in 0..spans.len() {
            for &other in &spans[at].after {
                if length[other] + cost(at) > length[at]
                    || (before[at].is_none() && length[other] + cost(at) == length[at])
                {
                    length[at] = length[other] + cost(at);
                    before[at] = Some(other);
                    has_changed = true;
                }
            }
        }
        if !has_changed {
            break;
        }
    }
    let mut path = Vec::new();
    let mut at = (0..spans.len()).rev().max_by_key(|at| length[*at]);
    while let Some(step) = at {
        path.push(step);
        at = before[step];
    }
    path.reverse();
    path
}

fn length(spans: &[Span<'_>], path: &[usize], without: Option<usize>) -> u64 {
    path.iter().filter(|at| without != Some(**at)).map(|at| took(&spans[*at])).sum()
}

/// The step of the critical path that would shorten it most, and how far until another path is the
/// longest.
fn shorter_step(spans: &[Span<'_>], path: &[usize], total_ms: u64) -> Option<Saving> {
    let whole = length(spans, path, None);
    path.iter()
        .map(|&at| (whole - length(spans, &longest(spans, Some(at)), Some(at)), at))
        .max()
        .map(|(ms, at)| {
            let (name, took) = (spans[at].name, seconds(took(&spans[at])));
            let (total, less) = (seconds(total_ms), seconds(ms));
            let advice = format!(
                "{name} took {took} of {total}: making it faster makes the run as much faster, up to {less}"
            );
            Saving { ms, advice }
        })
}

/// What the step that ended last waited for, directly or not, beyond what it needs.
fn shorter_wait(spans: &[Span<'_>], jobs: usize) -> Option<Saving> {
    let mut waited: BTreeMap<Cause<'_>, u64> = BTreeMap::new();
    let mut at = (0..spans.len()).max_by_key(|at| spans[*at].end_ms);
    let mut rounds = spans.len();
    while let Some(step) = at.filter(|_| rounds > 0) {
        rounds -= 1;
        let span = &spans[step];
        let last_need = span.after.iter().copied().max_by_key(|need| spans[*need].end_ms);
        let ready_ms = last_need.map_or(0, |need| spans[need].end_ms);
        let ended_meanwhile = |other: &usize| {
            let end_ms = spans[*other].end_ms;
            *other != step && end_ms > ready_ms && end_ms <= span.start_ms
        };
        let holder = (0..spans.len())
            .filter(ended_meanwhile)
            .filter(|other| span.exclusive.is_some() && spans[*other].exclusive == span.exclusive)
            .max_by_key(|other| spans[*other].end_ms);
        let last =
            (0..spans.len()).filter(ended_meanwhile).max_by_key(|other| spans[*other].end_ms);
        let (cause, blocker) = match (span.exclusive, holder, last) {
            (Some(resource), Some(holder), _) => (Cause::Resource(resource), Some(holder)),
            (_, _, Some(last)) if span.alone || spans[last].alone => (Cause::Alone, Some(last)),
            _ => (Cause::Jobs, last),
        };
        let Some(blocker) = blocker else {
            at = last_need;
            continue;
        };
        // What the blocker itself waited before is counted in its own turn.
        let from_ms = ready_ms.max(spans[blocker].start_ms);
        *waited.entry(cause).or_default() += span.start_ms - from_ms;
        at = Some(blocker).filter(|blocker| spans[*blocker].end_ms < span.end_ms);
    }
    let (cause, ms) = waited.into_iter().max_by_key(|(_, ms)| *ms)?;
    let wait = seconds(ms);
    let advice = match cause {
        Cause::Resource(resource) => format!(
            "steps waited {wait} for each other because they share `{resource}` (`exclusive`)"
        ),
        Cause::Alone => {
            format!("steps waited {wait} because some run alone, to measure time (`alone`)")
        }
        Cause::Jobs => format!(
            "steps waited {wait} for one of the {jobs} jobs: more cores, or a larger --jobs, would \
             have helped"
        ),
    };
    Some(Saving { ms, advice })
}

fn seconds(ms: u64) -> String {
    match ms / 60_000 {
        0 => format!("{:.1}s", ms as f64 / 1_000.0),
        minutes => format!("{minutes}m {:02}s", ms % 60_000 / 1_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn span<'a>(name: &'a str, after: &[usize], start_ms: u64, end_ms: u64) -> Span<'a> {
        Span { name, after: after.to_vec(), exclusive: None, alone: false, start_ms, end_ms }
    }

    #[test]
    fn the_path_is_the_longest_chain_and_its_step_is_named() {
        let spans = [
            span("lint", &[], 0, 9_000),
            span("build", &[], 0, 8_000),
            span("e2e", &[1], 8_000, 12_000),
            span("smoke", &[1], 8_000, 9_000),
        ];
        let analysis = analyse(&spans, 4, 12_000);
        assert_eq!(analysis.path, ["build", "e2e"]);
        assert_eq!(
            analysis.advice.as_deref(),
            Some(
                "e2e took 4.0s of 12.0s: making it faster makes the run as much faster, up to 3.0s"
            )
        );
    }

    #[test]
    fn waiting_for_a_resource_is_told_by_its_name() {
        let mut spans = [
            span("lint", &[], 0, 6_000),
            span("test", &[], 6_000, 12_000),
            span("fmt", &[], 0, 1_000),
        ];
        spans[0].exclusive = Some("cargo");
        spans[1].exclusive = Some("cargo");
        let advice = analyse(&spans, 4, 12_000).advice.unwrap();
        assert!(advice.starts_with("steps waited 6.0s") && advice.contains("`cargo`"), "{advice}");
    }

    #[test]
    fn waiting_for_a_job_is_told_with_their_number() {
        let spans = [
            span("a", &[], 0, 5_000),
            span("b", &[], 5_000, 10_000),
            span("c", &[], 10_000, 15_000),
        ];
        let advice = analyse(&spans, 1, 15_000).advice.unwrap();
        assert!(advice.starts_with("steps waited 10.0s for one of the 1 jobs"), "{advice}");
    }

    #[test]
    fn waiting_for_what_runs_alone_is_no_want_of_cores() {
        let mut spans = [
            span("build", &[], 0, 2_000),
            span("test", &[], 0, 9_000),
            span("budget", &[0], 9_000, 13_000),
        ];
        spans[2].alone = true;
        let advice = analyse(&spans, 4, 13_000).advice.unwrap();
        assert!(advice.starts_with("steps waited 7.0s because some run alone"), "{advice}");
    }

    #[test]
    fn a_short_run_needs_no_advice() {
        assert_eq!(analyse(&[span("a", &[], 0, 100)], 1, 100).advice, None);
        assert_eq!(analyse(&[], 1, 0), Analysis { path: Vec::new(), advice: None });
    }

    proptest! {
        #[test]
        fn no_chain_is_longer_than_the_path(
            graph in crate::pipeline::plan::tests::graphs(),
            takes in proptest::collection::vec(0..50_u64, 12),
        ) {
            let mut spans: Vec<Span<'_>> = Vec::new();
            for (at, needs) in graph.iter().enumerate() {
                let start_ms = needs.iter().map(|need| spans[*need].end_ms).max().unwrap_or(0);
                spans.push(span("s", needs, start_ms, start_ms + takes[at]));
            }
            let total = spans.iter().map(|span| span.end_ms).max().unwrap_or(0);
            let path = longest(&spans, None);
            // With cores for all, every step starts when its needs have ended: the run is the path.
            prop_assert_eq!(length(&spans, &path, None), total);
            for pair in path.windows(2) {
                prop_assert!(spans[pair[1]].after.contains(&pair[0]));
            }
        }
    }
}

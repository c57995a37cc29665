//! From samples to measures and findings.

use super::generate::{End, MAX_IN_FLIGHT, REQUEST_TIMEOUT, Run, Sample, WARM_UP};
use super::plan::Plan;
use crate::address::shown;
use crate::as_ms;
use report::{Finding, Measure, Outcome, Place, Unit};
use std::collections::BTreeMap;
use std::time::Duration;

/// Kinds of failure that get a finding each; the rest are counted in the last.
const MAX_KINDS: usize = 20;

/// A generator later than this (p99) has measured itself: its lag is part of every latency.
const MAX_LAG: Duration = Duration::from_millis(10);

/// The value at a percentile, 1 to 100, by the nearest-rank method: exact, always one of the
/// values. `None` of nothing. The values must be sorted.
pub(super) fn percentile(sorted: &[Duration], percent: usize) -> Option<Duration> {
    // In whole numbers: 14% of 150 is rank 21, which floating point makes 22.
    let rank = (percent * sorted.len()).div_ceil(100);
    sorted.get(rank.max(1) - 1).copied()
}

/// What a run came to.
pub(super) fn conclude(plan: &Plan, run: &Run) -> Outcome {
    let total = run.samples.len() as u64 + run.dropped;
    let failed =
        run.dropped + run.samples.iter().filter(|sample| is_failed(&sample.end)).count() as u64;
    let latencies = latencies(run);
    let error_share = failed as f64 / total as f64;

    let mut findings = failures(plan, run);
    let mut measures = Vec::new();
    for (percent, limit) in limits(plan) {
        let name = format!("latency.p{percent}");
        match (percentile(&latencies, percent), limit) {
            (Some(value), limit) => {
                let measure = Measure::new(&name, as_ms(value), Unit::Ms);
                let measure = limit.map_or(measure.clone(), |limit| measure.max(as_ms(limit)));
                if !measure.is_within() {
                    findings.push(too_slow(plan, percent, &measure));
                }
                measures.push(measure);
            }
            (None, Some(_)) => findings.push(
                Finding::error(
                    "load::no-latency",
                    format!("no request was answered, so {name} is unknown"),
                )
                .at(Place::url(plan.address.as_str())),
            ),
            (None, None) => {}
        }
    }
    measures.push(Measure::new("error-share", error_share, Unit::Share).max(plan.error_share));
    let answered = latencies.len() as f64;
    measures.push(Measure::new(
        "throughput",
        answered / run.elapsed.as_secs_f64(),
        Unit::PerSecond,
    ));
    measures.push(Measure::new("requests", total as f64, Unit::Count));
    measures.push(Measure::new("dropped", run.dropped as f64, Unit::Count));
    measures.push(Measure::new("warm-up", as_ms(WARM_UP), Unit::Ms));
    if let Some(lag) = lag(run) {
        measures.push(Measure::new("generator-lag.p99", as_ms(lag), Unit::Ms));
        if lag > MAX_LAG {
            findings.push(late(plan, lag));
        }
    }
    let p95 = percentile(&latencies, 95)
        .map_or("unknown".to_owned(), |value| Unit::Ms.show(as_ms(value)));
    let summary = format!(
        "{total} requests at {}/s, p95 {p95}, {} failed",
        plan.rate,
        Unit::Share.show(error_share)
    );
    eprintln!("{summary}");
    Outcome::of(summary, findings, measures)
}

/// Whether a latency is beyond its limit while the generator was late enough to be the cause. A
/// failed request is never excused so.
pub(super) fn is_inconclusive(plan: &Plan, run: &Run) -> bool {
    let latencies = latencies(run);
    let is_beyond = |(percent, limit): (usize, Option<Duration>)| {
        limit.zip(percentile(&latencies, percent)).is_some_and(|(limit, value)| value > limit)
    };
    let is_answered = run.dropped == 0 && !run.samples.iter().any(|sample| is_failed(&sample.end));
    is_answered
        && lag(run).is_some_and(|lag| lag > MAX_LAG)
        && limits(plan).into_iter().any(is_beyond)
}

fn limits(plan: &Plan) -> [(usize, Option<Duration>); 3] {
    [(50, None), (95, plan.latency_p95), (99, plan.latency_p99)]
}

/// Sorted. A broken connection ends early: counting it would make a dying server look quick.
fn latencies(run: &Run) -> Vec<Duration> {
    let ended = run.samples.iter().filter(|sample| !matches!(sample.end, End::Broken(_)));
    let mut latencies: Vec<Duration> = ended.map(|sample| sample.latency).collect();
    latencies.sort_unstable();
    latencies
}

/// How late the generator started requests, p99.
fn lag(run: &Run) -> Option<Duration> {
    let mut lags = run.lags.clone();
    lags.sort_unstable();
    percentile(&lags, 99)
}

fn is_failed(end: &End) -> bool {
    !matches!(end, End::Answered(..400))
}

/// One finding per path and kind of failure, an error when the share of all failures is beyond its
/// limit.
fn failures(plan: &Plan, run: &Run) -> Vec<Finding> {
    let mut kinds: BTreeMap<(usize, &End), u64> = BTreeMap::new();
    for Sample { path, end, .. } in run.samples.iter().filter(|sample| is_failed(&sample.end)) {
        *kinds.entry((*path, end)).or_default() += 1;
    }
    let failed = run.dropped + kinds.values().sum::<u64>();
    let total = run.samples.len() as u64 + run.dropped;
    let level = if failed as f64 / total as f64 > plan.error_share {
        report::Level::Error
    } else {
        report::Level::Warning
    };
    let mut kinds: Vec<_> = kinds.into_iter().collect();
    kinds.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let unlisted: u64 = kinds.iter().skip(MAX_KINDS).map(|(_, count)| count).sum();
    let mut findings: Vec<Finding> = kinds
        .into_iter()
        .take(MAX_KINDS)
        .map(|((path, end), count)| {
            let what = match end {
                End::Answered(status) => format!("were answered {status}"),
                End::TimedOut => {
                    format!("had no whole answer after {} s", REQUEST_TIMEOUT.as_secs())
                }
                End::Broken(reason) => format!("got no answer ({reason})"),
            };
            Finding::new(level, "load::failed", format!("{count} of {total} requests {what}"))
                .at(Place::url(shown(&plan.urls[path])))
                .help("look at the server's own output")
        })
        .collect();
    if unlisted > 0 {
        let message = format!("{unlisted} more requests failed in other ways");
        findings.push(
            Finding::new(level, "load::failed", message).at(Place::url(plan.address.as_str())),
        );
    }
    if run.dropped > 0 {
        let message = format!(
            "{} of {total} requests were dropped: {MAX_IN_FLIGHT} were under way when they were due",
            run.dropped
        );
        findings.push(
            Finding::new(level, "load::dropped", message)
                .at(Place::url(plan.address.as_str()))
                .help("the server is far behind; lower `rate` to find what it can take"),
        );
    }
    findings
}

fn too_slow(plan: &Plan, percent: usize, measure: &Measure) -> Finding {
    let message =
        format!("p{percent} of the latency at {}/s is beyond its limit: {measure}", plan.rate);
    Finding::error("load::latency", message)
        .at(Place::url(plan.address.as_str()))
        .help("latency counts from when a request was due; lower `rate` to see where it turns")
}

fn late(plan: &Plan, lag: Duration) -> Finding {
    let message = format!(
        "the generator itself was late by {} (p99), and all latencies contain that: this machine is too busy to tell",
        Unit::Ms.show(as_ms(lag))
    );
    Finding::warning("load::generator-late", message)
        .at(Place::url(plan.address.as_str()))
        .help("run it on a quieter machine, or at a lower `rate`")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ms(values: impl IntoIterator<Item = u64>) -> Vec<Duration> {
        values.into_iter().map(Duration::from_millis).collect()
    }

    #[test]
    fn percentiles_are_values_that_occurred() {
        let values = ms(1..=100);
        assert_eq!(percentile(&values, 50), Some(Duration::from_millis(50)));
        assert_eq!(percentile(&values, 95), Some(Duration::from_millis(95)));
        assert_eq!(percentile(&values, 99), Some(Duration::from_millis(99)));
        assert_eq!(percentile(&ms([7]), 99), Some(Duration::from_millis(7)));
        assert_eq!(percentile(&[], 50), None);
    }

    fn run_of(latency_ms: u64, lag_ms: u64, end: &End) -> Run {
        let sample =
            Sample { path: 0, latency: Duration::from_millis(latency_ms), end: end.clone() };
        Run { samples: vec![sample; 100], lags: ms([lag_ms; 100]), ..Run::default() }
    }

    #[test]
    fn only_a_late_generator_excuses_a_latency_and_nothing_excuses_a_failure() {
        let plan = Plan {
            urls: Vec::new(),
            rate: 100,
            requests: 100,
            duration: Duration::from_secs(1),
            latency_p95: Some(Duration::from_millis(50)),
            latency_p99: None,
            error_share: 0.0,
            address: String::new(),
        };
        let answered = End::Answered(200);
        assert!(is_inconclusive(&plan, &run_of(60, 30, &answered)));
        assert!(!is_inconclusive(&plan, &run_of(60, 1, &answered)));
        assert!(!is_inconclusive(&plan, &run_of(40, 30, &answered)));
        assert!(!is_inconclusive(&plan, &run_of(60, 30, &End::Answered(500))));
    }

    proptest! {
        /// The definition: at least p% of the values are no larger, and with any smaller value of
        /// the list that would not be so.
        #[test]
        fn nearest_rank_holds(mut values in proptest::collection::vec(0u64..1_000, 1..200), percent in 1usize..=100) {
            values.sort_unstable();
            let found = percentile(&ms(values.iter().copied()), percent).unwrap().as_millis() as u64;
            let needed = |value: u64| values.iter().filter(|v| **v <= value).count() * 100 >= percent * values.len();
            prop_assert!(needed(found));
            if let Some(smaller) = values.iter().rev().find(|v| **v < found) {
                prop_assert!(!needed(*smaller));
            }
        }
    }
}

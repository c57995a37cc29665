//! A candidate that is worse never gets a better verdict.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use analysis::{
    Compared, Histogram, Percentile, Percentiles, Proportion, Rule, Sample, Settings, Verdict,
    analyse,
};
use proptest::prelude::*;

fn verdict(rule: &Rule, candidate: Sample, live: &Sample) -> Verdict {
    let compared = Compared { rule: rule.clone(), candidate, live: Some(live.clone()) };
    analyse(&[compared], &Settings { looks: 5, ..Settings::default() }).verdict
}

fn rule(name: &str, max: Option<&str>, against_live: Option<&str>) -> Rule {
    Rule::parse(name, max, against_live, Some("source")).unwrap()
}

fn buckets(counts: Vec<u64>) -> Sample {
    let bounds = vec![10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 640.0];
    Sample::Buckets(Histogram::new(bounds, counts).unwrap())
}

/// Moves some of a bucket's values one bucket up.
fn slower(mut counts: Vec<u64>, bucket: usize, moved: u64) -> Vec<u64> {
    let moved = moved.min(counts[bucket]);
    counts[bucket] -= moved;
    counts[bucket + 1] += moved;
    counts
}

proptest! {
    #[test]
    fn more_errors_are_never_better(
        total in 1_u64..5_000, part in 0.0_f64..0.1, more in 1_u64..50,
        live_total in 1_u64..50_000, live_part in 0.0_f64..0.05,
    ) {
        let errors = (total as f64 * part) as u64;
        prop_assume!(errors + more <= total);
        let live_errors = (live_total as f64 * live_part) as u64;
        let live = Sample::Share(Proportion::new(live_errors, live_total));
        let better = Sample::Share(Proportion::new(errors, total));
        let worse = Sample::Share(Proportion::new(errors + more, total));
        for rule in [
            rule("error-share", Some("1%"), None),
            rule("error-share", None, Some("no worse")),
            rule("error-share", None, Some("+50%")),
        ] {
            prop_assert!(verdict(&rule, worse.clone(), &live) >= verdict(&rule, better.clone(), &live));
        }
    }

    #[test]
    fn slower_is_never_better(
        counts in prop::collection::vec(0_u64..300, 8),
        live in prop::collection::vec(0_u64..3_000, 8),
        bucket in 0_usize..7, moved in 1_u64..300,
    ) {
        let (better, worse) = (counts.clone(), slower(counts, bucket, moved));
        let live = buckets(live);
        for rule in [
            rule("latency-p95", Some("100ms"), None),
            rule("latency-p50", Some("50ms"), None),
            rule("latency-p95", None, Some("+20%")),
        ] {
            let (better, worse) = (buckets(better.clone()), buckets(worse.clone()));
            prop_assert!(verdict(&rule, worse, &live) >= verdict(&rule, better, &live));
        }
        // The correction for ties makes the ranks a little less certain when values part: what
        // failed may then be inconclusive, but it never passes.
        let rule = rule("latency-p95", None, Some("no worse"));
        if verdict(&rule, buckets(better), &live) == Verdict::Fail {
            prop_assert!(verdict(&rule, buckets(worse), &live) != Verdict::Pass);
        }
    }

    #[test]
    fn a_larger_percentile_is_never_better(
        samples in 1_u64..5_000, p75 in 1.0_f64..5_000.0, more in 0.0_f64..2_000.0, live in 1.0_f64..5_000.0,
    ) {
        let alone = |samples, value| {
            let values = vec![Percentile { level: 0.75, value }];
            Sample::Percentiles(Percentiles::new(samples, values).unwrap())
        };
        let live = alone(10_000, live);
        for rule in [
            rule("lcp-p75", Some("2.5s"), None),
            rule("lcp-p75", None, Some("no worse")),
            rule("lcp-p75", None, Some("+20%")),
        ] {
            let better = verdict(&rule, alone(samples, p75), &live);
            prop_assert!(verdict(&rule, alone(samples, p75 + more), &live) >= better);
        }
    }

    #[test]
    fn nothing_passes_with_too_few(total in 0_u64..100, events in 0_u64..100) {
        let few = Sample::Share(Proportion::new(events.min(total), total));
        let live = Sample::Share(Proportion::new(0, 10_000));
        for rule in [rule("error-share", Some("50%"), None), rule("error-share", None, Some("no worse"))] {
            prop_assert!(verdict(&rule, few.clone(), &live) != Verdict::Pass);
            prop_assert!(verdict(&rule, live.clone(), &few) != Verdict::Pass || rule.max.is_some());
        }
    }
}

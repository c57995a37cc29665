use crate::*;

const BOUNDS_MS: [f64; 12] =
    [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 300.0, 500.0, 1_000.0, 10_000.0];

fn share(events: u64, total: u64) -> Sample {
    Sample::Share(Proportion::new(events, total))
}

/// All values at these milliseconds, so many of each.
fn times(values: &[(f64, u64)]) -> Sample {
    let mut counts = vec![0; BOUNDS_MS.len() + 1];
    for (ms, number) in values {
        counts[BOUNDS_MS.iter().take_while(|bound| ms > bound).count()] += number;
    }
    Sample::Buckets(Histogram::new(BOUNDS_MS.to_vec(), counts).unwrap())
}

fn alone(samples: u64, p75: f64) -> Sample {
    let values = vec![Percentile { level: 0.75, value: p75 }];
    Sample::Percentiles(Percentiles::new(samples, values).unwrap())
}

fn judge(rule: Rule, candidate: Sample, live: Option<Sample>) -> Judgement {
    let settings = Settings { looks: 10, ..Settings::default() };
    let analysis = analyse(&[Compared { rule, candidate, live }], &settings);
    assert_eq!(analysis.judgements.len(), 1);
    analysis.judgements[0].clone()
}

fn max(name: &str, max: &str, candidate: Sample) -> Judgement {
    judge(Rule::parse(name, Some(max), None, Some("source")).unwrap(), candidate, None)
}

fn against_live(name: &str, limit: &str, candidate: Sample, live: Sample) -> Judgement {
    judge(Rule::parse(name, None, Some(limit), Some("source")).unwrap(), candidate, Some(live))
}

fn told(judgement: &Judgement) -> String {
    format!("{}: {}", judgement.verdict, judgement.sentence)
}

#[test]
fn an_error_share_is_held_against_its_maximum() {
    for (sample, expected) in [
        (share(31, 1_290), "fail: error share 2.4% (31 of 1,290): at least 1.5%; limit 0.1%"),
        (share(0, 9_000), "pass: error share 0% (0 of 9,000): at most 0.03%; limit 0.1%"),
        (share(0, 500), "pass: error share 0% (0 of 500): more than 0.6% ruled out; limit 0.1%"),
        (
            share(0, 300),
            "inconclusive: error share 0% (0 of 300): between 0% and 0.89%, not certain yet; \
             about 449 requests needed; limit 0.1%",
        ),
        (
            share(0, 62),
            "inconclusive: error share 0% (0 of 62): too few requests, 449 needed; limit 0.1%",
        ),
        (
            share(0, 0),
            "inconclusive: error share 0% (0 of 0): too few requests, 449 needed; limit 0.1%",
        ),
    ] {
        assert_eq!(told(&max("error-share", "0.1%", sample)), expected);
    }
}

#[test]
fn an_error_share_is_held_against_live() {
    for (candidate, live, expected) in [
        (
            share(31, 1_290),
            share(12, 23_870),
            "fail: error share 2.4% (31 of 1,290) against live 0.05% (12 of 23,870): \
             worse by 1.5 to 3.7 points; limit: no worse",
        ),
        (
            share(1, 1_290),
            share(12, 23_870),
            "pass: error share 0.078% (1 of 1,290) against live 0.05% (12 of 23,870): \
             between 0.04 points better and 0.3 worse; limit: no worse",
        ),
        (
            share(0, 1_290),
            share(0, 20),
            "inconclusive: error share 0% (0 of 1,290) against live 0% (0 of 20): \
             too few requests of the live release, 100 needed; limit: no worse",
        ),
    ] {
        let judgement = against_live("error-share", "no worse", candidate, live);
        assert_eq!(told(&judgement), expected);
    }
    let judgement = against_live("error-share", "+100%", share(60, 1_000), share(200, 20_000));
    assert_eq!(
        told(&judgement),
        "fail: error share 6% (60 of 1,000) against live 1% (200 of 20,000): \
         worse than live +100% by 2.3 to 6.3 points; limit: +100%"
    );
}

#[test]
fn one_error_fails_nothing() {
    for total in [1, 5, 50, 100, 10_000] {
        assert_ne!(max("error-share", "0.1%", share(1, total)).verdict, Verdict::Fail, "{total}");
        let judgement =
            against_live("error-share", "no worse", share(1, total), share(0, 1_000_000));
        assert_ne!(judgement.verdict, Verdict::Fail, "{total}");
    }
}

#[test]
fn what_is_above_its_limit_by_chance_alone_waits_for_more() {
    assert_eq!(
        told(&max("error-share", "0.1%", share(1, 500))),
        "inconclusive: error share 0.2% (1 of 500): between 0.045% and 0.89%, not certain yet; \
         about 9,250 requests needed; limit 0.1%"
    );
}

#[test]
fn a_candidate_that_only_fails_does_not_wait_for_samples() {
    assert_eq!(max("error-share", "0.1%", share(6, 6)).verdict, Verdict::Fail);
    let judgement = against_live("error-share", "no worse", share(8, 8), share(0, 200));
    assert_eq!(judgement.verdict, Verdict::Fail);
}

#[test]
fn a_percentile_is_held_against_its_maximum() {
    let fast = [(45.0, 1_200), (180.0, 90)];
    for (sample, expected) in [
        (times(&fast), "pass: latency p95 128 ms (1,290 requests): at most 143 ms; limit 300 ms"),
        (
            times(&[(45.0, 1_000), (900.0, 290)]),
            "fail: latency p95 889 ms (1,290 requests): at least 500 ms; limit 300 ms",
        ),
        (
            times(&[(45.0, 50)]),
            "inconclusive: latency p95 48 ms (50 requests): too few requests, 100 needed; \
             limit 300 ms",
        ),
        (
            times(&[]),
            "inconclusive: latency p95 unknown (no requests): too few requests, 100 needed; \
             limit 300 ms",
        ),
        (
            times(&[(20_000.0, 500)]),
            "fail: latency p95 above 10 s (500 requests): at least 10 s; limit 300 ms",
        ),
    ] {
        assert_eq!(told(&max("latency-p95", "300ms", sample)), expected);
    }
}

#[test]
fn a_rule_may_ask_for_samples_of_its_own() {
    let rule = Rule::parse("latency-p50", Some("300ms"), None, None).unwrap();
    let verdict = |rule: Rule| judge(rule, times(&[(45.0, 120)]), None).verdict;
    assert_eq!(verdict(rule.clone()), Verdict::Pass);
    assert_eq!(verdict(rule.min_samples(121)), Verdict::Inconclusive);
}

#[test]
fn a_p99_of_a_hundred_requests_bounds_nothing() {
    let judgement = max("latency-p99", "300ms", times(&[(45.0, 120)]));
    assert_eq!(
        told(&judgement),
        "inconclusive: latency p99 50 ms (120 requests): at least 49 ms, not certain yet; \
         about 299 requests needed; limit 300 ms"
    );
    assert_eq!(judgement.needed, Some(299));
}

#[test]
fn a_percentile_is_held_against_live() {
    let live = || times(&[(45.0, 20_000), (180.0, 3_000)]);
    for (candidate, expected) in [
        (
            times(&[(45.0, 850), (900.0, 150)]),
            "fail: latency p95 833 ms (1,000 requests) against live 162 ms (23,000 requests): \
             at least 500 ms against at most 200 ms; limit: +20%",
        ),
        (
            times(&[(45.0, 870), (180.0, 130)]),
            "pass: latency p95 162 ms (1,000 requests) against live 162 ms (23,000 requests): \
             at most 171 ms, 194 ms allowed; limit: +20%",
        ),
    ] {
        assert_eq!(told(&against_live("latency-p95", "+20%", candidate, live())), expected);
    }
}

#[test]
fn a_shift_that_buckets_hide_is_seen_by_the_ranks() {
    // Neighbouring buckets: their edges alone tell nothing apart.
    let live = times(&[(15.0, 5_000), (45.0, 5_000)]);
    let candidate = times(&[(15.0, 100), (45.0, 700), (80.0, 200)]);
    let judgement = against_live("latency-p50", "no worse", candidate, live);
    assert_eq!(
        told(&judgement),
        "fail: latency p50 37 ms (1,000 requests) against live 20 ms (10,000 requests): \
         slower in 75% of pairs, by about 20 ms; limit: no worse"
    );
    let test = judgement.rank_test.unwrap();
    assert!(test.p_larger < 1e-10 && test.superiority > 0.71, "{test:?}");
}

#[test]
fn milliseconds_on_a_fast_page_fail_nothing() {
    let live = times(&[(0.5, 500_000)]);
    for limit in ["no worse", "+20%"] {
        let judgement = against_live("latency-p95", limit, times(&[(1.5, 500_000)]), live.clone());
        assert_eq!(judgement.verdict, Verdict::Pass, "{}", judgement.sentence);
    }
}

#[test]
fn a_live_release_that_is_beyond_the_buckets_compares_with_nothing() {
    let slow = || times(&[(20_000.0, 500)]);
    let judgement = against_live("latency-p95", "+20%", slow(), slow());
    assert_eq!(judgement.verdict, Verdict::Inconclusive);
    assert!(judgement.sentence.contains("live is beyond what is measured"));
}

#[test]
fn vitals_of_a_source_are_judged_alike() {
    for (sample, expected) in [
        (alone(812, 1_810.0), "pass: LCP p75 1.81 s (812 samples): at most 1.96 s; limit 2.5 s"),
        (alone(812, 4_000.0), "fail: LCP p75 4 s (812 samples): at least 3.54 s; limit 2.5 s"),
        (
            alone(40, 1_810.0),
            "inconclusive: LCP p75 1.81 s (40 samples): too few samples, 100 needed; limit 2.5 s",
        ),
    ] {
        assert_eq!(told(&max("lcp-p75", "2.5s", sample)), expected);
    }
    let judgement = against_live("cls-p75", "no worse", alone(400, 0.05), alone(9_000, 0.04));
    assert_eq!(judgement.verdict, Verdict::Pass, "{}", judgement.sentence);
    let judgement = against_live("cls-p75", "no worse", alone(400, 0.25), alone(9_000, 0.04));
    assert_eq!(judgement.verdict, Verdict::Fail, "{}", judgement.sentence);
}

#[test]
fn a_bare_number_is_taken_as_it_is() {
    let rule = |max, live| Rule::parse_custom("lost-mails", max, live, "prometheus").unwrap();
    let judgement = judge(rule(Some("1%"), None), Sample::Value(0.02), None);
    assert_eq!(told(&judgement), "fail: lost mails 2% by prometheus; limit 1%");
    let live = Some(Sample::Value(0.01));
    let judgement = judge(rule(None, Some("+20%")), Sample::Value(0.011), live);
    assert_eq!(
        told(&judgement),
        "pass: lost mails 0.011 against live 0.01 by prometheus; limit: +20%"
    );
}

#[test]
fn no_data_is_inconclusive() {
    let missing = || Sample::Missing("prometheus did not answer within 5 s".to_owned());
    assert_eq!(
        told(&max("error-share", "0.1%", missing())),
        "inconclusive: error share: no data of the candidate: \
         prometheus did not answer within 5 s; 100 requests needed"
    );
    let judgement = against_live("latency-p95", "+20%", times(&[(5.0, 500)]), missing());
    assert!(told(&judgement).starts_with("inconclusive: latency p95: no data of the live release"));
    // Of another kind than the rule needs.
    for judgement in [
        max("latency-p95", "300ms", share(0, 500)),
        max("latency-p95", "300ms", alone(500, 5.0)),
        max("error-share", "0.1%", times(&[(5.0, 500)])),
        against_live("error-share", "no worse", share(0, 500), Sample::Value(0.0)),
    ] {
        assert_eq!(judgement.verdict, Verdict::Inconclusive, "{}", judgement.sentence);
    }
}

#[test]
fn the_first_release_is_compared_with_nothing() {
    let rule = Rule::parse("error-share", Some("1%"), Some("no worse"), None).unwrap();
    let compared = Compared { rule, candidate: share(0, 500), live: None };
    let analysis = analyse(&[compared], &Settings::default());
    assert_eq!(analysis.verdict, Verdict::Pass);
    assert_eq!(analysis.judgements[1].sentence, "error share: no live release to compare with");
}

#[test]
fn the_worst_verdict_is_that_of_all_with_its_reasons_in_order() {
    let rule = |name, max| Rule::parse(name, Some(max), None, None).unwrap();
    let compared = |rule, candidate| Compared { rule, candidate, live: None };
    let errors = compared(rule("error-share", "0.1%"), share(31, 1_290));
    let unknown = compared(rule("latency-p50", "50ms"), times(&[]));
    let slow = compared(rule("latency-p95", "300ms"), times(&[(900.0, 500)]));
    let fast = compared(rule("first-byte-p95", "300ms"), times(&[(9.0, 500)]));
    let verdict = |all: &[Compared]| analyse(all, &Settings::default()).verdict;
    let analysis =
        analyse(&[errors, unknown.clone(), slow.clone(), fast.clone()], &Settings::default());
    assert_eq!(analysis.verdict, Verdict::Fail);
    let reasons: Vec<&str> = analysis.reasons().collect();
    assert_eq!(reasons.len(), 2);
    assert!(reasons[0].starts_with("error share") && reasons[1].starts_with("latency p95"));
    assert_eq!(verdict(&[fast.clone(), unknown]), Verdict::Inconclusive);
    assert_eq!(verdict(&[fast]), Verdict::Pass);
    assert_eq!(verdict(&[]), Verdict::Inconclusive);
}

#[test]
fn an_analysis_survives_json() {
    let rule = Rule::parse("latency-p99", Some("300ms"), Some("+20%"), None).unwrap();
    let candidate = times(&[(20_000.0, 30)]);
    let compared = Compared { rule, candidate, live: Some(times(&[(5.0, 500)])) };
    let analysis = analyse(&[compared], &Settings::default());
    let json = serde_json::to_string(&analysis).unwrap();
    assert_eq!(serde_json::from_str::<Analysis>(&json).unwrap(), analysis);
}

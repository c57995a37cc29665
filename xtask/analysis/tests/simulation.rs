//! Rollouts played through with dice: how often a good release fails, how soon a bad one does, and
//! whether a good one gets through at all. The seed is fixed.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use analysis::{
    Analysis, Compared, Histogram, Proportion, Rule, Sample, Settings, Verdict, analyse,
};

/// SplitMix64 (G. L. Steele et al., OOPSLA 2014).
struct Dice(u64);

impl Dice {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// By Box and Muller.
    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (2.0 * std::f64::consts::PI * self.uniform()).cos()
    }
}

/// How a release behaves: latencies are lognormal around a median; none are thrown for a median of 0.
#[derive(Clone, Copy)]
struct Behaviour {
    error_share: f64,
    median_ms: f64,
}

/// The spread of the logarithm: a p95 of 2.7 times the median.
const SPREAD: f64 = 0.6;

const GOOD: Behaviour = Behaviour { error_share: 0.0005, median_ms: 50.0 };

/// What the edge counts: buckets that are a quarter wider each, from 1 ms to some 20 s.
struct Counted {
    requests: u64,
    errors: u64,
    bounds: Vec<f64>,
    counts: Vec<u64>,
}

impl Counted {
    fn new() -> Counted {
        let bounds: Vec<f64> = (0..45).map(|power| 1.25_f64.powi(power)).collect();
        Counted { requests: 0, errors: 0, counts: vec![0; bounds.len() + 1], bounds }
    }

    fn serve(&mut self, dice: &mut Dice, behaviour: Behaviour, requests: u64) {
        self.requests += requests;
        // How many are served between two errors is geometric: one throw an error, not a request.
        let ln_fine = (-behaviour.error_share).ln_1p();
        let mut next = (1.0 - dice.uniform()).ln() / ln_fine;
        while next < requests as f64 {
            self.errors += 1;
            next = next.floor() + 1.0 + (1.0 - dice.uniform()).ln() / ln_fine;
        }
        if behaviour.median_ms == 0.0 {
            return;
        }
        for _ in 0..requests {
            let latency_ms = behaviour.median_ms * (SPREAD * dice.normal()).exp();
            self.counts[self.bounds.partition_point(|bound| *bound < latency_ms)] += 1;
        }
    }

    fn sample(&self, rule: &Rule) -> Sample {
        if rule.metric.quantile().is_none() {
            return Sample::Share(Proportion::new(self.errors, self.requests));
        }
        Sample::Buckets(Histogram::new(self.bounds.clone(), self.counts.clone()).unwrap())
    }
}

fn rules() -> Vec<Rule> {
    vec![
        Rule::parse("error-share", Some("0.1%"), Some("no worse"), None).unwrap(),
        Rule::parse("latency-p50", None, Some("no worse"), None).unwrap(),
        Rule::parse("latency-p95", Some("300ms"), Some("+20%"), None).unwrap(),
    ]
}

const LOOKS: u32 = 5;

fn look(rules: &[Rule], candidate: &Counted, live: &Counted) -> Analysis {
    let compared: Vec<Compared> = (rules.iter())
        .map(|rule| Compared {
            rule: rule.clone(),
            candidate: candidate.sample(rule),
            live: Some(live.sample(rule)),
        })
        .collect();
    analyse(&compared, &Settings { looks: LOOKS, ..Settings::default() })
}

/// The verdict at each look, until one fails.
fn rollout(
    dice: &mut Dice,
    rules: &[Rule],
    candidate: Behaviour,
    live: Behaviour,
    requests_per_look: (u64, u64),
) -> Vec<Verdict> {
    let (mut new, mut old) = (Counted::new(), Counted::new());
    let mut verdicts = Vec::new();
    for _ in 0..LOOKS {
        new.serve(dice, candidate, requests_per_look.0);
        old.serve(dice, live, requests_per_look.1);
        verdicts.push(look(rules, &new, &old).verdict);
        if verdicts.ends_with(&[Verdict::Fail]) {
            break;
        }
    }
    verdicts
}

/// The share of rollouts that end like this.
fn ending(rollouts: u32, end: Verdict, mut play: impl FnMut() -> Vec<Verdict>) -> f64 {
    let ended = (0..rollouts).filter(|_| play().last() == Some(&end)).count();
    ended as f64 / f64::from(rollouts)
}

#[test]
fn a_release_like_live_fails_no_more_often_than_stated() {
    let mut dice = Dice(1);
    // Both at the very maximum, where it is hardest to tell.
    let at_limit = Behaviour { error_share: 0.001, median_ms: 50.0 };
    let rules = rules();
    let failed =
        ending(2_000, Verdict::Fail, || rollout(&mut dice, &rules, at_limit, at_limit, (60, 600)));
    assert!(failed <= 0.05, "{failed} failed, at most 0.05 stated");
}

#[test]
fn rare_errors_fail_a_release_no_more_often_than_stated() {
    let rules = &rules()[..1];
    for (seed, error_share, requests) in [(2, 0.0001, (200, 4_000)), (3, 0.02, (150, 150))] {
        let mut dice = Dice(seed);
        let both = Behaviour { error_share, median_ms: 0.0 };
        let alike = [Rule { max: None, ..rules[0].clone() }];
        let failed =
            ending(2_000, Verdict::Fail, || rollout(&mut dice, &alike, both, both, requests));
        assert!(failed <= 0.05, "{failed} failed at {error_share}, at most 0.05 stated");
    }
}

#[test]
fn a_good_release_gets_through() {
    let mut dice = Dice(4);
    let good = Behaviour { error_share: 0.0001, ..GOOD };
    let rules = rules();
    let passed =
        ending(300, Verdict::Pass, || rollout(&mut dice, &rules, good, good, (400, 2_000)));
    assert!(passed >= 0.95, "only {passed} passed");
}

#[test]
fn five_percent_of_errors_are_caught_within_500_requests() {
    let mut dice = Dice(5);
    let bad = Behaviour { error_share: 0.05, ..GOOD };
    let rules = rules();
    let failed = ending(300, Verdict::Fail, || {
        rollout(&mut dice, &rules, bad, Behaviour { error_share: 0.001, ..GOOD }, (100, 1_000))
    });
    assert!(failed >= 0.99, "only {failed} caught");
}

#[test]
fn a_tenfold_latency_is_caught_within_200_requests() {
    let mut dice = Dice(6);
    let slow = Behaviour { median_ms: GOOD.median_ms * 10.0, ..GOOD };
    for rule in ["latency-p50", "latency-p95"] {
        for limit in ["no worse", "+20%"] {
            let rules = [Rule::parse(rule, None, Some(limit), None).unwrap()];
            let failed =
                ending(100, Verdict::Fail, || rollout(&mut dice, &rules, slow, GOOD, (40, 400)));
            assert!(failed >= 0.99, "{rule} {limit}: only {failed} caught");
        }
    }
}

#[test]
fn a_millisecond_more_does_not_fail_however_certain_it_is() {
    let mut dice = Dice(7);
    let (mut new, mut old) = (Counted::new(), Counted::new());
    new.serve(&mut dice, Behaviour { median_ms: 51.0, ..GOOD }, 1_000_000);
    old.serve(&mut dice, GOOD, 1_000_000);
    for name in ["latency-p50", "latency-p95", "latency-p99"] {
        for limit in ["no worse", "+20%"] {
            let rules = [Rule::parse(name, None, Some(limit), None).unwrap()];
            let judgement = look(&rules, &new, &old).judgements.remove(0);
            assert_eq!(judgement.verdict, Verdict::Pass, "{}", judgement.sentence);
            if let Some(test) = judgement.rank_test {
                assert!(test.p_larger < 1e-6, "it is certain: {test:?}");
            }
        }
    }
}

#[test]
fn half_as_slow_again_is_caught_with_a_thousand_requests() {
    let mut dice = Dice(8);
    let slow = Behaviour { median_ms: GOOD.median_ms * 1.5, ..GOOD };
    let rules = [Rule::parse("latency-p50", None, Some("no worse"), None).unwrap()];
    let failed =
        ending(100, Verdict::Fail, || rollout(&mut dice, &rules, slow, GOOD, (200, 1_000)));
    assert!(failed >= 0.99, "only {failed} caught");
}

//! Judges each limit of each rule.
//!
//! Every judge asks in the same order: is there data, is the limit broken beyond chance, is it kept as
//! far as the samples could have shown a breach; else it is inconclusive.

mod percentile;
mod percentile_against_live;
mod share;
mod share_against_live;
mod value;

#[cfg(test)]
mod tests;

use crate::distribution::Distribution;
use crate::special::normal_quantile_above;
use crate::{
    AgainstLive, Analysis, Compared, Judgement, Limit, Reading, Rule, Sample, Settings, Verdict,
};
use report::Unit;

/// A candidate that is worse by less than this is not rolled back for it, however certain it is.
const LEAST_SHIFT_MS: f64 = 2.0;
/// The same for layout shifts: a fifth of what web.dev calls good.
const LEAST_SHIFT_SCORE: f64 = 0.02;
/// The same for shares: one in a thousand. Who wants less sets a maximum.
const LEAST_SHIFT_SHARE: f64 = 0.001;
/// How many samples are thought of at most when reckoning how many would be enough: more than any
/// rollout waits for.
const MOST_SAMPLES: u64 = 10_000_000;

/// Judges every limit of every rule, and all together.
///
/// `settings.confidence` holds for all limits of all looks: what is certain enough to fail is made
/// stricter by their number.
pub fn analyse(compared: &[Compared], settings: &Settings) -> Analysis {
    let limits = |rule: &Rule| {
        let max = rule.max.map(Limit::Max);
        max.into_iter().chain(rule.against_live.map(Limit::AgainstLive))
    };
    let number = compared.iter().map(|compared| limits(&compared.rule).count()).sum();
    let alpha = settings.alpha(number);
    let judgements = compared.iter().flat_map(|compared| {
        limits(&compared.rule).map(move |limit| {
            let case =
                Case { rule: &compared.rule, limit, alpha, settings, live: compared.live.as_ref() };
            case.judge(&compared.candidate)
        })
    });
    Analysis::of(judgements.collect())
}

/// One limit, and how sure a verdict on it must be.
struct Case<'a> {
    rule: &'a Rule,
    limit: Limit,
    /// The chance of a false alarm that this limit has at this look.
    alpha: f64,
    settings: &'a Settings,
    live: Option<&'a Sample>,
}

impl Case<'_> {
    fn judge(&self, candidate: &Sample) -> Judgement {
        match (self.limit, self.live) {
            (Limit::Max(max), _) => self.against_max(max, candidate),
            (Limit::AgainstLive(limit), Some(live)) => self.against_live(limit, candidate, live),
            (Limit::AgainstLive(_), None) => Judgement {
                sentence: format!("{}: no live release to compare with", self.title()),
                ..self.nothing(Verdict::Pass)
            },
        }
    }

    fn against_max(&self, max: f64, candidate: &Sample) -> Judgement {
        match candidate {
            Sample::Missing(why) => self.no_data_of("candidate", why),
            Sample::Value(value) => self.value(max, *value),
            Sample::Share(share) if self.is_share() => self.share(max, *share),
            Sample::Share(_) => self.other_numbers(),
            Sample::Buckets(histogram) => self.percentile(max, Distribution::Buckets(histogram)),
            Sample::Percentiles(values) => self.percentile(max, Distribution::Percentiles(values)),
        }
    }

    fn against_live(&self, limit: AgainstLive, candidate: &Sample, live: &Sample) -> Judgement {
        match (candidate, live) {
            (Sample::Missing(why), _) => self.no_data_of("candidate", why),
            (_, Sample::Missing(why)) => self.no_data_of("live release", why),
            (Sample::Value(candidate), Sample::Value(live)) => {
                self.value_against_live(limit, *candidate, *live)
            }
            (Sample::Share(candidate), Sample::Share(live)) if self.is_share() => {
                self.share_against_live(limit, *candidate, *live)
            }
            _ => match (distribution(candidate), distribution(live)) {
                (Some(candidate), Some(live)) => {
                    self.percentile_against_live(limit, candidate, live)
                }
                _ => self.other_numbers(),
            },
        }
    }

    fn is_share(&self) -> bool {
        self.unit() == Unit::Share && self.rule.metric.quantile().is_none()
    }

    fn title(&self) -> String {
        self.rule.metric.title()
    }

    fn min_samples(&self) -> u64 {
        self.rule.min_samples.unwrap_or(self.settings.min_samples)
    }

    fn unit(&self) -> Unit {
        self.rule.metric.unit()
    }

    /// z of one end of an interval that decides on a failure.
    fn strict_z(&self) -> f64 {
        normal_quantile_above(self.alpha)
    }

    /// The chance of an error that a pass may have. Not divided by the looks: who passes wrongly moves
    /// on by one step, and is looked at again there; who fails wrongly is out.
    fn lenient_alpha(&self) -> f64 {
        self.settings.confidence.alpha()
    }

    fn lenient_z(&self) -> f64 {
        normal_quantile_above(self.lenient_alpha())
    }

    /// What a difference must at least be to matter, in the metric's unit.
    fn least_shift(&self) -> f64 {
        match self.unit() {
            Unit::Ms => LEAST_SHIFT_MS,
            Unit::Share => LEAST_SHIFT_SHARE,
            Unit::Score if self.rule.metric.quantile().is_some() => LEAST_SHIFT_SCORE,
            _ => 0.0,
        }
    }

    fn no_data_of(&self, release: &str, why: &str) -> Judgement {
        self.no_data(&format!("no data of the {release}: {why}"))
    }

    fn other_numbers(&self) -> Judgement {
        self.no_data("the source gives other numbers than this")
    }

    fn no_data(&self, why: &str) -> Judgement {
        let needed = self.min_samples();
        let samples = self.rule.metric.samples();
        Judgement {
            needed: Some(needed),
            sentence: format!("{}: {why}; {needed} {samples} needed", self.title()),
            ..self.nothing(Verdict::Inconclusive)
        }
    }

    fn nothing(&self, verdict: Verdict) -> Judgement {
        let alpha = if verdict == Verdict::Fail { self.alpha } else { self.lenient_alpha() };
        Judgement {
            verdict,
            rule: self.rule.clone(),
            limit: self.limit,
            candidate: None,
            live: None,
            difference: None,
            rank_test: None,
            confidence: 1.0 - alpha,
            needed: None,
            sentence: String::new(),
        }
    }

    /// A judgement with what was measured.
    fn judgement(&self, verdict: Verdict, candidate: Reading, live: Option<Reading>) -> Judgement {
        Judgement { candidate: Some(candidate), live, ..self.nothing(verdict) }
    }
}

fn distribution(sample: &Sample) -> Option<Distribution<'_>> {
    match sample {
        Sample::Buckets(histogram) => Some(Distribution::Buckets(histogram)),
        Sample::Percentiles(percentiles) => Some(Distribution::Percentiles(percentiles)),
        Sample::Missing(_) | Sample::Share(_) | Sample::Value(_) => None,
    }
}

/// The smallest number of samples from `from` on that is enough.
fn enough(from: u64, is_enough: impl Fn(u64) -> bool) -> Option<u64> {
    let (mut low, mut high) = (from.max(1), from.max(1));
    while !is_enough(high) {
        low = high + 1;
        high = high.saturating_mul(2);
        if high > MOST_SAMPLES {
            return None;
        }
    }
    while low < high {
        let middle = low + (high - low) / 2;
        if is_enough(middle) { high = middle } else { low = middle + 1 }
    }
    Some(high)
}

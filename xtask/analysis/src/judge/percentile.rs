//! A percentile against a maximum.

use super::share::{not_certain, too_few};
use super::{Case, enough};
use crate::distribution::Distribution;
use crate::{Interval, Judgement, Reading, Verdict, show};

/// A breach that a pass must have been able to see: a percentile half as large again as the limit.
pub(super) const BREACH: f64 = 1.5;

impl Case<'_> {
    pub(super) fn percentile(&self, max: f64, candidate: Distribution<'_>) -> Judgement {
        let Some(level) = self.level(&[candidate]) else { return self.other_numbers() };
        let samples = candidate.samples();
        let min = self.min_samples();
        let value = candidate.at(level);
        // What the buckets cannot tell apart counts for the candidate here…
        let lower = |samples| candidate.lower(level, samples, self.alpha).lower;
        // …and is taken by straight line here.
        let upper = |samples| candidate.upper(level, samples, self.lenient_alpha()).value;
        let is_broken = |samples| lower(samples) > max;
        let is_kept = |samples| value.value <= max && upper(samples) <= max * BREACH;
        let verdict = match samples >= min {
            true if is_broken(samples) => Verdict::Fail,
            true if is_kept(samples) => Verdict::Pass,
            _ => Verdict::Inconclusive,
        };
        let needed = || enough(samples.max(min), |samples| is_broken(samples) || is_kept(samples));
        let needed = (verdict == Verdict::Inconclusive && samples > 0).then(needed).flatten();
        let needed = needed.or((samples < min).then_some(min));
        let unit = self.unit();
        let finding = match verdict {
            Verdict::Fail => format!("at least {}", show::value(unit, lower(samples))),
            Verdict::Pass if upper(samples) <= max => {
                format!("at most {}", show::value(unit, upper(samples)))
            }
            Verdict::Pass => format!("more than {} ruled out", show::value(unit, max * BREACH)),
            Verdict::Inconclusive if samples < min => too_few(self.rule.metric.samples(), needed),
            Verdict::Inconclusive => {
                let range = self.range(candidate, level);
                range + &not_certain(self.rule.metric.samples(), needed)
            }
        };
        Judgement {
            needed,
            sentence: format!(
                "{}: {finding}; limit {}",
                self.measured(candidate, level),
                show::value(unit, max)
            ),
            ..self.judgement(verdict, self.reading(candidate, level, verdict), None)
        }
    }

    /// The percentile's level, when all distributions have it.
    pub(super) fn level(&self, distributions: &[Distribution<'_>]) -> Option<f64> {
        let level = self.rule.metric.quantile()?.level();
        distributions.iter().all(|distribution| distribution.has(level)).then_some(level)
    }

    /// `latency p95 412 ms (1,290 requests)`
    pub(super) fn measured(&self, distribution: Distribution<'_>, level: f64) -> String {
        format!("{} {}", self.title(), self.numbers(distribution, level))
    }

    /// `412 ms (1,290 requests)`
    pub(super) fn numbers(&self, distribution: Distribution<'_>, level: f64) -> String {
        let (samples, noun) = (distribution.samples(), self.rule.metric.samples());
        if samples == 0 {
            return format!("unknown (no {noun})");
        }
        let value = show::point(self.unit(), distribution.at(level));
        format!("{value} ({} {noun})", show::count(samples))
    }

    /// `between 380 ms and 450 ms`
    pub(super) fn range(&self, distribution: Distribution<'_>, level: f64) -> String {
        let alpha = self.lenient_alpha();
        let samples = distribution.samples();
        let lower = distribution.lower(level, samples, alpha);
        let lower = if lower.value.is_finite() { lower.value } else { lower.lower };
        let lower = show::value(self.unit(), lower);
        let upper = distribution.upper(level, samples, alpha);
        if upper.value.is_finite() {
            format!("between {lower} and {}", show::value(self.unit(), upper.value))
        } else {
            format!("at least {lower}")
        }
    }

    pub(super) fn reading(
        &self,
        distribution: Distribution<'_>,
        level: f64,
        verdict: Verdict,
    ) -> Reading {
        let alpha = if verdict == Verdict::Fail { self.alpha } else { self.lenient_alpha() };
        let value = distribution.at(level);
        Reading {
            samples: Some(distribution.samples()),
            events: None,
            value: value.value,
            interval: Some(distribution.interval(level, alpha)),
            bucket: Some(Interval { lower: value.lower, upper: value.upper }),
        }
    }
}

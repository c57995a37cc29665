//! A percentile against the live release's.

use super::percentile::BREACH;
use super::share::{not_certain, too_few};
use super::{Case, enough};
use crate::distribution::Distribution;
use crate::{AgainstLive, Judgement, RankTest, Verdict, rank_test, show};

/// "No worse" is not worse by more than this part of live's value: what a visitor does not notice, and
/// what two processes of one release differ by.
const NOTICEABLE: f64 = 0.1;
/// Vargha and Delaney's A from which on an effect is called one, a small one.
const LEAST_SUPERIORITY: f64 = 0.56;

impl Case<'_> {
    pub(super) fn percentile_against_live(
        &self,
        limit: AgainstLive,
        candidate: Distribution<'_>,
        live: Distribution<'_>,
    ) -> Judgement {
        let Some(level) = self.level(&[candidate, live]) else { return self.other_numbers() };
        let rank_test = match limit {
            AgainstLive::NoWorse => ranks(candidate, live),
            AgainstLive::Within(_) => None,
        };
        let (own, theirs) = (candidate.samples(), live.samples());
        let min = self.min_samples();
        let allowed = self.allowed(limit, live.at(level).value);
        let value = candidate.at(level).value;
        // Two ways to fail share the chance of a false alarm, and two bounds share that of the first.
        let ways = if rank_test.is_some() { 2.0 } else { 1.0 };
        let bound_alpha = self.alpha / ways / 2.0;
        let live_upper = live.upper(level, theirs, bound_alpha).upper;
        let lower = |samples| candidate.lower(level, samples, bound_alpha).lower;
        let is_apart = |samples| lower(samples) > self.allowed(limit, live_upper);
        let is_slower = value > allowed
            && rank_test.is_some_and(|test| {
                test.p_larger < self.alpha / ways
                    && test.superiority >= LEAST_SUPERIORITY
                    && test.shift >= self.least_shift()
            });
        let upper = |samples| candidate.upper(level, samples, self.lenient_alpha()).value;
        let is_kept =
            |samples| allowed.is_finite() && value <= allowed && upper(samples) <= allowed * BREACH;
        let verdict = match own >= min && theirs >= min {
            true if is_apart(own) || is_slower => Verdict::Fail,
            true if is_kept(own) => Verdict::Pass,
            _ => Verdict::Inconclusive,
        };
        let needed = || enough(own.max(min), |samples| is_apart(samples) || is_kept(samples));
        let needed = match verdict {
            Verdict::Inconclusive if own < min || theirs < min => Some(min),
            Verdict::Inconclusive => needed(),
            Verdict::Pass | Verdict::Fail => None,
        };
        let (unit, noun) = (self.unit(), self.rule.metric.samples());
        let finding = match (verdict, rank_test) {
            (Verdict::Fail, _) if is_apart(own) => format!(
                "at least {} against at most {}",
                show::value(unit, lower(own)),
                show::value(unit, live_upper)
            ),
            (Verdict::Fail, Some(test)) => format!(
                "slower in {}% of pairs, by about {}",
                show::percent(test.superiority),
                show::value(unit, test.shift)
            ),
            (Verdict::Pass, _) if upper(own) <= allowed => {
                format!(
                    "at most {}, {} allowed",
                    show::value(unit, upper(own)),
                    show::value(unit, allowed)
                )
            }
            (Verdict::Pass, _) => {
                format!(
                    "{} allowed, more than {} ruled out",
                    show::value(unit, allowed),
                    show::value(unit, allowed * BREACH)
                )
            }
            _ if own < min => too_few(noun, needed),
            _ if theirs < min => too_few(&format!("{noun} of the live release"), needed),
            _ if !allowed.is_finite() => "live is beyond what is measured, not certain".to_owned(),
            _ => {
                let allowed = show::value(unit, allowed);
                let range = self.range(candidate, level);
                format!("{range}, {allowed} allowed{}", not_certain(noun, needed))
            }
        };
        Judgement {
            rank_test,
            needed,
            sentence: format!(
                "{} against live {}: {finding}; limit: {limit}",
                self.measured(candidate, level),
                self.numbers(live, level)
            ),
            ..self.judgement(
                verdict,
                self.reading(candidate, level, verdict),
                Some(self.reading(live, level, verdict)),
            )
        }
    }

    /// The most that a candidate may have when live has `live`.
    pub(super) fn allowed(&self, limit: AgainstLive, live: f64) -> f64 {
        let more = match limit {
            AgainstLive::NoWorse => NOTICEABLE,
            AgainstLive::Within(more) => more,
        };
        live + (live * more).max(self.least_shift())
    }
}

fn ranks(candidate: Distribution<'_>, live: Distribution<'_>) -> Option<RankTest> {
    match (candidate, live) {
        (Distribution::Buckets(candidate), Distribution::Buckets(live)) => {
            rank_test::compare(candidate, live)
        }
        _ => None,
    }
}

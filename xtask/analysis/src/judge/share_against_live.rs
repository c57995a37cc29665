//! A share of failed requests against the live release's.

use super::share::{BREACH, FEWEST_ERRORS, not_certain, reading, shown, too_few};
use super::{Case, enough};
use crate::{AgainstLive, Interval, Judgement, Proportion, Verdict, show};

impl Case<'_> {
    pub(super) fn share_against_live(
        &self,
        limit: AgainstLive,
        candidate: Proportion,
        live: Proportion,
    ) -> Judgement {
        let factor = match limit {
            AgainstLive::NoWorse => 1.0,
            AgainstLive::Within(more) => 1.0 + more,
        };
        let (strict_z, lenient_z) = (self.strict_z(), self.lenient_z());
        let strict = candidate.difference(live, factor, strict_z);
        let lenient = candidate.difference(live, factor, lenient_z);
        let difference = candidate.share() - factor * live.share();
        let min = self.min_samples();
        let is_broken = candidate.events() >= FEWEST_ERRORS
            && live.total() > 0
            && difference >= self.least_shift()
            && strict.lower > 0.0
            && candidate.chance_beside(live, factor) < self.alpha;
        let is_kept = candidate.total() >= min
            && live.total() >= min
            && difference <= self.least_shift()
            && lenient.upper <= BREACH;
        let verdict = match (is_broken, is_kept) {
            (true, _) => Verdict::Fail,
            (false, true) => Verdict::Pass,
            (false, false) => Verdict::Inconclusive,
        };
        let needed = || {
            if live.total() < min && candidate.total() >= min {
                return Some(min);
            }
            enough(candidate.total().max(min), |total| {
                // As many times more of both, in the same shares.
                let times = total as f64 / candidate.total().max(1) as f64;
                let (more, live_more) = (candidate.times(times), live.times(times));
                let at = |z| candidate.difference_at(total, live, live_more.total(), factor, z);
                if difference <= self.least_shift() {
                    at(lenient_z).upper <= BREACH
                } else {
                    more.events() >= FEWEST_ERRORS
                        && at(strict_z).lower > 0.0
                        && more.chance_beside(live_more, factor) < self.alpha
                }
            })
        };
        let needed = (verdict == Verdict::Inconclusive).then(needed).flatten();
        let interval = if verdict == Verdict::Fail { strict } else { lenient };
        let noun = self.rule.metric.samples();
        let finding = match verdict {
            Verdict::Fail | Verdict::Pass => compare(interval, limit),
            Verdict::Inconclusive if candidate.total() < min => too_few(noun, needed),
            Verdict::Inconclusive if live.total() < min => {
                too_few(&format!("{noun} of the live release"), needed)
            }
            Verdict::Inconclusive => compare(interval, limit) + &not_certain(noun, needed),
        };
        let z = if verdict == Verdict::Fail { strict_z } else { lenient_z };
        Judgement {
            difference: Some(interval),
            needed,
            sentence: format!(
                "{} {} against live {}: {finding}; limit: {limit}",
                self.title(),
                shown(candidate),
                shown(live)
            ),
            ..self.judgement(
                verdict,
                reading(candidate, candidate.wilson(z)),
                Some(reading(live, live.wilson(z))),
            )
        }
    }
}

/// `worse by 1.5 to 3.4 points`
fn compare(interval: Interval, limit: AgainstLive) -> String {
    let than = match limit {
        AgainstLive::NoWorse => String::new(),
        AgainstLive::Within(_) => format!(" than live {limit}"),
    };
    let points = |difference: f64| show::percent(difference.abs());
    let (lower, upper) = (points(interval.lower), points(interval.upper));
    if interval.lower > 0.0 {
        format!("worse{than} by {lower} to {upper} points")
    } else if interval.upper < 0.0 {
        format!("better{than} by {upper} to {lower} points")
    } else {
        format!("between {lower} points better{than} and {upper} worse")
    }
}

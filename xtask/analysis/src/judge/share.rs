//! A share of failed requests against a maximum.

use super::{Case, enough};
use crate::{Judgement, Proportion, Reading, Verdict, show};

/// A breach that a pass must have been able to see: a share half a point above the limit. With no
/// errors it takes about 450 requests at a limit of 0.1% and 95% confidence; to rule out every breach,
/// however small, takes 2,700.
pub(super) const BREACH: f64 = 0.005;
/// Fewer failed requests than this fail no release: one hiccup makes several at once.
pub(super) const FEWEST_ERRORS: u64 = 5;

impl Case<'_> {
    pub(super) fn share(&self, max: f64, candidate: Proportion) -> Judgement {
        let (strict_z, lenient_z) = (self.strict_z(), self.lenient_z());
        let (strict, lenient) = (candidate.wilson(strict_z), candidate.wilson(lenient_z));
        let share = candidate.share();
        let min = self.min_samples();
        // Wilson's bound alone is too eager when errors are rare; see `proportion`.
        let is_broken = candidate.events() >= FEWEST_ERRORS
            && strict.lower > max
            && candidate.chance_at(max) < self.alpha;
        let is_kept = candidate.total() >= min && share <= max && lenient.upper <= max + BREACH;
        let verdict = match (is_broken, is_kept) {
            (true, _) => Verdict::Fail,
            (false, true) => Verdict::Pass,
            (false, false) => Verdict::Inconclusive,
        };
        let needed = || {
            enough(candidate.total().max(min), |total| {
                if share <= max {
                    candidate.wilson_at(total, lenient_z).upper <= max + BREACH
                } else {
                    let more = candidate.times(total as f64 / candidate.total() as f64);
                    more.events() >= FEWEST_ERRORS
                        && candidate.wilson_at(total, strict_z).lower > max
                        && more.chance_at(max) < self.alpha
                }
            })
        };
        let needed = (verdict == Verdict::Inconclusive).then(needed).flatten();
        let noun = self.rule.metric.samples();
        let finding = match verdict {
            Verdict::Fail => format!("at least {}%", show::percent(strict.lower)),
            Verdict::Pass if lenient.upper <= max => {
                format!("at most {}%", show::percent(lenient.upper))
            }
            Verdict::Pass => format!("more than {}% ruled out", show::percent(max + BREACH)),
            Verdict::Inconclusive if candidate.total() < min => too_few(noun, needed),
            Verdict::Inconclusive => {
                let (lower, upper) = (show::percent(lenient.lower), show::percent(lenient.upper));
                format!("between {lower}% and {upper}%{}", not_certain(noun, needed))
            }
        };
        let interval = if verdict == Verdict::Fail { strict } else { lenient };
        Judgement {
            needed,
            sentence: format!(
                "{} {}: {finding}; limit {}%",
                self.title(),
                shown(candidate),
                show::percent(max)
            ),
            ..self.judgement(verdict, reading(candidate, interval), None)
        }
    }
}

/// `2.4% (31 of 1,290)`
pub(super) fn shown(share: Proportion) -> String {
    let (events, total) = (show::count(share.events()), show::count(share.total()));
    format!("{}% ({events} of {total})", show::percent(share.share()))
}

pub(super) fn reading(share: Proportion, interval: crate::Interval) -> Reading {
    Reading {
        samples: Some(share.total()),
        events: Some(share.events()),
        value: share.share(),
        interval: Some(interval),
        bucket: None,
    }
}

pub(super) fn too_few(samples: &str, needed: Option<u64>) -> String {
    match needed {
        Some(needed) => format!("too few {samples}, {} needed", show::count(needed)),
        None => format!("too few {samples}"),
    }
}

pub(super) fn not_certain(samples: &str, needed: Option<u64>) -> String {
    match needed {
        Some(needed) => {
            format!(", not certain yet; about {} {samples} needed", show::count(needed))
        }
        None => ", not certain".to_owned(),
    }
}

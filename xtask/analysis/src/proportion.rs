//! A share of events, its interval, and the difference of two.
//!
//! Intervals tell how large a share may be. They are normal approximations, and for a handful of rare
//! events too eager: with a limit of 0.1%, one error in fifty requests puts Wilson's lower bound above
//! it, although chance alone does that in one case of twenty. So no verdict fails on an interval
//! alone: the exact tails stand beside them.

use crate::Interval;
use crate::special::binomial_at_least;
use serde::{Deserialize, Serialize};

/// So many events among so many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proportion {
    events: u64,
    total: u64,
}

impl Proportion {
    /// Counters that are read while requests are under way may disagree by a few: the total is at
    /// least the events.
    pub fn new(events: u64, total: u64) -> Proportion {
        Proportion { events, total: total.max(events) }
    }

    pub fn events(self) -> u64 {
        self.events
    }

    pub fn total(self) -> u64 {
        self.total
    }

    /// Between 0 and 1; 0 of nothing.
    pub fn share(self) -> f64 {
        if self.total == 0 { 0.0 } else { self.events as f64 / self.total as f64 }
    }

    /// Wilson's score interval: what lies within `z` standard errors. Of nothing: from 0 to 1.
    ///
    /// E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22
    /// (1927); R. G. Newcombe, Two-sided confidence intervals for the single proportion, Statistics in
    /// Medicine 17 (1998) 857, method 3.
    pub fn wilson(self, z: f64) -> Interval {
        wilson(self.share(), self.total as f64, z)
    }

    /// The interval of `self - factor * other`, from the Wilson intervals of both.
    ///
    /// With a factor of 1, R. G. Newcombe, Interval estimation for the difference between independent
    /// proportions, Statistics in Medicine 17 (1998) 873, method 10; with another, its extension to
    /// linear functions, MOVER: G. Y. Zou and A. Donner, Statistics in Medicine 27 (2008) 1693.
    pub fn difference(self, other: Proportion, factor: f64, z: f64) -> Interval {
        self.difference_at(self.total, other, other.total, factor, z)
    }

    /// How likely so many events or more are when the true share is `share`. Exact.
    pub fn chance_at(self, share: f64) -> f64 {
        binomial_at_least(self.total, self.events, share)
    }

    /// How likely so many of both's events fall to `self` when its true share is `factor` times the
    /// other's. Exact for counts, and on the safe side for shares.
    ///
    /// J. Przyborowski and H. Wilenski, Homogeneity of results in testing samples from Poisson
    /// series, Biometrika 31 (1940) 313: given the sum, one's part is binomial.
    pub fn chance_beside(self, other: Proportion, factor: f64) -> f64 {
        let own = self.total as f64 * factor;
        let all = own + other.total as f64;
        if all == 0.0 {
            return 1.0;
        }
        binomial_at_least(self.events + other.events, self.events, own / all)
    }

    /// [`Proportion::wilson`], if the same share were that of `total`: how many samples are enough?
    pub(crate) fn wilson_at(self, total: u64, z: f64) -> Interval {
        wilson(self.share(), total as f64, z)
    }

    /// [`Proportion::difference`], if the same shares were those of other totals.
    pub(crate) fn difference_at(
        self,
        total: u64,
        other: Proportion,
        other_total: u64,
        factor: f64,
        z: f64,
    ) -> Interval {
        let (own, theirs) = (self.wilson_at(total, z), other.wilson_at(other_total, z));
        let (share, theirs_share) = (self.share(), other.share());
        let difference = share - factor * theirs_share;
        Interval {
            lower: difference - (share - own.lower).hypot(factor * (theirs.upper - theirs_share)),
            upper: difference + (own.upper - share).hypot(factor * (theirs_share - theirs.lower)),
        }
    }

    /// So many times more events among as many times more.
    pub(crate) fn times(self, times: f64) -> Proportion {
        let grown = |number: u64| (number as f64 * times).round() as u64;
        Proportion::new(grown(self.events), grown(self.total))
    }
}

fn wilson(share: f64, total: f64, z: f64) -> Interval {
    if total == 0.0 {
        return Interval { lower: 0.0, upper: 1.0 };
    }
    let z2 = z * z;
    let centre = share + z2 / (2.0 * total);
    let half = z * (share * (1.0 - share) / total + z2 / (4.0 * total * total)).sqrt();
    let scale = 1.0 + z2 / total;
    Interval {
        // At the ends it is exactly 0 and 1; rounding would leave a little beside them.
        lower: if share == 0.0 { 0.0 } else { ((centre - half) / scale).clamp(0.0, 1.0) },
        upper: if share == 1.0 { 1.0 } else { ((centre + half) / scale).clamp(0.0, 1.0) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const Z95: f64 = 1.959_963_984_540_054;

    fn close(found: Interval, lower: f64, upper: f64, within: f64) {
        assert!((found.lower - lower).abs() < within, "{found:?}, expected from {lower}");
        assert!((found.upper - upper).abs() < within, "{found:?}, expected to {upper}");
    }

    #[test]
    fn wilson_agrees_with_newcombe_1998() {
        // Newcombe 1998 (single proportion), table I, method 3.
        close(Proportion::new(81, 263).wilson(Z95), 0.2553, 0.3662, 5e-5);
        close(Proportion::new(15, 148).wilson(Z95), 0.0624, 0.1605, 5e-5);
        close(Proportion::new(0, 20).wilson(Z95), 0.0, 0.1611, 5e-5);
        close(Proportion::new(1, 29).wilson(Z95), 0.0061, 0.1718, 5e-5);
    }

    #[test]
    fn wilson_agrees_with_statsmodels() {
        // statsmodels 0.15.0: proportion_confint(x, n, method="wilson")
        let interval = Proportion::new(31, 1290).wilson(Z95);
        close(interval, 0.016_980_646_362_401_86, 0.033_907_705_044_042_516, 1e-12);
        close(Proportion::new(29, 29).wilson(Z95), 0.883_030_201_500_259_2, 1.0, 1e-12);
    }

    #[test]
    fn the_difference_agrees_with_newcombe_1998() {
        // Newcombe 1998 (difference), table II, method 10: examples a, b and h.
        let difference =
            |a, m, b, n| Proportion::new(a, m).difference(Proportion::new(b, n), 1.0, Z95);
        close(difference(56, 70, 48, 80), 0.0524, 0.3339, 5e-5);
        close(difference(9, 10, 3, 10), 0.1705, 0.8090, 5e-5);
        close(difference(5, 56, 0, 29), -0.0381, 0.1926, 5e-5);
        // statsmodels 0.15.0: confint_proportions_2indep(…, method="newcomb", correction=False)
        let found = difference(31, 1290, 12, 23870);
        close(found, 0.016_467_911_914_824_71, 0.033_407_324_206_830_19, 1e-12);
    }

    #[test]
    fn the_exact_tails_agree_with_scipy() {
        // scipy 1.17.1: binom.sf(0, 50, 0.001); binom.sf(30, 43, 1290 / (1290 + 23870))
        let found = Proportion::new(1, 50).chance_at(0.001);
        assert!((found - 0.048_794_371_802_968_646).abs() < 1e-12, "{found}");
        let found = Proportion::new(31, 1290).chance_beside(Proportion::new(12, 23870), 1.0);
        assert!((found / 8.445_238_256_851_829e-31 - 1.0).abs() < 1e-8, "{found}");
    }

    fn proportion() -> impl Strategy<Value = Proportion> {
        (0_u64..5_000, 0_u64..100_000)
            .prop_map(|(events, more)| Proportion::new(events, events + more))
    }

    proptest! {
        #[test]
        fn bounds_stand_around_the_share_and_within_0_and_1(p in proportion(), z in 0.1_f64..6.0) {
            let interval = p.wilson(z);
            prop_assert!(0.0 <= interval.lower && interval.upper <= 1.0);
            prop_assert!(interval.lower <= p.share() + 1e-12 && p.share() <= interval.upper + 1e-12);
        }

        #[test]
        fn a_difference_stands_within_its_bounds_and_turns_with_the_roles(
            a in proportion(), b in proportion(), z in 0.1_f64..6.0
        ) {
            let (there, back) = (a.difference(b, 1.0, z), b.difference(a, 1.0, z));
            prop_assert!(-1.0 - 1e-9 <= there.lower && there.upper <= 1.0 + 1e-9);
            prop_assert!(there.lower <= a.share() - b.share() && a.share() - b.share() <= there.upper);
            prop_assert!((there.lower + back.upper).abs() < 1e-12);
        }

        #[test]
        fn more_events_never_look_better(a in proportion(), b in proportion(), z in 0.1_f64..6.0) {
            prop_assume!(a.events() < a.total());
            let worse = Proportion::new(a.events() + 1, a.total());
            let (before, after) = (a.difference(b, 1.2, z), worse.difference(b, 1.2, z));
            prop_assert!(after.lower >= before.lower - 1e-12 && after.upper >= before.upper - 1e-12);
            prop_assert!(worse.chance_beside(b, 1.2) <= a.chance_beside(b, 1.2) + 1e-9);
            prop_assert!(worse.chance_at(0.01) <= a.chance_at(0.01) + 1e-9);
        }
    }
}

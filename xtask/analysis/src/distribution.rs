//! What is known of a distribution, asked for percentiles and how certain they are.

use crate::special::{binomial_at_least, binomial_at_most, normal_density, normal_quantile_above};
use crate::{Histogram, Interval};
use serde::{Deserialize, Serialize};

/// Spread that is assumed where a source gives a percentile and nothing around it: of a lognormal,
/// the deviation of the logarithm. Wider than latencies and paint times in the field commonly are, so
/// that the interval is rather too wide.
const ASSUMED_SPREAD: f64 = 1.0;

/// A value, and the edges between which it certainly lies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Point {
    pub value: f64,
    pub lower: f64,
    pub upper: f64,
}

impl Point {
    fn exactly(value: f64) -> Point {
        Point { value, lower: value, upper: value }
    }
}

/// One percentile: `level` 0.75 for p75.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Percentile {
    pub level: f64,
    pub value: f64,
}

/// Percentiles of so many values, as a source gives them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Percentiles {
    samples: u64,
    /// Ascending in level, and never descending in value.
    values: Vec<Percentile>,
}

/// Why percentiles are none.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error(
    "expected percentiles between p0 and p100 whose values ascend from 0, \
     found p{} {} after {before}", .found.level * 100.0, .found.value
)]
pub struct UnorderedPercentiles {
    pub before: f64,
    pub found: Percentile,
}

impl Percentiles {
    /// Levels strictly between 0 and 1, in any order; values at least 0.
    pub fn new(
        samples: u64,
        mut values: Vec<Percentile>,
    ) -> Result<Percentiles, UnorderedPercentiles> {
        values.sort_by(|a, b| a.level.total_cmp(&b.level));
        let mut before = Percentile { level: 0.0, value: 0.0 };
        for &found in &values {
            let is_next = found.level > before.level && found.level < 1.0;
            if !is_next || !found.value.is_finite() || found.value < before.value {
                return Err(UnorderedPercentiles { before: before.value, found });
            }
            before = found;
        }
        Ok(Percentiles { samples, values })
    }

    pub fn samples(&self) -> u64 {
        self.samples
    }

    fn at(&self, level: f64) -> Point {
        let mut before = Percentile { level: 0.0, value: 0.0 };
        for next in &self.values {
            if (next.level - level).abs() < 1e-12 {
                return Point::exactly(next.value);
            }
            if next.level > level {
                let part = (level - before.level) / (next.level - before.level);
                let value = before.value + (next.value - before.value) * part;
                return Point { value, lower: before.value, upper: next.value };
            }
            before = *next;
        }
        Point { value: f64::INFINITY, lower: before.value, upper: f64::INFINITY }
    }

    fn has(&self, level: f64) -> bool {
        self.values.iter().any(|percentile| (percentile.level - level).abs() < 1e-12)
    }

    /// Whether percentiles on both sides tell how wide the distribution is there.
    fn has_neighbours(&self, level: f64) -> bool {
        let beside = |percentile: &Percentile| (percentile.level - level).abs() >= 1e-12;
        let (below, above): (Vec<_>, Vec<_>) = (self.values.iter().copied())
            .filter(beside)
            .partition(|percentile| percentile.level < level);
        !below.is_empty() && !above.is_empty()
    }
}

/// Where the numbers of a percentile come from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Distribution<'a> {
    Buckets(&'a Histogram),
    Percentiles(&'a Percentiles),
}

impl Distribution<'_> {
    pub fn samples(self) -> u64 {
        match self {
            Distribution::Buckets(histogram) => histogram.total(),
            Distribution::Percentiles(percentiles) => percentiles.samples,
        }
    }

    /// Whether the source gives this percentile at all.
    pub fn has(self, level: f64) -> bool {
        match self {
            Distribution::Buckets(_) => true,
            Distribution::Percentiles(percentiles) => percentiles.has(level),
        }
    }

    /// The percentile.
    pub fn at(self, level: f64) -> Point {
        match self {
            Distribution::Buckets(histogram) => histogram.at(level),
            Distribution::Percentiles(percentiles) => percentiles.at(level),
        }
    }

    /// The percentile's lower bound, wrong with the chance `alpha`, if there were `samples` values: the
    /// value at the highest rank that is above the percentile so seldom. Free of any assumption on the
    /// distribution (H. A. David and H. N. Nagaraja, Order Statistics, 3rd ed., 7.1).
    pub fn lower(self, level: f64, samples: u64, alpha: f64) -> Point {
        if let Some(nominal) = self.nominal(level, samples, -normal_quantile_above(alpha)) {
            return nominal;
        }
        match lower_rank(samples, level, alpha) {
            0 => Point::exactly(0.0),
            rank => self.at(rank as f64 / samples as f64),
        }
    }

    /// The percentile's upper bound, likewise; infinite while there are too few values for one.
    pub fn upper(self, level: f64, samples: u64, alpha: f64) -> Point {
        if let Some(nominal) = self.nominal(level, samples, normal_quantile_above(alpha)) {
            return nominal;
        }
        let rank = upper_rank(samples, level, alpha);
        if rank > samples {
            Point { value: f64::INFINITY, lower: 0.0, upper: f64::INFINITY }
        } else {
            self.at(rank as f64 / samples as f64)
        }
    }

    /// Both bounds, between the buckets' edges.
    pub fn interval(self, level: f64, alpha: f64) -> Interval {
        let samples = self.samples();
        Interval {
            lower: self.lower(level, samples, alpha).value,
            upper: self.upper(level, samples, alpha).value,
        }
    }

    /// A bound for a percentile that stands alone: its asymptotic standard error, with the density of
    /// a lognormal (A. M. Mood et al., Introduction to the Theory of Statistics, 3rd ed., VI.5.3).
    fn nominal(self, level: f64, samples: u64, z: f64) -> Option<Point> {
        let Distribution::Percentiles(percentiles) = self else { return None };
        if percentiles.has_neighbours(level) {
            return None;
        }
        let density = normal_density(normal_quantile_above(1.0 - level));
        let error = ASSUMED_SPREAD * (level * (1.0 - level) / samples as f64).sqrt() / density;
        Some(Point::exactly(percentiles.at(level).value * (z * error).exp()))
    }
}

/// The highest rank whose value is above the percentile with at most the chance `alpha`; 0 for none.
fn lower_rank(samples: u64, level: f64, alpha: f64) -> u64 {
    let is_bound = |rank: u64| rank == 0 || binomial_at_most(samples, rank - 1, level) <= alpha;
    let (mut low, mut high) = (0, samples);
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        if is_bound(middle) { low = middle } else { high = middle - 1 }
    }
    low
}

/// The lowest rank whose value is below the percentile with at most the chance `alpha`; `samples + 1`
/// for none.
fn upper_rank(samples: u64, level: f64, alpha: f64) -> u64 {
    let (mut low, mut high) = (1, samples + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        if binomial_at_least(samples, middle, level) <= alpha {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ranks_agree_with_scipy() {
        // scipy 1.17.1, from stats.binom(n, q).cdf and .sf. 40 and 61 of 100 is the textbook's
        // 95% interval of a median.
        for (samples, level, alpha, lower, upper) in [
            (100, 0.5, 0.025, 40, 61),
            (100, 0.95, 0.025, 90, 100),
            (59, 0.95, 0.05, 53, 59),
            (299, 0.99, 0.05, 293, 299),
            (1_000_000, 0.95, 0.0005, 949_281, 950_717),
        ] {
            assert_eq!(lower_rank(samples, level, alpha), lower, "{samples} {level}");
            assert_eq!(upper_rank(samples, level, alpha), upper, "{samples} {level}");
        }
    }

    #[test]
    fn too_few_values_bound_nothing() {
        // 0.95^58 is above 5%, 0.95^59 below.
        assert_eq!(upper_rank(58, 0.95, 0.05), 59);
        assert_eq!(lower_rank(3, 0.5, 0.05), 0);
    }

    fn percentile(level: f64, value: f64) -> Percentile {
        Percentile { level, value }
    }

    #[test]
    fn percentiles_that_contradict_each_other_are_refused() {
        let found = Percentiles::new(10, vec![percentile(0.95, 10.0), percentile(0.5, 20.0)]);
        assert_eq!(
            found.unwrap_err().to_string(),
            "expected percentiles between p0 and p100 whose values ascend from 0, \
             found p95 10 after 20"
        );
    }

    #[test]
    fn neighbours_bound_a_percentile() {
        let values =
            vec![percentile(0.5, 1000.0), percentile(0.75, 2000.0), percentile(0.95, 4000.0)];
        let percentiles = Percentiles::new(1_000, values).unwrap();
        let distribution = Distribution::Percentiles(&percentiles);
        let interval = distribution.interval(0.75, 0.025);
        assert!((1_850.0..2_000.0).contains(&interval.lower), "{interval:?}");
        assert!((2_000.0..2_350.0).contains(&interval.upper), "{interval:?}");
        assert_eq!(distribution.lower(0.75, 1_000, 0.025).lower, 1000.0);
    }

    #[test]
    fn a_percentile_alone_gets_an_interval_that_narrows() {
        let few = Percentiles::new(100, vec![percentile(0.75, 2000.0)]).unwrap();
        let many = Percentiles::new(10_000, vec![percentile(0.75, 2000.0)]).unwrap();
        let few = Distribution::Percentiles(&few).interval(0.75, 0.025);
        let many = Distribution::Percentiles(&many).interval(0.75, 0.025);
        // 1.36 / sqrt(n), 1.96 of them, about 27% and 2.7%.
        assert!((few.upper / 2000.0 - 1.306).abs() < 0.01, "{few:?}");
        assert!((many.upper / 2000.0 - 1.027).abs() < 0.001, "{many:?}");
    }

    proptest! {
        #[test]
        fn bounds_stand_around_the_percentile(
            counts in prop::collection::vec(0_u64..500, 6), level in 0.01_f64..0.99, alpha in 0.001_f64..0.2
        ) {
            prop_assume!(counts.iter().sum::<u64>() > 0);
            let histogram = Histogram::new(vec![1.0, 2.0, 5.0, 10.0, 20.0], counts).unwrap();
            let distribution = Distribution::Buckets(&histogram);
            let interval = distribution.interval(level, alpha);
            let point = distribution.at(level);
            prop_assert!(0.0 <= interval.lower && interval.lower <= point.value);
            prop_assert!(point.value <= interval.upper);
        }
    }
}

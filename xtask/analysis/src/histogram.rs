//! Counts of values in buckets.

use crate::distribution::Point;
use serde::{Deserialize, Serialize};

/// More buckets than any source has; a bound on what the comparison of all pairs costs.
const MAX_BUCKETS: usize = 1_000;

/// How many values lie in each bucket. Bucket i holds what is above bound i-1 (0 for the first) and at
/// most bound i; the last one holds what is above the last bound.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct Histogram {
    bounds: Vec<f64>,
    counts: Vec<u64>,
}

#[derive(Serialize, Deserialize)]
struct Parts {
    bounds: Vec<f64>,
    counts: Vec<u64>,
}

/// Why counts and bounds are no histogram, or two histograms no one.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum HistogramError {
    #[error("expected between 1 and {MAX_BUCKETS} bucket bounds, found {found}")]
    Bounds { found: usize },
    #[error("expected ascending bucket bounds above 0, found {found} after {before}")]
    Order { before: f64, found: f64 },
    #[error("expected {expected} buckets, one more than bounds, found {found}")]
    Buckets { expected: usize, found: usize },
    #[error(
        "expected the same bucket bounds in both histograms, found {ours} and {theirs} of them, or other ones"
    )]
    Unlike { ours: usize, theirs: usize },
}

impl Histogram {
    /// `counts` has one element more than `bounds`; bounds are finite, above 0 and ascending.
    pub fn new(bounds: Vec<f64>, counts: Vec<u64>) -> Result<Histogram, HistogramError> {
        check_bounds(&bounds)?;
        if counts.len() != bounds.len() + 1 {
            return Err(HistogramError::Buckets {
                expected: bounds.len() + 1,
                found: counts.len(),
            });
        }
        Ok(Histogram { bounds, counts })
    }

    pub fn bounds(&self) -> &[f64] {
        &self.bounds
    }

    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// How many values there are.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Adds the values of another one with the same bounds.
    pub fn merge(&mut self, other: &Histogram) -> Result<(), HistogramError> {
        if self.bounds != other.bounds {
            return Err(HistogramError::Unlike {
                ours: self.bounds.len(),
                theirs: other.bounds.len(),
            });
        }
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        Ok(())
    }

    /// What came since `earlier`; `None` when a count fell, or the bounds are others.
    pub(crate) fn since(&self, earlier: &Histogram) -> Option<Histogram> {
        if self.bounds != earlier.bounds {
            return None;
        }
        let counts: Option<Vec<u64>> = (self.counts.iter().zip(&earlier.counts))
            .map(|(now, before)| now.checked_sub(*before))
            .collect();
        Some(Histogram { bounds: self.bounds.clone(), counts: counts? })
    }

    /// Lower and upper edge of a bucket.
    pub(crate) fn edges(&self, bucket: usize) -> (f64, f64) {
        let lower = if bucket == 0 { 0.0 } else { self.bounds[bucket - 1] };
        (lower, self.bounds.get(bucket).copied().unwrap_or(f64::INFINITY))
    }

    /// The value below which `level` of the values lie; between a bucket's edges by straight line.
    pub(crate) fn at(&self, level: f64) -> Point {
        let wanted = level * self.total() as f64;
        let mut below = 0.0;
        for (bucket, count) in self.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let count = *count as f64;
            // A level made of a rank may come back a last bit too high.
            if below + count >= wanted * (1.0 - 1e-12) {
                let (lower, upper) = self.edges(bucket);
                let part = ((wanted - below) / count).clamp(0.0, 1.0);
                let value = if upper.is_finite() { lower + (upper - lower) * part } else { upper };
                return Point { value, lower, upper };
            }
            below += count;
        }
        Point { value: f64::INFINITY, lower: 0.0, upper: f64::INFINITY }
    }
}

/// Bounds of buckets: between 1 and 1,000, finite, above 0, ascending.
pub(crate) fn check_bounds(bounds: &[f64]) -> Result<(), HistogramError> {
    if bounds.is_empty() || bounds.len() >= MAX_BUCKETS {
        return Err(HistogramError::Bounds { found: bounds.len() });
    }
    let mut before = 0.0;
    for &bound in bounds {
        if !bound.is_finite() || bound <= before {
            return Err(HistogramError::Order { before, found: bound });
        }
        before = bound;
    }
    Ok(())
}

impl TryFrom<Parts> for Histogram {
    type Error = HistogramError;

    fn try_from(parts: Parts) -> Result<Histogram, HistogramError> {
        Histogram::new(parts.bounds, parts.counts)
    }
}

impl From<Histogram> for Parts {
    fn from(histogram: Histogram) -> Parts {
        Parts { bounds: histogram.bounds, counts: histogram.counts }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_no_histogram_is_refused() {
        assert_eq!(Histogram::new(vec![], vec![1]), Err(HistogramError::Bounds { found: 0 }));
        assert_eq!(
            Histogram::new(vec![1.0, 1.0], vec![0; 3]),
            Err(HistogramError::Order { before: 1.0, found: 1.0 })
        );
        assert_eq!(
            Histogram::new(vec![1.0, 2.0], vec![0; 2]),
            Err(HistogramError::Buckets { expected: 3, found: 2 })
        );
        assert!(Histogram::new(vec![f64::NAN], vec![0; 2]).is_err());
    }

    #[test]
    fn a_percentile_stands_between_its_buckets_edges() {
        let histogram = Histogram::new(vec![10.0, 20.0, 40.0], vec![50, 40, 10, 0]).unwrap();
        assert_eq!(histogram.at(0.5), Point { value: 10.0, lower: 0.0, upper: 10.0 });
        assert_eq!(histogram.at(0.7), Point { value: 15.0, lower: 10.0, upper: 20.0 });
        assert_eq!(histogram.at(0.95), Point { value: 30.0, lower: 20.0, upper: 40.0 });
    }

    #[test]
    fn beyond_the_last_bound_nothing_is_known() {
        let histogram = Histogram::new(vec![10.0], vec![1, 9]).unwrap();
        let point = histogram.at(0.5);
        assert_eq!((point.value, point.lower), (f64::INFINITY, 10.0));
    }

    fn of(values: &[f64]) -> Histogram {
        let bounds = vec![1.0, 2.0, 5.0, 10.0];
        let mut counts = vec![0; 5];
        for value in values {
            counts[bounds.iter().take_while(|bound| value > bound).count()] += 1;
        }
        Histogram::new(bounds, counts).unwrap()
    }

    proptest! {
        #[test]
        fn merging_is_concatenating(
            a in prop::collection::vec(0.1_f64..20.0, 0..50),
            b in prop::collection::vec(0.1_f64..20.0, 0..50),
        ) {
            let mut merged = of(&a);
            merged.merge(&of(&b)).unwrap();
            prop_assert_eq!(merged, of(&[a, b].concat()));
        }

        #[test]
        fn what_came_since_is_what_was_added(
            a in prop::collection::vec(0.1_f64..20.0, 0..50),
            b in prop::collection::vec(0.1_f64..20.0, 0..50),
        ) {
            let later = of(&[a.clone(), b.clone()].concat());
            prop_assert_eq!(later.since(&of(&a)), Some(of(&b)));
        }

        #[test]
        fn a_percentile_lies_in_the_bucket_of_its_rank(
            mut values in prop::collection::vec(0.1_f64..9.9, 1..200), level in 0.01_f64..1.0
        ) {
            let histogram = of(&values);
            values.sort_by(f64::total_cmp);
            let rank = ((level * values.len() as f64).ceil() as usize).clamp(1, values.len());
            let point = histogram.at(level);
            prop_assert!(point.lower < values[rank - 1] && values[rank - 1] <= point.upper);
            prop_assert!(point.lower <= point.value && point.value <= point.upper);
        }
    }
}

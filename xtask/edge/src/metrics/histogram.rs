//! How long things took, counted in buckets. Recording is two relaxed additions, so that it can be
//! done for every answer.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Steps from one power of ten to the next: each bound is 5% above the one before.
const STEPS_PER_DECADE: u32 = 48;

const FIRST_BOUND_US: u64 = 100;
const LAST_BOUND_US: u64 = 60_000_000;

/// Round bounds that are there too, so that a limit such as 250 ms falls on one: in each decade.
const ROUND: [u64; 3] = [2, 5, 25];

/// Upper bounds of the buckets in microseconds, ascending: 0.1 ms to 60 s. What took longer is in
/// one more bucket.
static BOUNDS_US: LazyLock<Vec<u64>> = LazyLock::new(|| {
    let mut bounds: Vec<u64> = (0..)
        .map(|step| 10_f64.powf(f64::from(step) / f64::from(STEPS_PER_DECADE)))
        .map(|factor| (FIRST_BOUND_US as f64 * factor).round() as u64)
        .take_while(|bound| *bound < LAST_BOUND_US)
        .chain([LAST_BOUND_US])
        .collect();
    let decades = std::iter::successors(Some(FIRST_BOUND_US), |decade| Some(decade * 10));
    let round = decades
        .take_while(|decade| *decade < LAST_BOUND_US)
        .flat_map(|decade| ROUND.map(|digits| digits * decade / if digits > 9 { 10 } else { 1 }));
    bounds.extend(round.filter(|bound| *bound < LAST_BOUND_US));
    bounds.sort_unstable();
    bounds.dedup();
    bounds
});

/// Upper bounds of the buckets in milliseconds, ascending.
pub fn bounds_ms() -> Vec<f64> {
    BOUNDS_US.iter().map(|bound| *bound as f64 / 1000.0).collect()
}

/// Counts of durations.
#[derive(Debug)]
pub struct Histogram {
    /// One more than there are bounds.
    counts: Box<[AtomicU64]>,
    sum_us: AtomicU64,
}

impl Default for Histogram {
    fn default() -> Histogram {
        let counts = (0..=BOUNDS_US.len()).map(|_| AtomicU64::new(0)).collect();
        Histogram { counts, sum_us: AtomicU64::new(0) }
    }
}

impl Histogram {
    pub fn record(&self, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS_US.partition_point(|bound| *bound < us);
        self.counts[bucket].fetch_add(1, Ordering::Relaxed);
        self.sum_us.fetch_add(us, Ordering::Relaxed);
    }
}

/// What was recorded, by several.
#[derive(Debug)]
pub struct Durations {
    /// How many fell into each bucket.
    pub counts: Vec<u64>,
    sum_us: u64,
}

impl Durations {
    pub fn sum<'a>(histograms: impl Iterator<Item = &'a Histogram>) -> Durations {
        let mut sum = Durations { counts: vec![0; BOUNDS_US.len() + 1], sum_us: 0 };
        for histogram in histograms {
            for (sum, count) in sum.counts.iter_mut().zip(&histogram.counts) {
                *sum += count.load(Ordering::Relaxed);
            }
            sum.sum_us += histogram.sum_us.load(Ordering::Relaxed);
        }
        sum
    }

    /// All durations together, in seconds.
    pub fn sum_s(&self) -> f64 {
        self.sum_us as f64 / 1e6
    }
}

/// How many of these counts are of at most `bound_ms`, which is one of the bounds.
pub fn at_most(counts: &[u64], bound_ms: f64) -> u64 {
    let bound_us = (bound_ms * 1000.0).round() as u64;
    let buckets = BOUNDS_US.partition_point(|bound| *bound <= bound_us);
    counts.iter().take(buckets).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bounds_are_close_and_hold_the_round_numbers() {
        let bounds = bounds_ms();
        assert_eq!((bounds[0], bounds[bounds.len() - 1]), (0.1, 60_000.0));
        assert!(bounds.len() < 310, "{}", bounds.len());
        let (widest, _) = bounds
            .windows(2)
            .map(|pair| (pair[1] / pair[0], pair[0]))
            .fold((0.0, 0.0), |widest, next| if next.0 > widest.0 { next } else { widest });
        assert!(widest < 1.055, "{widest}");
        for round in [0.1, 1.0, 2.0, 2.5, 5.0, 10.0, 25.0, 250.0, 1000.0, 50_000.0] {
            assert!(bounds.contains(&round), "{round}");
        }
    }

    proptest! {
        #[test]
        fn a_duration_is_counted_once_and_under_its_bound(us in 0_u64..100_000_000) {
            let histogram = Histogram::default();
            histogram.record(Duration::from_micros(us));
            let counts = Durations::sum(std::iter::once(&histogram)).counts;
            prop_assert_eq!(counts.iter().sum::<u64>(), 1);
            for bound in [0.1, 2.5, 1000.0, 60_000.0] {
                prop_assert_eq!(at_most(&counts, bound), u64::from(us as f64 / 1000.0 <= bound));
            }
        }
    }
}

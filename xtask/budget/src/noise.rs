//! The median of runs, and whether they agree enough for it to mean something.

/// Runs disagree too much when they spread over more than this share of the median…
const SPREAD_SHARE: f64 = 0.3;
/// …and over more than this; below it, nobody sees the difference.
const SPREAD_MS: f64 = 100.0;

/// Times of one kind, from all runs of a page.
#[derive(Debug, Clone, PartialEq)]
pub struct Runs(Vec<f64>);

impl Runs {
    /// `None` without values, or when one is not a number.
    pub fn new(values: impl IntoIterator<Item = f64>) -> Option<Runs> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        (!values.is_empty() && values.iter().all(|value| value.is_finite())).then_some(Runs(values))
    }

    /// The value in the middle; of an even number the lower one, so that it is one that was measured.
    pub fn median(&self) -> f64 {
        self.0[(self.0.len() - 1) / 2]
    }

    /// What to tell about the spread, when it is too wide.
    pub fn noise(&self) -> Option<String> {
        let (least, most) = (self.0[0], self.0[self.0.len() - 1]);
        let spread = most - least;
        let is_noisy = spread > SPREAD_MS && spread > self.median() * SPREAD_SHARE;
        is_noisy.then(|| {
            let (count, median) = (self.0.len(), self.median());
            format!("{least:.0} to {most:.0} ms over {count} runs, median {median:.0} ms")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_a_value_that_was_measured() {
        assert!((Runs::new([3.0, 1.0, 2.0]).unwrap().median() - 2.0).abs() < 1e-9);
        assert!((Runs::new([4.0, 1.0]).unwrap().median() - 1.0).abs() < 1e-9);
        assert_eq!(Runs::new([]), None);
        assert_eq!(Runs::new([f64::NAN]), None);
    }

    #[test]
    fn runs_that_disagree_are_noise() {
        assert_eq!(Runs::new([500.0, 510.0, 590.0]).unwrap().noise(), None);
        assert_eq!(Runs::new([10.0, 20.0, 90.0]).unwrap().noise(), None);
        let noise = Runs::new([500.0, 900.0, 510.0]).unwrap().noise();
        assert_eq!(noise.as_deref(), Some("500 to 900 ms over 3 runs, median 510 ms"));
    }
}

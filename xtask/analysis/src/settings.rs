//! How sure a verdict must be.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::str::FromStr;

/// Below a hundred answers a p95 stands on fewer than five slow ones, and one slow start of a new
/// process is a large part of all.
const MIN_SAMPLES: u64 = 100;

/// How sure a verdict must be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// One minus the chance that a candidate that is no worse than allowed fails, over all looks and
    /// limits of the rollout together; and how sure each pass is that a breach would have been seen.
    pub confidence: Confidence,
    /// How often the numbers are judged in the whole rollout. Who looks often enough sees everything
    /// once; so each look may err only with its part of the chance. At least 1.
    pub looks: u32,
    /// Samples of the candidate, and of live where it is compared with live, below which nothing
    /// passes, unless its rule has a number of its own.
    pub min_samples: u64,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { confidence: Confidence(0.95), looks: 1, min_samples: MIN_SAMPLES }
    }
}

impl Settings {
    /// The chance with which one of `limits` limits may fail wrongly at one look: Bonferroni's
    /// division, which holds however the looks and limits hang together.
    pub(crate) fn alpha(&self, limits: usize) -> f64 {
        self.confidence.alpha() / f64::from(self.looks.max(1)) / limits.max(1) as f64
    }
}

/// A share between 50% and 100%, both excluded; written `95%`.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Confidence(f64);

impl Confidence {
    /// `None` outside of 0.5 to 1.
    pub fn new(share: f64) -> Option<Confidence> {
        (share > 0.5 && share < 1.0).then_some(Confidence(share))
    }

    pub fn share(self) -> f64 {
        self.0
    }

    /// The chance of an error.
    pub(crate) fn alpha(self) -> f64 {
        1.0 - self.0
    }
}

impl FromStr for Confidence {
    type Err = String;

    fn from_str(text: &str) -> Result<Confidence, String> {
        let share = text.parse::<config::Share>().ok();
        share.and_then(|share| Confidence::new(share.0)).ok_or_else(|| {
            format!(
                "expected a confidence such as \"95%\", above 50% and below 100%, found {text:?}"
            )
        })
    }
}

impl fmt::Display for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        config::Share(self.0).fmt(f)
    }
}

impl Serialize for Confidence {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Confidence {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Confidence, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chance_of_a_false_alarm_is_shared_out() {
        let settings = Settings { looks: 10, ..Settings::default() };
        assert!((settings.alpha(5) - 0.001).abs() < 1e-12);
        assert!((Settings { looks: 0, ..settings }.alpha(0) - 0.05).abs() < 1e-12);
    }

    #[test]
    fn a_confidence_is_more_than_a_coin() {
        assert_eq!("99.9%".parse::<Confidence>().unwrap().to_string(), "99.9%");
        for text in ["50%", "100%", "0.95", ""] {
            assert!(text.parse::<Confidence>().is_err(), "{text}");
        }
    }
}

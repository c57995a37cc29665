//! One number that a step measured, with its unit and its limit.

use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;

/// What a measure's value is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// Milliseconds.
    Ms,
    /// Bytes.
    Bytes,
    /// A whole number of things.
    Count,
    /// A share between 0 and 1, shown in percent.
    Share,
    /// Per second.
    PerSecond,
    /// A number without a dimension, such as CLS.
    Score,
}

/// The bound that a measure must keep. Equal to the bound is within it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Limit {
    Max(f64),
    Min(f64),
}

/// One number that a step measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measure {
    /// What was measured, dotted from the general to the particular: `home.lcp`, `tests.passed`.
    pub name: String,
    /// JSON has no word for a value that is not a number: `null`.
    #[serde(deserialize_with = "number_or_null")]
    pub value: f64,
    pub unit: Unit,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<Limit>,
}

fn number_or_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

impl Measure {
    /// A measure without a limit.
    pub fn new(name: impl Into<String>, value: f64, unit: Unit) -> Measure {
        Measure { name: name.into(), value, unit, limit: None }
    }

    /// The same measure with an upper bound.
    #[must_use]
    pub fn max(mut self, max: f64) -> Measure {
        self.limit = Some(Limit::Max(max));
        self
    }

    /// The same measure with a lower bound.
    #[must_use]
    pub fn min(mut self, min: f64) -> Measure {
        self.limit = Some(Limit::Min(min));
        self
    }

    /// Whether the value keeps its limit. A value that is not a number keeps none.
    pub fn is_within(&self) -> bool {
        match self.limit {
            None => true,
            Some(Limit::Max(max)) => self.value <= max,
            Some(Limit::Min(min)) => self.value >= min,
        }
    }
}

impl Unit {
    /// A value in this unit as a person reads it: `1.24 s`, `18.2 KB`, `0.1%`. Kilobytes are
    /// 1,000 bytes, as browsers show them.
    pub fn show(self, value: f64) -> String {
        match self {
            Unit::Ms if value >= 1_000.0 => format!("{:.2} s", value / 1_000.0),
            Unit::Ms if value >= 10.0 => format!("{value:.0} ms"),
            Unit::Ms => format!("{value:.1} ms"),
            Unit::Bytes if value >= 1e6 => format!("{:.2} MB", value / 1e6),
            Unit::Bytes if value >= 1e3 => format!("{:.1} KB", value / 1e3),
            Unit::Bytes => format!("{value:.0} B"),
            Unit::Count => format!("{value:.0}"),
            Unit::Share => format!("{:.2}%", value * 100.0),
            Unit::PerSecond => format!("{value:.0}/s"),
            Unit::Score => format!("{value:.3}"),
        }
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.unit.show(self.value))?;
        match self.limit {
            None => Ok(()),
            Some(Limit::Max(max)) => write!(f, " (max {})", self.unit.show(max)),
            Some(Limit::Min(min)) => write!(f, " (min {})", self.unit.show(min)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_itself_is_within() {
        assert!(Measure::new("lcp", 2500.0, Unit::Ms).max(2500.0).is_within());
        assert!(!Measure::new("lcp", 2500.1, Unit::Ms).max(2500.0).is_within());
        assert!(!Measure::new("score", f64::NAN, Unit::Score).max(1.0).is_within());
    }

    #[test]
    fn a_value_that_is_no_number_survives_json_and_keeps_no_limit() {
        let measure = Measure::new("score", f64::NAN, Unit::Score).max(1.0);
        let json = serde_json::to_string(&measure).unwrap();
        let back: Measure = serde_json::from_str(&json).unwrap();
        assert!(back.value.is_nan() && !back.is_within());
    }

    #[test]
    fn a_measure_reads_well() {
        let shown = Measure::new("home.lcp", 1240.0, Unit::Ms).max(2500.0).to_string();
        assert_eq!(shown, "home.lcp 1.24 s (max 2.50 s)");
        assert_eq!(Unit::Bytes.show(18_240.0), "18.2 KB");
        assert_eq!(Unit::Share.show(0.001), "0.10%");
    }
}

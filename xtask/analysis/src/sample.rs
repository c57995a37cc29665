//! What is known of one metric of one release.

use crate::{Histogram, Percentiles, Proportion};

/// What is known of one metric of one release over the minutes compared.
#[derive(Debug, Clone, PartialEq)]
pub enum Sample {
    /// Nothing, and why: "beacon has no data for it", "prometheus did not answer within 5 s".
    Missing(String),
    /// Failed requests among all.
    Share(Proportion),
    /// Values in buckets, in the metric's unit.
    Buckets(Histogram),
    /// Percentiles of so many values, in the metric's unit.
    Percentiles(Percentiles),
    /// A number without the samples that it stands on, in the metric's unit; finite. It is taken as it
    /// is: what makes it steady (a window, a minimum of traffic) is the query's.
    Value(f64),
}

impl Sample {
    /// A value, or that it is none.
    pub fn value(value: f64) -> Sample {
        if value.is_finite() {
            Sample::Value(value)
        } else {
            Sample::Missing(format!("expected a number, found {value}"))
        }
    }
}

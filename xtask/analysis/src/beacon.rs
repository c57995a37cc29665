//! Answers of Beacon's `GET /api/v1/slo?release=ID`, or of anything that speaks like it: what users
//! met with one release.
//!
//! ```json
//! {"release": "2026-11-23-1f9c2ab04d7e",
//!  "metrics": {
//!    "error-share": {"count": 1290, "errors": 31},
//!    "lcp": {"count": 812, "p50": 1204, "p75": 1810, "p95": 3100},
//!    "inp": {"bounds": [50, 100, 200, 500], "counts": [400, 300, 90, 20, 2]},
//!    "cls": {"count": 0},
//!    "fcp": null}}
//! ```
//!
//! The names are those of the rules without their percentile. Times are milliseconds, CLS and shares
//! have no unit. `counts` has one number more than `bounds`, the last one for what lies beyond. A
//! metric that is absent, `null` or has a count of 0 is missing data. Keys that are not known are left
//! alone; percentiles between the 0th and the 100th are `p` and a number.

use crate::distribution::Percentile;
use crate::histogram::HistogramError;
use crate::{Histogram, Metric, Percentiles, Proportion, Sample, UnorderedPercentiles};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Ten metrics with histograms of a thousand buckets fit in.
const MAX_BYTES: usize = 1 << 20;

/// What a source knows of one release.
#[derive(Debug, Clone, PartialEq)]
pub struct Slo {
    /// By name without percentile.
    samples: BTreeMap<String, Sample>,
}

/// Why an answer cannot be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SloError {
    #[error("expected at most {MAX_BYTES} bytes, found {found}")]
    Size { found: usize },
    #[error("expected the JSON of /api/v1/slo: {problem}")]
    Json { problem: String },
    #[error("expected numbers of release {expected}, found those of {found}")]
    Release { expected: String, found: String },
    #[error("{metric}: {problem}")]
    Percentiles { metric: String, problem: UnorderedPercentiles },
    #[error("{metric}: {problem}")]
    Histogram { metric: String, problem: HistogramError },
}

#[derive(Deserialize)]
struct Wire {
    release: Option<String>,
    #[serde(default)]
    metrics: BTreeMap<String, Option<WireMetric>>,
}

#[derive(Deserialize)]
struct WireMetric {
    count: Option<u64>,
    errors: Option<u64>,
    bounds: Option<Vec<f64>>,
    counts: Option<Vec<u64>>,
    #[serde(flatten)]
    others: BTreeMap<String, serde_json::Value>,
}

impl Slo {
    /// Reads what is known of `release`; refused when the answer says that it is of another one.
    pub fn parse(bytes: &[u8], release: &str) -> Result<Slo, SloError> {
        if bytes.len() > MAX_BYTES {
            return Err(SloError::Size { found: bytes.len() });
        }
        let wire: Wire = serde_json::from_slice(bytes)
            .map_err(|error| SloError::Json { problem: error.to_string() })?;
        if let Some(found) = wire.release.filter(|found| found != release) {
            return Err(SloError::Release { expected: release.to_owned(), found });
        }
        let mut samples = BTreeMap::new();
        for (name, metric) in wire.metrics {
            if let Some(metric) = metric {
                let sample = metric.sample(&name)?;
                samples.insert(name, sample);
            }
        }
        Ok(Slo { samples })
    }

    /// What is known of a metric.
    pub fn sample(&self, metric: &Metric) -> Sample {
        let name = match metric {
            Metric::ErrorShare => "error-share",
            Metric::Latency(_) => "latency",
            Metric::FirstByte(_) => "first-byte",
            Metric::Vital(vital, _) => vital.name(),
            Metric::Custom { name, .. } => name,
        };
        let known = self.samples.get(name).cloned();
        known.unwrap_or_else(|| Sample::Missing("the source has no data for it".to_owned()))
    }
}

impl WireMetric {
    fn sample(self, metric: &str) -> Result<Sample, SloError> {
        if let (Some(bounds), Some(counts)) = (self.bounds, self.counts) {
            return Histogram::new(bounds, counts)
                .map(Sample::Buckets)
                .map_err(|problem| SloError::Histogram { metric: metric.to_owned(), problem });
        }
        let count = self.count.unwrap_or(0);
        if let Some(errors) = self.errors {
            return Ok(Sample::Share(Proportion::new(errors, count)));
        }
        let percentiles = self.others.iter().filter_map(|(key, value)| {
            let level = key.strip_prefix('p')?.parse::<f64>().ok()? / 100.0;
            let value = value.as_f64()?;
            (level > 0.0 && level < 1.0).then_some(Percentile { level, value })
        });
        let percentiles: Vec<Percentile> = percentiles.collect();
        if count == 0 || percentiles.is_empty() {
            return Ok(Sample::Missing("the source has no data for it".to_owned()));
        }
        Percentiles::new(count, percentiles)
            .map(Sample::Percentiles)
            .map_err(|problem| SloError::Percentiles { metric: metric.to_owned(), problem })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = r#"{"release":"r1","from":"2026-11-23T09:00:00Z","metrics":{
        "error-share":{"count":1290,"errors":31},
        "lcp":{"count":812,"p50":1204,"p75":1810,"p95":3100,"rating":"good"},
        "inp":{"bounds":[50,100],"counts":[400,90,2]},
        "cls":{"count":0,"p75":null},"fcp":null}}"#;

    fn sample(name: &str) -> Sample {
        Slo::parse(WHOLE.as_bytes(), "r1").unwrap().sample(&name.parse().unwrap())
    }

    #[test]
    fn each_shape_is_read() {
        assert_eq!(sample("error-share"), Sample::Share(Proportion::new(31, 1290)));
        let Sample::Percentiles(lcp) = sample("lcp-p75") else { panic!("no percentiles") };
        assert_eq!(lcp.samples(), 812);
        let Sample::Buckets(inp) = sample("inp-p75") else { panic!("no buckets") };
        assert_eq!(inp.total(), 492);
    }

    #[test]
    fn what_is_absent_null_or_of_nothing_is_missing() {
        for name in ["cls-p75", "fcp-p75", "ttfb-p75"] {
            assert!(matches!(sample(name), Sample::Missing(_)), "{name}");
        }
        let empty = Slo::parse(br#"{"no_data":true}"#, "r1").unwrap();
        assert!(matches!(empty.sample(&Metric::ErrorShare), Sample::Missing(_)));
    }

    #[test]
    fn numbers_of_another_release_are_refused() {
        assert_eq!(
            Slo::parse(WHOLE.as_bytes(), "r2").unwrap_err().to_string(),
            "expected numbers of release r2, found those of r1"
        );
        let torn = WHOLE.replace("1810", "900");
        assert!(Slo::parse(torn.as_bytes(), "r1").unwrap_err().to_string().starts_with("lcp: "));
    }
}

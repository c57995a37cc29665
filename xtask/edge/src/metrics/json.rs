//! The counts as JSON, for the analysis of a candidate.

use super::{CLASSES, Metrics, ReleaseMetrics, histogram};
use serde::Serialize;
use std::collections::BTreeMap;

/// Version of this JSON.
const VERSION: u32 = 1;

/// What `/metrics.json` answers.
#[derive(Debug, Serialize)]
pub struct Snapshot {
    version: u32,
    /// RFC 3339, UTC.
    at: String,
    uptime_ms: u64,
    /// Ascending; one more bucket lies beyond the last.
    latency_bounds_ms: Vec<f64>,
    releases: BTreeMap<String, Counts>,
}

#[derive(Debug, Serialize)]
struct Counts {
    requests: u64,
    by_class: BTreeMap<&'static str, u64>,
    errors: u64,
    in_flight: u64,
    latency_counts: Vec<u64>,
    first_byte_counts: Vec<u64>,
}

impl Snapshot {
    pub fn of(metrics: &Metrics) -> Snapshot {
        let releases = metrics.all();
        Snapshot {
            version: VERSION,
            at: jiff::Timestamp::now().to_string(),
            uptime_ms: u64::try_from(metrics.uptime().as_millis()).unwrap_or(u64::MAX),
            latency_bounds_ms: histogram::bounds_ms(),
            releases: releases.iter().map(|(id, it)| (id.to_string(), counts(it))).collect(),
        }
    }
}

fn counts(of: &ReleaseMetrics) -> Counts {
    let classes = of.classes();
    Counts {
        requests: classes.iter().sum(),
        by_class: CLASSES.into_iter().zip(classes).collect(),
        errors: of.errors(),
        in_flight: of.in_flight(),
        latency_counts: of.latency().counts,
        first_byte_counts: of.first_byte().counts,
    }
}

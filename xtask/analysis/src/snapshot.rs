//! The edge's `/metrics.json`: counters per release that only grow while the edge runs.

use crate::histogram::{HistogramError, check_bounds};
use crate::{Histogram, Proportion};
use jiff::Timestamp;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The version of the format that is read.
const VERSION: u32 = 1;

/// A few releases with two histograms each take some ten kilobytes; more than this is no snapshot.
const MAX_BYTES: usize = 4 << 20;

/// What one edge had counted at one moment since it started.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    pub at: Timestamp,
    /// How long the edge had been running.
    pub uptime_ms: u64,
    /// By release id.
    pub releases: BTreeMap<String, ReleaseCounts>,
    pub(crate) bounds_ms: Vec<f64>,
}

/// What was counted of one release.
#[derive(Debug, Clone, PartialEq)]
pub struct ReleaseCounts {
    pub requests: u64,
    /// Answers with 5xx, and requests to which the edge could get no answer.
    pub errors: u64,
    /// Answers by class: `2xx` and so on.
    pub by_class: BTreeMap<String, u64>,
    /// Milliseconds to the last byte.
    pub latency: Histogram,
    /// Milliseconds to the first byte.
    pub first_byte: Histogram,
}

/// Why a snapshot cannot be read, or not be set beside another one.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SnapshotError {
    #[error("expected at most {MAX_BYTES} bytes of metrics, found {found}")]
    Size { found: usize },
    #[error("expected the edge's metrics as JSON: {problem}")]
    Json { problem: String },
    #[error("expected version {VERSION} of the edge's metrics, found {found}")]
    Version { found: u32 },
    #[error("release {release}: {problem}")]
    Histogram { release: String, problem: HistogramError },
    #[error("latency_bounds_ms: {0}")]
    Bounds(HistogramError),
    #[error(
        "expected the same latency bounds of all edges and at all times, found {before} and {now} of them, or other ones"
    )]
    Unlike { before: usize, now: usize },
    #[error("expected a later snapshot than that of {earlier}, found one of {later}")]
    Order { earlier: Timestamp, later: Timestamp },
}

#[derive(Deserialize)]
struct Wire {
    version: u32,
    at: String,
    uptime_ms: u64,
    latency_bounds_ms: Vec<f64>,
    releases: BTreeMap<String, WireRelease>,
}

#[derive(Deserialize)]
struct WireRelease {
    requests: u64,
    #[serde(default)]
    by_class: BTreeMap<String, u64>,
    errors: u64,
    latency_counts: Vec<u64>,
    first_byte_counts: Vec<u64>,
}

impl Snapshot {
    /// Reads `/metrics.json`. Keys that it does not know are left alone.
    pub fn parse(bytes: &[u8]) -> Result<Snapshot, SnapshotError> {
        if bytes.len() > MAX_BYTES {
            return Err(SnapshotError::Size { found: bytes.len() });
        }
        let json = |problem: String| SnapshotError::Json { problem };
        let wire: Wire = serde_json::from_slice(bytes).map_err(|error| json(error.to_string()))?;
        if wire.version != VERSION {
            return Err(SnapshotError::Version { found: wire.version });
        }
        let at = wire.at.parse().map_err(|error| json(format!("at: {error}")))?;
        let bounds_ms = wire.latency_bounds_ms;
        check_bounds(&bounds_ms).map_err(SnapshotError::Bounds)?;
        let mut releases = BTreeMap::new();
        for (release, counts) in wire.releases {
            let histogram = |counts| {
                Histogram::new(bounds_ms.clone(), counts).map_err(|problem| {
                    SnapshotError::Histogram { release: release.clone(), problem }
                })
            };
            let counts = ReleaseCounts {
                requests: counts.requests,
                errors: counts.errors,
                by_class: counts.by_class,
                latency: histogram(counts.latency_counts)?,
                first_byte: histogram(counts.first_byte_counts)?,
            };
            releases.insert(release, counts);
        }
        Ok(Snapshot { at, uptime_ms: wire.uptime_ms, releases, bounds_ms })
    }

    /// When the edge started, by its own clock.
    pub fn started_at(&self) -> Timestamp {
        let uptime = i64::try_from(self.uptime_ms).unwrap_or(i64::MAX);
        Timestamp::from_millisecond(self.at.as_millisecond().saturating_sub(uptime))
            .unwrap_or(Timestamp::MIN)
    }
}

impl ReleaseCounts {
    /// Failed requests among all.
    pub fn error_share(&self) -> Proportion {
        Proportion::new(self.errors, self.requests)
    }

    /// What came since `earlier`; `None` when a counter fell.
    pub(crate) fn since(&self, earlier: &ReleaseCounts) -> Option<ReleaseCounts> {
        let by_class: Option<BTreeMap<String, u64>> = (self.by_class.iter())
            .map(|(class, now)| {
                let before = earlier.by_class.get(class).copied().unwrap_or(0);
                Some((class.clone(), now.checked_sub(before)?))
            })
            .collect();
        Some(ReleaseCounts {
            requests: self.requests.checked_sub(earlier.requests)?,
            errors: self.errors.checked_sub(earlier.errors)?,
            by_class: by_class?,
            latency: self.latency.since(&earlier.latency)?,
            first_byte: self.first_byte.since(&earlier.first_byte)?,
        })
    }

    pub(crate) fn merge(&mut self, other: &ReleaseCounts) -> Result<(), HistogramError> {
        self.latency.merge(&other.latency)?;
        self.first_byte.merge(&other.first_byte)?;
        self.requests += other.requests;
        self.errors += other.errors;
        for (class, more) in &other.by_class {
            *self.by_class.entry(class.clone()).or_default() += more;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = r#"{"version":1,"at":"2026-11-23T09:15:00Z","uptime_ms":60000,
        "latency_bounds_ms":[1,10,100],"new_key":true,
        "releases":{"2026-11-23-ba7816bf8f01":{"requests":10,
          "by_class":{"1xx":0,"2xx":8,"3xx":0,"4xx":1,"5xx":1},"errors":1,"in_flight":2,
          "latency_counts":[5,4,0,1],"first_byte_counts":[6,4,0,0]}}}"#;

    #[test]
    fn the_edges_metrics_are_read() {
        let snapshot = Snapshot::parse(WHOLE.as_bytes()).unwrap();
        let counts = &snapshot.releases["2026-11-23-ba7816bf8f01"];
        assert_eq!(counts.error_share(), Proportion::new(1, 10));
        assert_eq!(counts.by_class["4xx"], 1);
        assert_eq!(counts.latency.counts(), [5, 4, 0, 1]);
        assert_eq!(snapshot.started_at().to_string(), "2026-11-23T09:14:00Z");
    }

    #[test]
    fn what_is_none_is_refused_with_what_was_found() {
        let error = |from: &str, to: &str| {
            assert!(WHOLE.contains(from));
            Snapshot::parse(WHOLE.replace(from, to).as_bytes()).unwrap_err().to_string()
        };
        assert_eq!(
            error("\"version\":1", "\"version\":2"),
            "expected version 1 of the edge's metrics, found 2"
        );
        assert_eq!(
            error("[6,4,0,0]", "[6,4,0]"),
            "release 2026-11-23-ba7816bf8f01: expected 4 buckets, one more than bounds, found 3"
        );
        assert_eq!(
            error("[1,10,100]", "[1,100,10]"),
            "latency_bounds_ms: expected ascending bucket bounds above 0, found 10 after 100"
        );
        assert!(error("2026-11-23T09:15:00Z", "noon").contains("at: "));
        assert!(error("\"requests\":10", "\"requests\":-1").contains("invalid value"));
        let long = vec![b' '; MAX_BYTES + 1];
        assert_eq!(Snapshot::parse(&long), Err(SnapshotError::Size { found: MAX_BYTES + 1 }));
    }
}

//! What the edge counts, for each release by itself: requests, classes of status, failures, times.
//!
//! Invariants: counts only grow while the edge runs; a request is counted once, when the last byte
//! of its answer is gone or its client is.

mod histogram;
mod json;
mod prometheus;

pub use histogram::Histogram;
pub use json::Snapshot;
pub use prometheus::exposition;

use hyper::StatusCode;
use release::ReleaseId;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Classes of status, 1xx to 5xx.
pub const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// Releases whose counts are kept; an edge that runs for a year through more forgets the oldest.
const MAX_RELEASES: usize = 64;

/// The counts of all releases that the edge has served.
#[derive(Debug)]
pub struct Metrics {
    started: Instant,
    releases: Mutex<BTreeMap<ReleaseId, Arc<ReleaseMetrics>>>,
    /// Of requests that no release could answer.
    pub none: Arc<ReleaseMetrics>,
}

/// The counts of one release.
#[derive(Debug, Default)]
pub struct ReleaseMetrics {
    by_class: [AtomicU64; CLASSES.len()],
    /// Answers of 5xx, and answers that broke off because of the release or the edge.
    errors: AtomicU64,
    /// Clients that left before an answer had begun.
    abandoned: AtomicU64,
    in_flight: AtomicU64,
    latency: Histogram,
    first_byte: Histogram,
}

impl Default for Metrics {
    fn default() -> Metrics {
        Metrics { started: Instant::now(), releases: Mutex::default(), none: Arc::default() }
    }
}

impl Metrics {
    /// The counts of a release, which go on where they were when it comes back.
    pub fn of(&self, id: &ReleaseId) -> Arc<ReleaseMetrics> {
        let mut releases = self.releases.lock().unwrap_or_else(PoisonError::into_inner);
        if !releases.contains_key(id) && releases.len() >= MAX_RELEASES {
            // Ids sort by age. One that is being served is held by others, too.
            let unused = |(_, it): &(&ReleaseId, &Arc<ReleaseMetrics>)| Arc::strong_count(it) == 1;
            let oldest = releases.iter().find(unused).map(|(id, _)| id.clone());
            oldest.map(|oldest| releases.remove(&oldest));
        }
        Arc::clone(releases.entry(id.clone()).or_default())
    }

    fn all(&self) -> Vec<(ReleaseId, Arc<ReleaseMetrics>)> {
        let releases = self.releases.lock().unwrap_or_else(PoisonError::into_inner);
        releases.iter().map(|(id, metrics)| (id.clone(), Arc::clone(metrics))).collect()
    }

    fn uptime(&self) -> Duration {
        self.started.elapsed()
    }
}

impl ReleaseMetrics {
    pub fn begin(&self) {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
    }

    /// A client left before there was a status.
    pub fn abandon(&self) {
        self.abandoned.fetch_add(1, Ordering::Relaxed);
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
    }

    /// An answer is over. `took` and `first_byte` count from the request's start.
    pub fn end(&self, status: StatusCode, is_broken: bool, first_byte: Duration, took: Duration) {
        let class = usize::from(status.as_u16() / 100).clamp(1, CLASSES.len());
        self.by_class[class - 1].fetch_add(1, Ordering::Relaxed);
        if is_broken || status.is_server_error() {
            self.errors.fetch_add(1, Ordering::Relaxed);
        }
        self.first_byte.record(first_byte);
        self.latency.record(took);
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
    }

    fn classes(&self) -> [u64; CLASSES.len()] {
        std::array::from_fn(|class| self.by_class[class].load(Ordering::Relaxed))
    }
}

//! What the edge counts, for each release by itself: requests, classes of status, failures, times.
//!
//! Invariants: counts only grow while the edge runs; a request is counted once, when the last byte
//! of its answer is gone or its client is. Each worker counts by itself, and who asks adds up: cores
//! that count in the same place wait for each other.

mod histogram;
mod json;
mod prometheus;

pub use histogram::{Durations, Histogram};
pub use json::Snapshot;
pub use prometheus::{Facts, exposition};

use crate::worker;
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
#[derive(Debug)]
pub struct ReleaseMetrics {
    /// One for each worker, and one for all other threads.
    shards: Box<[Shard]>,
}

/// What one thread counted. Aligned so that no two are in one cache line, nor in the next one that the
/// processor fetches along.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Shard {
    by_class: [AtomicU64; CLASSES.len()],
    /// Answers of 5xx, and answers that broke off because of the release or the edge.
    errors: AtomicU64,
    /// Clients that left before an answer had begun.
    abandoned: AtomicU64,
    /// What began here less what ended here: wraps when a request ends on another thread.
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

impl Default for ReleaseMetrics {
    fn default() -> ReleaseMetrics {
        ReleaseMetrics { shards: (0..=worker::count()).map(|_| Shard::default()).collect() }
    }
}

impl ReleaseMetrics {
    pub fn begin(&self) {
        self.shard().in_flight.fetch_add(1, Ordering::Relaxed);
    }

    /// A client left before there was a status.
    pub fn abandon(&self) {
        let shard = self.shard();
        shard.abandoned.fetch_add(1, Ordering::Relaxed);
        shard.in_flight.fetch_sub(1, Ordering::Relaxed);
    }

    /// An answer is over. `took` and `first_byte` count from the request's start.
    pub fn end(&self, status: StatusCode, is_broken: bool, first_byte: Duration, took: Duration) {
        let class = usize::from(status.as_u16() / 100).clamp(1, CLASSES.len());
        let shard = self.shard();
        shard.by_class[class - 1].fetch_add(1, Ordering::Relaxed);
        if is_broken || status.is_server_error() {
            shard.errors.fetch_add(1, Ordering::Relaxed);
        }
        shard.first_byte.record(first_byte);
        shard.latency.record(took);
        shard.in_flight.fetch_sub(1, Ordering::Relaxed);
    }

    fn shard(&self) -> &Shard {
        &self.shards[worker::index() % self.shards.len()]
    }

    fn sum(&self, of: impl Fn(&Shard) -> &AtomicU64) -> u64 {
        let counts = self.shards.iter().map(|shard| of(shard).load(Ordering::Relaxed));
        counts.fold(0, u64::wrapping_add)
    }

    fn classes(&self) -> [u64; CLASSES.len()] {
        std::array::from_fn(|class| self.sum(|shard| &shard.by_class[class]))
    }

    fn errors(&self) -> u64 {
        self.sum(|shard| &shard.errors)
    }

    fn abandoned(&self) -> u64 {
        self.sum(|shard| &shard.abandoned)
    }

    fn in_flight(&self) -> u64 {
        self.sum(|shard| &shard.in_flight)
    }

    fn latency(&self) -> Durations {
        Durations::sum(self.shards.iter().map(|shard| &shard.latency))
    }

    fn first_byte(&self) -> Durations {
        Durations::sum(self.shards.iter().map(|shard| &shard.first_byte))
    }
}

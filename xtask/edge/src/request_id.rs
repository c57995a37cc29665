//! Request ids: unique to this process and beyond, made here and never taken from outside.

use hyper::header::HeaderValue;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

/// Makes request ids: 64 random bits of the process, then a count.
#[derive(Debug)]
pub struct RequestIds {
    process: u64,
    next: AtomicU64,
}

impl Default for RequestIds {
    fn default() -> RequestIds {
        // Seeded by the operating system; the only source of randomness in the standard library.
        let process = RandomState::new().hash_one(std::process::id());
        RequestIds { process, next: AtomicU64::new(0) }
    }
}

impl RequestIds {
    pub fn next(&self) -> HeaderValue {
        let count = self.next.fetch_add(1, Ordering::Relaxed);
        HeaderValue::from_str(&format!("{:016x}{count:016x}", self.process))
            .unwrap_or(HeaderValue::from_static("unknown"))
    }
}

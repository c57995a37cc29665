//! Time, as a rollout sees it.

use std::time::Duration;

/// Tells the time and waits.
pub trait Clock: Send + Sync {
    fn now(&self) -> jiff::Timestamp;

    /// Waits for so long, or less when there may be something new to look at.
    fn pause(&self, pause: Duration);
}

/// The machine's own time.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::now()
    }

    fn pause(&self, pause: Duration) {
        std::thread::sleep(pause);
    }
}

/// RFC 3339, UTC, milliseconds.
pub fn text(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// The span from one time to another; zero when it would be negative.
pub fn since(earlier: jiff::Timestamp, now: jiff::Timestamp) -> Duration {
    Duration::try_from(now.duration_since(earlier)).unwrap_or_default()
}

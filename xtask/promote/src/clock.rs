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

/// When something is to be over: `09:15:02`, on another day `2026-11-26 09:15:02`; UTC.
pub fn until(at: jiff::Timestamp, now: jiff::Timestamp) -> String {
    let is_today = at.strftime("%F").to_string() == now.strftime("%F").to_string();
    at.strftime(if is_today { "%T" } else { "%F %T" }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_of_another_day_comes_with_its_day() {
        let now = "2026-11-25T15:03:07Z".parse().unwrap();
        let after = |hours: i64| until(now + jiff::SignedDuration::from_hours(hours), now);
        assert_eq!(after(1), "16:03:07");
        assert_eq!(after(24), "2026-11-26 15:03:07");
    }
}

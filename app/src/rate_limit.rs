//! Rate limits by key, as token buckets (the generic cell rate algorithm: one moment per key).
//! Memory is bounded: when the table is full, keys that are at rest go, and if none is, the
//! newcomer is refused, so that nobody is let through by filling the table.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Keys kept per limit: about 1 MB.
const KEY_LIMIT: usize = 10_000;

/// `burst` at once, then one per `interval`.
#[derive(Debug)]
pub struct RateLimit<K> {
    burst: u32,
    interval: Duration,
    /// The moment at which a key's bucket is full again.
    full_at: Mutex<HashMap<K, Instant>>,
}

/// Refused; another try is worth it after this long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limited {
    pub retry_after: Duration,
}

impl<K: Eq + Hash> RateLimit<K> {
    #[must_use]
    pub fn new(burst: u32, interval: Duration) -> RateLimit<K> {
        RateLimit { burst, interval, full_at: Mutex::new(HashMap::new()) }
    }

    /// Takes one token.
    ///
    /// # Errors
    /// There is none left.
    pub fn take(&self, key: K, now: Instant) -> Result<(), Limited> {
        let mut table = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        if table.len() >= KEY_LIMIT && !table.contains_key(&key) {
            table.retain(|_, full_at| *full_at > now);
            if table.len() >= KEY_LIMIT {
                return Err(Limited { retry_after: self.interval });
            }
        }
        let full_at = table.entry(key).or_insert(now);
        let next = (*full_at).max(now) + self.interval;
        let room = now + self.interval * self.burst;
        if next > room {
            return Err(Limited { retry_after: next - room });
        }
        *full_at = next;
        Ok(())
    }

    /// Puts a token back: the attempt turned out to be a good one.
    pub fn give_back(&self, key: &K) {
        let mut table = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(full_at) = table.get_mut(key) {
            *full_at = full_at.checked_sub(self.interval).unwrap_or(*full_at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_burst_then_one_per_interval() {
        let limit = RateLimit::new(3, SECOND);
        let start = Instant::now();
        for _ in 0..3 {
            assert_eq!(limit.take("a", start), Ok(()));
        }
        assert_eq!(limit.take("a", start), Err(Limited { retry_after: SECOND }));
        assert_eq!(limit.take("b", start), Ok(()));
        assert_eq!(limit.take("a", start + SECOND), Ok(()));
        assert!(limit.take("a", start + SECOND).is_err());
        limit.give_back(&"a");
        assert_eq!(limit.take("a", start + SECOND), Ok(()));
    }

    #[test]
    fn a_full_table_lets_nobody_through_until_keys_rest() {
        let limit = RateLimit::new(1, SECOND);
        let start = Instant::now();
        for key in 0..KEY_LIMIT {
            assert_eq!(limit.take(key, start), Ok(()));
        }
        assert!(limit.take(KEY_LIMIT, start).is_err());
        assert_eq!(limit.take(KEY_LIMIT, start + SECOND * 2), Ok(()));
    }
}

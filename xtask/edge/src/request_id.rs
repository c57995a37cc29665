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
        let id = u128::from(self.process) << 64 | u128::from(count);
        let mut text = [0; 32];
        for (index, digit) in text.iter_mut().enumerate() {
            *digit = b"0123456789abcdef"[(id >> (124 - 4 * index)) as usize & 0xf];
        }
        HeaderValue::from_bytes(&text).unwrap_or(HeaderValue::from_static("unknown"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_the_process_and_a_count_in_hexadecimal() {
        let ids = RequestIds { process: 0x0123_4567_89ab_cdef, next: AtomicU64::new(0xfe) };
        assert_eq!(ids.next(), "0123456789abcdef00000000000000fe");
        assert_eq!(ids.next(), "0123456789abcdef00000000000000ff");
    }
}

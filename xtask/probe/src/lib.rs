//! What asks a served application questions over HTTP: `smoke` whether it answers as declared,
//! `load` how it answers under a steady rate.
//!
//! Neither serves anything: both are given a URL. HTTP/1.1, redirects not followed, bodies not
//! decoded, and no proxy between here and a loopback address.

mod address;
mod client;
mod excerpt;
pub mod load;
pub mod smoke;

/// Milliseconds with their fraction, as measures hold them.
pub(crate) fn as_ms(duration: std::time::Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

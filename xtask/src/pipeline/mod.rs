//! Plan (pure), fingerprint, cache, schedule, exec.
//!
//! Knows a step only as "inputs, needs, a command"; knows nothing of browsers, cargo or clouds.

pub mod event;
pub mod step;

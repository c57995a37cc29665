//! Plan (pure), fingerprint, cache, schedule, exec.
//!
//! Knows a step only as "inputs, needs, a command"; knows nothing of browsers, cargo or clouds.

pub mod cache;
pub mod event;
pub mod explain;
pub mod fingerprint;
pub mod git;
pub mod name;
pub mod snapshot;
pub mod step;

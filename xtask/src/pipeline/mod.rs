//! Plan (pure), fingerprint, cache, schedule, exec.
//!
//! Knows a step only as "inputs, needs, a command"; knows nothing of browsers, cargo or clouds.

pub mod cache;
pub mod critical_path;
pub mod dry_run;
pub mod durations;
pub mod event;
pub mod exec;
pub mod explain;
pub mod fingerprint;
pub mod git;
pub mod github_plan;
pub mod graph;
pub mod name;
pub mod plan;
pub mod run;
pub mod schedule;
pub mod select;
pub mod snapshot;
pub mod step;

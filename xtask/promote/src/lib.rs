//! Takes a release through an environment, and back.
//!
//! Invariants: every move stands in the journal before it is made; every move can be made again
//! without harm; what a promoter writes after another took over its lease changes nothing; the
//! verdict of a gate that saw no data is never pass.

pub mod clock;
pub mod edge_target;
pub mod gates;
pub mod http;
pub mod journal;
pub mod lease;
pub mod rollback;
pub mod rollout;
pub mod state;
pub mod target;
pub mod tool;
pub mod upload;

//! Takes a release through an environment, and back.
//!
//! Invariants: every move stands in the journal before it is made; every move can be made again
//! without harm; what a promoter writes after another took over its lease changes nothing; the
//! verdict of a gate that saw no data is never pass.

mod acts;
pub mod clock;
pub mod commands;
pub mod edge_target;
pub mod edges;
pub mod fault;
pub mod gates;
pub mod http;
pub mod journal;
pub mod lease;
pub mod legal;
pub mod notify;
pub mod places;
pub mod plan;
pub mod preflight;
pub mod prepare;
pub mod prompt;
pub mod record;
pub mod rollback;
pub mod rollout;
pub mod show;
pub mod signals;
pub mod state;
pub mod target;
pub mod tool;
pub mod upload;
pub mod view;
pub mod walk;

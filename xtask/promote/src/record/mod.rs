//! A rollout's record: one HTML page of what happened, why, by which numbers. Self-contained, without
//! a script; see [`page`].
//!
//! What happened stands in the journal; what the gates measured between their verdicts stands beside
//! the page, in a file of its own, so that a rollout that is resumed keeps what was measured before.

mod chart;
mod chronicle;
mod page;
mod series;
mod tables;
mod timeline;

pub use chronicle::{Chronicle, rewrite};

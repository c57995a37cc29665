//! Stores keep their contract; releases go into one and come out as they were.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod contract;
mod directory;

//! The light steps and the commands around them, seen from outside: the real binary on small
//! projects.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod cargo_steps;
mod commands;
mod fixture;
mod tools;

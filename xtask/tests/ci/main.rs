//! The pipeline as people meet it: the real binary on small projects whose steps are shell commands.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod evidence;
mod fixture;
mod interrupt;
mod plan;
mod run;
mod shared;
mod unruly;

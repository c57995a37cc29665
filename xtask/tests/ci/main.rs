//! The pipeline as people meet it: the real binary on small projects whose steps are shell commands.

mod fixture;
mod interrupt;
mod plan;
mod run;
mod shared;
mod unruly;

//! Slipway: takes a web application from a commit to production, with one cargo alias.

mod cli;
mod context;
mod pipeline;
mod process;
mod render;
mod steps;
mod tools;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}

//! Slipway: takes a web application from a commit to production, with one cargo alias.

mod cli;
mod context;
mod pipeline;
mod render;
mod steps;
mod tools;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    cli::Cli::parse().run()
}

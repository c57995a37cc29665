//! The `beacon` binary: parse, dispatch, exit code.

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    app::cli::Cli::parse().run()
}

//! `xtask-status`: see [`promote::commands::Status`].

use clap::Parser;
use promote::commands::Status;
use std::process::ExitCode;

fn main() -> ExitCode {
    let command = Status::parse();
    release::command::main(|| command.run())
}

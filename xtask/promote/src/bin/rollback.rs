//! `xtask-rollback`: see [`promote::commands::Rollback`].

use clap::Parser;
use promote::commands::Rollback;
use std::process::ExitCode;

fn main() -> ExitCode {
    let command = Rollback::parse();
    release::command::main(|| command.run())
}

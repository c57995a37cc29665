//! `xtask-history`: see [`promote::commands::History`].

use clap::Parser;
use promote::commands::History;
use std::process::ExitCode;

fn main() -> ExitCode {
    let command = History::parse();
    release::command::main(|| command.run())
}

//! `xtask-freeze`: see [`promote::commands::Freeze`].

use clap::Parser;
use promote::commands::Freeze;
use std::process::ExitCode;

fn main() -> ExitCode {
    let command = Freeze::parse();
    release::command::main(|| command.run())
}

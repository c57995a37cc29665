//! `xtask-promote`: see [`promote::commands::Promote`].

use clap::Parser;
use promote::commands::Promote;
use std::process::ExitCode;

fn main() -> ExitCode {
    let command = Promote::parse();
    release::command::main(|| command.run())
}

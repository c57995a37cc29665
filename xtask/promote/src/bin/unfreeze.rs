//! `xtask-unfreeze`: see [`promote::commands::Unfreeze`].

use clap::Parser;
use promote::commands::Unfreeze;
use std::process::ExitCode;

fn main() -> ExitCode {
    let command = Unfreeze::parse();
    release::command::main(|| command.run())
}

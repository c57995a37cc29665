//! `xtask-load`: see [`xtask_probe::load`].

use clap::Parser;
use std::process::ExitCode;
use xtask_probe::load::Load;

fn main() -> ExitCode {
    let load = Load::parse();
    report::tool_main(|| load.run())
}

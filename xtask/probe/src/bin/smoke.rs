//! `xtask-smoke`: see [`xtask_probe::smoke`].

use clap::Parser;
use std::process::ExitCode;
use xtask_probe::smoke::Smoke;

fn main() -> ExitCode {
    let smoke = Smoke::parse();
    report::tool_main(|| smoke.run())
}

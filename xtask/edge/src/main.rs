//! `xtask edge`: parse, run, exit code; nothing else.

use anyhow::Context;
use clap::Parser;
use edge::cli::Cli;
use report::Fault;
use std::process::ExitCode;
use std::time::Duration;

/// For what the runtime itself still holds at the end, such as a read from a slow disk.
const RUNTIME_GRACE: Duration = Duration::from_millis(100);

fn main() -> ExitCode {
    if let Some(code) = edge::guard::become_server() {
        return code;
    }
    let cli = Cli::parse();
    let result = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("failed to start the runtime")
        .and_then(|runtime| {
            let result = runtime.block_on(edge::cli::run(&cli));
            runtime.shutdown_timeout(RUNTIME_GRACE);
            result
        });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            edge::say::line(format_args!("error: {error:#}"));
            Fault::exit_of(&error).into()
        }
    }
}

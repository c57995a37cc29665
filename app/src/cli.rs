//! The command line. Settings come from the environment (`beacon config` lists them), so that
//! the same binary runs under systemd, in a container and on a laptop alike.

use crate::commands::{backup, config, export_site, operator, serve};
use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// The settings were wrong, as for a wrong argument.
const EXIT_CONFIGURATION: u8 = 2;

/// A self-hosted status page
#[derive(Debug, Parser)]
#[command(name = "beacon", version, after_help = AFTER_HELP)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

const AFTER_HELP: &str = "\
Settings are environment variables; `beacon config` lists them with their defaults.

First steps:
  beacon operator add you@example.com    make the account that signs in
  beacon                                 serve on http://127.0.0.1:8080";

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the status page and the operator's pages (what `beacon` alone does)
    Serve(serve::Serve),
    /// Add, list and remove the accounts that may sign in
    #[command(subcommand)]
    Operator(operator::Operator),
    /// Write a copy of the database into a folder, while Beacon serves or not
    Backup(backup::Backup),
    /// Write the static files that Beacon serves, for a web server in front of it
    ExportSite(export_site::ExportSite),
    /// Print every environment variable that Beacon reads
    Config(config::ConfigTable),
}

impl Cli {
    /// Runs the command and says on standard error what went wrong. Exit codes: 0 done, 1 failed,
    /// 2 a wrong argument or setting.
    #[must_use]
    pub fn run(self) -> ExitCode {
        let result = match self.command.unwrap_or(Command::Serve(serve::Serve {})) {
            Command::Serve(command) => command.run(),
            Command::Operator(command) => command.run(),
            Command::Backup(command) => command.run(),
            Command::ExportSite(command) => command.run(),
            Command::Config(command) => command.run(),
        };
        match result {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("beacon: {error:#}");
                if error.is::<crate::config::ConfigError>() {
                    ExitCode::from(EXIT_CONFIGURATION)
                } else {
                    ExitCode::FAILURE
                }
            }
        }
    }
}

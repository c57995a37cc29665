//! A completion script for a shell.

use crate::cli::Cli;
use clap::CommandFactory;
use clap_complete::Shell;
use report::Exit;
use std::io::Write;

/// Print a completion script for a shell.
#[derive(Debug, clap::Args)]
pub struct Completions {
    shell: Shell,
}

impl Completions {
    pub fn run(self) -> anyhow::Result<Exit> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "xtask", &mut script);
        std::io::stdout().write_all(&script)?;
        Ok(Exit::Passed)
    }
}

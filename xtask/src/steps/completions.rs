//! A completion script for a shell.

use crate::context::Context;
use report::Exit;

/// A completion script for a shell.
#[derive(Debug, clap::Args)]
pub struct Completions {}

impl Completions {
    pub fn run(self, _cx: &Context) -> anyhow::Result<Exit> {
        anyhow::bail!("not built yet")
    }
}

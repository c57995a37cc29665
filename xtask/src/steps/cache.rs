//! The cache subcommand: stats and prune.

use crate::context::Context;
use report::Exit;

/// The cache subcommand: stats and prune.
#[derive(Debug, clap::Args)]
pub struct CacheCommand {}

impl CacheCommand {
    pub fn run(self, _cx: &Context) -> anyhow::Result<Exit> {
        anyhow::bail!("not built yet")
    }
}

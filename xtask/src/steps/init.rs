//! Writes an xtask.toml for the project found here.

use crate::context::Context;
use report::Exit;

/// Writes an xtask.toml for the project found here.
#[derive(Debug, clap::Args)]
pub struct Init {}

impl Init {
    pub fn run(self, _cx: &Context) -> anyhow::Result<Exit> {
        anyhow::bail!("not built yet")
    }
}

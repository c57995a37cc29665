//! What is installed, what is missing, and the command that mends it.

use crate::context::Context;
use report::Exit;

/// What is installed, what is missing, and the command that mends it.
#[derive(Debug, clap::Args)]
pub struct Doctor {}

impl Doctor {
    pub fn run(self, _cx: &Context) -> anyhow::Result<Exit> {
        anyhow::bail!("not built yet")
    }
}

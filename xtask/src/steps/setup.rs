//! Installs what the steps need.

use crate::context::Context;
use report::Exit;

/// Installs what the steps need.
#[derive(Debug, clap::Args)]
pub struct Setup {}

impl Setup {
    pub fn run(self, _cx: &Context) -> anyhow::Result<Exit> {
        anyhow::bail!("not built yet")
    }
}

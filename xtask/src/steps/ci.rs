//! The whole pipeline.

use crate::context::Context;
use report::Exit;

/// The whole pipeline.
#[derive(Debug, clap::Args)]
pub struct Ci {}

impl Ci {
    pub fn run(self, _cx: &Context) -> anyhow::Result<Exit> {
        anyhow::bail!("not built yet")
    }
}

//! Clippy, warnings denied.

use crate::context::Context;
use report::Exit;

/// Clippy, warnings denied.
#[derive(Debug, clap::Args)]
pub struct Lint {}

impl Lint {
    pub fn run(self, _cx: &Context) -> anyhow::Result<Exit> {
        anyhow::bail!("not built yet")
    }
}

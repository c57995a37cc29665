//! The formatting check.

use crate::context::Context;
use report::Exit;

/// The formatting check.
#[derive(Debug, clap::Args)]
pub struct Fmt {}

impl Fmt {
    pub fn run(self, _cx: &Context) -> anyhow::Result<Exit> {
        anyhow::bail!("not built yet")
    }
}

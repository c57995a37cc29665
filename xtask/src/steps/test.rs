//! All the tests.

use crate::context::Context;
use report::Exit;

/// All the tests.
#[derive(Debug, clap::Args)]
pub struct Test {}

impl Test {
    pub fn run(self, _cx: &Context) -> anyhow::Result<Exit> {
        anyhow::bail!("not built yet")
    }
}

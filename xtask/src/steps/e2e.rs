//! The project's browser journeys, against the served release.

use crate::context::Context;
use report::Exit;

/// The project's browser journeys, against the served release.
#[derive(Debug, clap::Args)]
pub struct E2e {}

impl E2e {
    pub fn run(self, _cx: &Context) -> anyhow::Result<Exit> {
        anyhow::bail!("not built yet")
    }
}

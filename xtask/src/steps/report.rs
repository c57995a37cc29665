//! Opens or prints the last run's report.

use crate::context::Context;
use report::Exit;

/// Opens or prints the last run's report.
#[derive(Debug, clap::Args)]
pub struct ReportCommand {}

impl ReportCommand {
    pub fn run(self, _cx: &Context) -> anyhow::Result<Exit> {
        anyhow::bail!("not built yet")
    }
}

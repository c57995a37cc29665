//! `beacon config`.

use crate::config::variables;
use clap::Args;
use std::io::Write;

/// Print every environment variable that Beacon reads, as a Markdown table
#[derive(Debug, Args)]
pub struct ConfigTable {}

impl ConfigTable {
    /// # Errors
    /// Standard output cannot be written.
    pub fn run(self) -> anyhow::Result<()> {
        std::io::stdout().write_all(table().as_bytes())?;
        Ok(())
    }
}

fn table() -> String {
    let rows = variables::ALL
        .iter()
        .map(|v| format!("| `{}` | {} | {} | {} |\n", v.name, v.about, v.expects, v.default));
    let head = "| variable | what it does | expects | default |\n|---|---|---|---|\n";
    std::iter::once(head.to_owned()).chain(rows).collect()
}

//! `xtask release verify`.

use clap::Args;
use release::command::{self, Project};
use report::{Exit, Unit};

#[derive(Debug, Args)]
pub struct Verify {
    /// The release [default: the latest].
    release: Option<String>,
}

impl Verify {
    pub fn run(self) -> anyhow::Result<Exit> {
        let project = Project::here()?;
        let release = project.release(self.release.as_deref())?;
        release.verify().map_err(command::release_fault)?;
        let signer = release
            .signer(&project.trust)
            .map_err(|error| command::signature_fault(&release, &error))?;
        let manifest = release.manifest();
        let variants: usize = manifest.files.iter().map(|file| file.variants.len()).sum();
        let server = if manifest.server.is_some() { ", the server" } else { "" };
        command::print(&format!(
            "release {} is sound: {} files ({}), {variants} variants{server}\nsigned by {signer}\n",
            manifest.id,
            manifest.files.len(),
            Unit::Bytes.show(manifest.transfer_bytes(None) as f64),
        ))?;
        Ok(Exit::Passed)
    }
}

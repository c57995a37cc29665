//! `beacon export-site`.

use crate::assets;
use crate::config::{Config, Environment};
use anyhow::Context;
use clap::Args;
use std::path::{Path, PathBuf};

/// Write the static files that Beacon serves, for a web server in front of it
#[derive(Debug, Args)]
pub struct ExportSite {
    /// Folder to write into; made when it is missing
    folder: PathBuf,
}

impl ExportSite {
    /// # Errors
    /// A setting cannot be used, or a file cannot be written.
    pub fn run(self) -> anyhow::Result<()> {
        let site_name = Config::site_name(&Environment::of_process())?;
        for (path, asset) in assets::all() {
            write(&self.folder.join(path.trim_start_matches('/')), asset.bytes)?;
        }
        for (name, text) in assets::error_pages(&site_name) {
            write(&self.folder.join(name), text.as_bytes())?;
        }
        Ok(())
    }
}

fn write(file: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(file, bytes))
        .with_context(|| format!("failed to write {}", file.display()))
}

//! Files that a run leaves at its end: JUnit, SARIF and the HTML report.

use super::Renderer;
use crate::pipeline::event::Event;
use anyhow::Context;
use report::Report;
use std::path::{Path, PathBuf};

/// Writes one document about the finished run to a file.
pub struct Written {
    path: PathBuf,
    document: fn(&Report) -> anyhow::Result<String>,
}

impl Written {
    pub fn new(path: PathBuf, document: fn(&Report) -> anyhow::Result<String>) -> Written {
        Written { path, document }
    }
}

impl Renderer for Written {
    fn on(&mut self, event: &Event<'_>) -> anyhow::Result<()> {
        match event {
            Event::RunFinished { report } => write(&self.path, &(self.document)(report)?),
            _ => Ok(()),
        }
    }
}

/// Writes a file by a rename, so that a reader never sees half of one; makes its folder.
pub fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let partial = path.with_extension("partial");
    folder
        .map_or(Ok(()), std::fs::create_dir_all)
        .and_then(|()| std::fs::write(&partial, text))
        .and_then(|()| std::fs::rename(&partial, path))
        .with_context(|| format!("failed to write {}", path.display()))
}

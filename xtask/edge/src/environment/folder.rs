//! What an edge keeps of an environment on its machine: `target/xtask/edge/NAME/`.
//!
//! ```text
//! releases/ID/   fetched from the store
//! data/          the servers' working folder, which outlives every release
//! servers/PID    servers that were started and not yet seen to end
//! cookie.key     signs the clients' ids
//! edge.log       of an edge in the background
//! ```

use crate::server_record;
use anyhow::Context;
use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// The folder of an environment.
#[derive(Debug, Clone)]
pub struct Folder {
    root: PathBuf,
}

impl Folder {
    pub fn new(root: impl Into<PathBuf>) -> Folder {
        Folder { root: root.into() }
    }

    /// The folder of the environment of this name in a project.
    pub fn of_project(project: &Path, environment: &str) -> Folder {
        Folder::new(project.join("target/xtask/edge").join(environment))
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn releases(&self) -> PathBuf {
        self.root.join("releases")
    }

    pub fn data(&self) -> PathBuf {
        self.root.join("data")
    }

    pub fn servers(&self) -> PathBuf {
        self.root.join("servers")
    }

    pub fn cookie_key(&self) -> PathBuf {
        self.root.join("cookie.key")
    }

    pub fn log(&self) -> PathBuf {
        self.root.join("edge.log")
    }

    /// Makes what is not there, and ends what an edge left behind that was killed.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn prepare(&self) -> anyhow::Result<()> {
        fs::create_dir_all(&self.root)
            .with_context(|| format!("failed to create {}", self.root.display()))?;
        for folder in [self.releases(), self.servers()] {
            fs::create_dir_all(&folder)
                .with_context(|| format!("failed to create {}", folder.display()))?;
        }
        let data = self.data();
        // A database is nobody else's to read.
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&data)
            .with_context(|| format!("failed to create {}", data.display()))?;
        let orphans = server_record::end_orphans(&self.servers())?;
        if orphans > 0 {
            eprintln!("warning: ended {orphans} servers that an edge had left behind");
        }
        Ok(())
    }
}

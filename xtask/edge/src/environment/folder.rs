//! What an edge keeps of an environment on its machine: `target/xtask/edge/NAME/`.
//!
//! ```text
//! releases/ID/   fetched from the store
//! data/          the servers' working folder, which outlives every release
//! servers/PID    servers that were started and not yet seen to end
//! cookie.key     signs the clients' ids
//! edge.log       of an edge in the background
//! lock           held by the edge that uses it
//! ```
//!
//! Invariant: one edge at a time uses it, because two would delete each other's releases and their
//! servers write into one another's data.

use crate::process_id::{ProcessId, is_running};
use crate::server_record;
use anyhow::Context;
use report::Fault;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// An edge that is ending lets go of its address first, and of its folder within this time.
const LOCK_PATIENCE: Duration = Duration::from_secs(8);
const LOCK_LOOK: Duration = Duration::from_millis(20);

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
        Folder::new(config::edge_folder(project, environment))
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn releases(&self) -> PathBuf {
        self.root.join("releases")
    }

    pub fn data(&self) -> PathBuf {
        self.root.join(config::EDGE_DATA)
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

    /// Makes what is not there, and ends what an edge left behind that was killed. The folder is
    /// this edge's until the file that is given is closed.
    ///
    /// # Errors
    /// When the folder cannot be written, or another edge uses it.
    pub fn prepare(&self, environment: &str) -> anyhow::Result<File> {
        fs::create_dir_all(&self.root)
            .with_context(|| format!("failed to create {}", self.root.display()))?;
        let lock = self.lock(environment)?;
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
        let orphans = server_record::end_orphans(&self.servers(), &std::path::absolute(&data)?)?;
        if orphans > 0 {
            say!("warning: ended {orphans} servers that an edge had left behind");
        }
        Ok(lock)
    }

    fn lock(&self, environment: &str) -> anyhow::Result<File> {
        let path = self.root.join("lock");
        let open = || format!("failed to open {}", path.display());
        let file = File::options().create(true).append(true).open(&path).with_context(open)?;
        let start = Instant::now();
        while file.try_lock().is_err() {
            if start.elapsed() > LOCK_PATIENCE {
                let root = self.root.display();
                let message = format!(
                    "another edge uses {root}; end it by `--stop`, or give this one a `--folder`"
                );
                return Err(Fault::unreachable(message).into());
            }
            std::thread::sleep(LOCK_LOOK);
        }
        // For those who ask who it is; a disk that is full keeps nobody from serving.
        if let Some(process) = ProcessId::of(std::process::id()) {
            let _ = file.set_len(0);
            let _ = writeln!(&file, "{} {}\n{environment}", process.pid, process.start_ticks);
        }
        Ok(file)
    }

    /// The edge of this environment that uses the folder, when one does.
    pub fn user(&self, environment: &str) -> Option<ProcessId> {
        let text = fs::read_to_string(self.root.join("lock")).ok()?;
        let (process, of) = text.trim_end().split_once('\n')?;
        ProcessId::parse(process).filter(|process| of == environment && is_running(*process))
    }
}

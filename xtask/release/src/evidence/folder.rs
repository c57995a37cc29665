//! The evidence of one release on this machine: `target/xtask/evidence/<release id>/<step>.json`.

use crate::ReleaseId;
use crate::evidence::{Document, Evidence};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Relative to the project's root.
const EVIDENCE: &str = "target/xtask/evidence";

/// Largest document that is read: a thousand measures stay far below it.
const MAX_DOCUMENT_BYTES: u64 = 1024 * 1024;

/// The folder of a release's evidence.
#[derive(Debug, Clone)]
pub struct EvidenceFolder {
    path: PathBuf,
}

/// Why evidence could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("failed to {action} {}", path.display())]
pub struct EvidenceIo {
    pub action: &'static str,
    pub path: PathBuf,
    pub source: io::Error,
}

impl EvidenceFolder {
    /// Of a release of the project at `root`.
    pub fn of(root: &Path, release: &ReleaseId) -> EvidenceFolder {
        EvidenceFolder { path: root.join(EVIDENCE).join(release.as_str()) }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Records what a step proved, in place of what it proved before.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, document: &Document) -> Result<PathBuf, EvidenceIo> {
        let step = &document.evidence.step;
        let path = self.path.join(format!("{step}.json"));
        let failed = |source| EvidenceIo { action: "write", path: path.clone(), source };
        if !Evidence::is_step_name(step) {
            return Err(failed(io::Error::other(format!("{step:?} is no step's name"))));
        }
        let write = || -> io::Result<()> {
            fs::create_dir_all(&self.path)?;
            let mut partial =
                tempfile::Builder::new().prefix(".evidence-").tempfile_in(&self.path)?;
            partial.as_file().set_permissions(fs::Permissions::from_mode(0o644))?;
            partial.write_all(document.text().as_bytes())?;
            partial.persist(&path)?;
            Ok(())
        };
        write().map_err(failed)?;
        Ok(path)
    }

    /// The steps that left evidence, sorted by name, and the texts of it.
    ///
    /// # Errors
    /// When the folder cannot be listed or a file of it not be read. One that is not there holds
    /// none.
    pub fn read_all(&self) -> Result<Vec<(String, String)>, EvidenceIo> {
        let failed = |action, path: &Path| {
            let path = path.to_path_buf();
            move |source| EvidenceIo { action, path, source }
        };
        let entries = match fs::read_dir(&self.path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed("list", &self.path)(error)),
        };
        let mut found = Vec::new();
        for entry in entries {
            let path = entry.map_err(failed("list", &self.path))?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let Some(step) = name.strip_suffix(".json").filter(|it| Evidence::is_step_name(it))
            else {
                continue;
            };
            let step = step.to_owned();
            let mut bytes = Vec::new();
            File::open(&path)
                .and_then(|file| file.take(MAX_DOCUMENT_BYTES + 1).read_to_end(&mut bytes))
                .map_err(failed("read", &path))?;
            // What is not UTF-8 is no evidence, and is told as such by whoever checks it.
            found.push((step, String::from_utf8_lossy(&bytes).into_owned()));
        }
        found.sort();
        Ok(found)
    }

    /// Deletes the evidence, when its release is gone.
    ///
    /// # Errors
    /// When it cannot be deleted.
    pub fn delete(&self) -> Result<(), EvidenceIo> {
        match fs::remove_dir_all(&self.path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                let path = self.path.clone();
                Err(EvidenceIo { action: "delete", path, source: error })
            }
            _ => Ok(()),
        }
    }
}

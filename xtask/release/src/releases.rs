//! The folder of releases of a project, `target/xtask/releases/`, and its pointer to the latest.
//!
//! Invariants: a folder named by an id is a whole release; `latest` is replaced by a rename, so a
//! reader finds the old id or the new one; the release that `latest` names is never deleted.

use crate::{Release, ReleaseError, ReleaseId};
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// How many releases are kept on a developer's machine: enough to compare with last week's, and
/// bounded.
pub const KEPT_RELEASES: usize = 10;

/// What the folder of a release that is being made starts with.
const MAKING: &str = ".making-";

/// A folder that is still being made after so long was left by a build that was killed: making one
/// takes seconds, since the project's own build command has ended by then.
const ABANDONED_AFTER: Duration = Duration::from_secs(60 * 60);

/// A release's id and its folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseDir {
    pub id: ReleaseId,
    pub path: PathBuf,
}

/// The folder of releases of a project.
#[derive(Debug, Clone)]
pub struct Releases {
    dir: PathBuf,
}

/// The release that a project's `latest` names; `None` when none was built yet.
///
/// # Errors
/// When the pointer is damaged, or names a release that is gone.
pub fn latest(root: &Path) -> Result<Option<ReleaseDir>, ReleaseError> {
    Releases::of(root).latest()
}

impl Releases {
    /// The releases of the project at `root`.
    pub fn of(root: &Path) -> Releases {
        Releases { dir: root.join("target/xtask/releases") }
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The file that names the latest release.
    pub fn pointer(&self) -> PathBuf {
        self.dir.join("latest")
    }

    /// The folder of a release with this id, whether it is there or not.
    pub fn path_of(&self, id: &ReleaseId) -> PathBuf {
        self.dir.join(id.as_str())
    }

    /// See [`latest`].
    ///
    /// # Errors
    /// When the pointer is damaged, or names a release that is gone.
    pub fn latest(&self) -> Result<Option<ReleaseDir>, ReleaseError> {
        let pointer = self.pointer();
        let text = match fs::read_to_string(&pointer) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(ReleaseError::io("read", &pointer)(error)),
        };
        let id: ReleaseId = text
            .trim_end_matches('\n')
            .parse()
            .map_err(|source| ReleaseError::Pointer { path: pointer.clone(), source })?;
        let path = self.path_of(&id);
        if !path.is_dir() {
            return Err(ReleaseError::Gone { path: pointer, id: id.into() });
        }
        Ok(Some(ReleaseDir { id, path }))
    }

    /// All releases, the most lately built first.
    ///
    /// # Errors
    /// When the folder cannot be listed. One that is not there holds none.
    pub fn list(&self) -> Result<Vec<ReleaseDir>, ReleaseError> {
        let mut found: Vec<(SystemTime, ReleaseDir)> = Vec::new();
        for path in self.entries()? {
            let name = path.file_name().and_then(|name| name.to_str());
            let Some(id) = name.and_then(|name| name.parse().ok()) else { continue };
            let built_at = fs::metadata(path.join(crate::open::MANIFEST))
                .and_then(|metadata| metadata.modified())
                .unwrap_or(SystemTime::UNIX_EPOCH);
            found.push((built_at, ReleaseDir { id, path }));
        }
        found.sort_by(|(a_time, a), (b_time, b)| (b_time, &b.id).cmp(&(a_time, &a.id)));
        Ok(found.into_iter().map(|(_, release)| release).collect())
    }

    /// Makes `latest` name a release.
    ///
    /// # Errors
    /// When the pointer cannot be written.
    pub fn point_to(&self, id: &ReleaseId) -> Result<(), ReleaseError> {
        let pointer = self.pointer();
        let write = || -> std::io::Result<()> {
            let mut partial = tempfile::Builder::new().prefix(".latest-").tempfile_in(&self.dir)?;
            writeln!(partial, "{id}")?;
            partial.as_file().sync_all()?;
            partial.persist(&pointer)?;
            File::open(&self.dir)?.sync_all()
        };
        write().map_err(ReleaseError::io("write", &pointer))
    }

    /// Deletes what is beyond the [`KEPT_RELEASES`] most lately built ones, and what builds that were
    /// killed left behind. Gives the ids of the deleted releases.
    ///
    /// # Errors
    /// When a folder cannot be listed or deleted.
    pub fn prune(&self) -> Result<Vec<ReleaseId>, ReleaseError> {
        let latest = self.latest()?.map(|release| release.id);
        let mut deleted = Vec::new();
        for release in self.list()?.into_iter().skip(KEPT_RELEASES) {
            if Some(&release.id) != latest.as_ref() {
                self.delete(&release.path)?;
                deleted.push(release.id);
            }
        }
        for path in self.entries()? {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let is_abandoned = fs::metadata(&path)
                .and_then(|metadata| metadata.modified())
                .is_ok_and(|at| at.elapsed().is_ok_and(|age| age > ABANDONED_AFTER));
            if name.starts_with(MAKING) && is_abandoned {
                fs::remove_dir_all(&path).map_err(ReleaseError::io("delete", &path))?;
            }
        }
        Ok(deleted)
    }

    /// A folder to make a release in, on the same file system as the releases.
    pub(crate) fn start(&self) -> Result<tempfile::TempDir, ReleaseError> {
        fs::create_dir_all(&self.dir).map_err(ReleaseError::io("create", &self.dir))?;
        tempfile::Builder::new()
            .prefix(MAKING)
            .tempdir_in(&self.dir)
            .map_err(ReleaseError::io("create a folder in", &self.dir))
    }

    /// Gives a folder that holds a whole release its name. A sound release of that name is kept as
    /// it is (`false`); a damaged one makes way.
    pub(crate) fn publish(
        &self,
        made: tempfile::TempDir,
        id: &ReleaseId,
    ) -> Result<bool, ReleaseError> {
        let path = self.path_of(id);
        if path.exists() {
            if Release::open(&path).and_then(|release| release.verify()).is_ok() {
                let manifest = path.join(crate::open::MANIFEST);
                File::options()
                    .append(true)
                    .open(&manifest)
                    .and_then(|file| file.set_modified(SystemTime::now()))
                    .map_err(ReleaseError::io("renew the time of", &manifest))?;
                return Ok(false);
            }
            self.delete(&path)?;
        }
        match fs::rename(made.path(), &path) {
            Ok(()) => {
                // Renamed away: there is nothing left to delete.
                let _ = made.keep();
                Ok(true)
            }
            // Another build of the same sources was faster.
            Err(_) if Release::open(&path).and_then(|release| release.verify()).is_ok() => {
                Ok(false)
            }
            Err(error) => Err(ReleaseError::io("create", &path)(error)),
        }
    }

    /// Deletes a release such that its name never stands for half of one.
    fn delete(&self, path: &Path) -> Result<(), ReleaseError> {
        let aside = self.start()?;
        fs::rename(path, aside.path().join("deleted")).map_err(ReleaseError::io("delete", path))?;
        aside.close().map_err(ReleaseError::io("delete", path))
    }

    fn entries(&self) -> Result<Vec<PathBuf>, ReleaseError> {
        let entries = match fs::read_dir(&self.dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(ReleaseError::io("list", &self.dir)(error)),
        };
        entries
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<_, _>>()
            .map_err(ReleaseError::io("list", &self.dir))
    }
}

//! The folder of releases of a project, `target/xtask/releases/`, and its pointer to the latest.
//!
//! Invariants: a folder named by an id is a whole release; `latest` is replaced by a rename, so a
//! reader finds the old id or the new one; the release that `latest` names is never deleted.

use crate::make::crash;
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

/// How many releases an error offers instead of one that is not there.
const OFFERED_RELEASES: usize = 5;

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

/// Why no release, or not one, is meant by a name.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    #[error(
        "no release was built yet; run `cargo xtask ci`, or `cargo xtask build` for the release alone"
    )]
    NoneBuilt,
    #[error("no release {name:?} is kept here; the last are{last}")]
    Unknown { name: String, last: String },
    #[error("{name:?} may mean each of these; give more of the one that is meant{found}")]
    Ambiguous { name: String, found: String },
    #[error(transparent)]
    Release(#[from] ReleaseError),
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

    /// The release that a person means: the latest when nothing is said, else the one with this id,
    /// or whose id or digits start or end so.
    ///
    /// # Errors
    /// When none is meant, or more than one.
    pub fn find(&self, name: Option<&str>) -> Result<ReleaseDir, FindError> {
        let Some(name) = name.filter(|name| *name != "latest") else {
            return self.latest()?.ok_or(FindError::NoneBuilt);
        };
        let all = self.list()?;
        let is_meant = |id: &ReleaseId| {
            let digits = id.as_str().rsplit('-').next().unwrap_or_default();
            !name.is_empty() && (id.as_str().starts_with(name) || digits.starts_with(name))
        };
        let mut meant: Vec<&ReleaseDir> = all.iter().filter(|it| it.id.as_str() == name).collect();
        if meant.is_empty() {
            meant = all.iter().filter(|release| is_meant(&release.id)).collect();
        }
        let ids = |releases: &mut dyn Iterator<Item = &ReleaseDir>| {
            let ids = releases.take(OFFERED_RELEASES).map(|release| format!("\n  {}", release.id));
            ids.collect::<String>()
        };
        match meant.as_slice() {
            [one] => Ok((*one).clone()),
            [] if all.is_empty() => Err(FindError::NoneBuilt),
            [] => Err(FindError::Unknown { name: name.into(), last: ids(&mut all.iter()) }),
            many => {
                let found = ids(&mut many.iter().copied());
                Err(FindError::Ambiguous { name: name.into(), found })
            }
        }
    }

    /// What [`Releases::prune`] would delete if it kept so many: all but the most lately built ones
    /// and the one that `latest` names.
    ///
    /// # Errors
    /// When the folder cannot be listed, or the pointer is damaged.
    pub fn prunable(&self, keep: usize) -> Result<Vec<ReleaseDir>, ReleaseError> {
        let latest = self.latest()?.map(|release| release.id);
        let old = self.list()?.into_iter().skip(keep);
        Ok(old.filter(|release| Some(&release.id) != latest.as_ref()).collect())
    }

    /// Deletes what is beyond the `keep` most lately built ones, and what builds that were killed
    /// left behind. Gives the ids of the deleted releases.
    ///
    /// # Errors
    /// When a folder cannot be listed or deleted.
    pub fn prune(&self, keep: usize) -> Result<Vec<ReleaseId>, ReleaseError> {
        let mut deleted = Vec::new();
        for release in self.prunable(keep)? {
            self.delete(&release.path)?;
            deleted.push(release.id);
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

    /// Whether the release with this id is there and `prove` finds it sound.
    pub(crate) fn has_sound(
        &self,
        id: &ReleaseId,
        prove: impl Fn(&Release) -> Result<(), ReleaseError>,
    ) -> bool {
        Release::open(&self.path_of(id)).and_then(|release| prove(&release)).is_ok()
    }

    /// Gives a folder that holds a whole release its name. A release of that name which `prove`
    /// finds sound is kept as it is (`false`); a damaged one makes way.
    pub(crate) fn publish(
        &self,
        made: &Path,
        id: &ReleaseId,
        prove: impl Fn(&Release) -> Result<(), ReleaseError>,
    ) -> Result<bool, ReleaseError> {
        let path = self.path_of(id);
        if path.exists() {
            if self.has_sound(id, &prove) {
                return Ok(false);
            }
            self.delete(&path)?;
        }
        crash::point();
        match fs::rename(made, &path) {
            Ok(()) => Ok(true),
            // Another build of the same sources was faster.
            Err(_) if self.has_sound(id, &prove) => Ok(false),
            Err(error) => Err(ReleaseError::io("create", &path)(error)),
        }
    }

    /// The release that makes way for a new one: the oldest, once as many are here as are kept. None
    /// does while it cannot be told which is the latest.
    pub(crate) fn outgoing(&self) -> Option<ReleaseDir> {
        self.prunable(KEPT_RELEASES - 1).ok()?.pop()
    }

    /// Takes a release's folder away, to make another one of it; `false` when it is not there or not
    /// to go any more.
    pub(crate) fn take(&self, outgoing: &ReleaseDir, folder: &Path) -> bool {
        let is_to_go =
            self.prunable(KEPT_RELEASES - 1).is_ok_and(|releases| releases.contains(outgoing));
        crash::point();
        is_to_go && fs::rename(&outgoing.path, folder).is_ok()
    }

    /// Makes a release the most lately built one, and `latest` name it; nothing is written when it
    /// is that already.
    pub(crate) fn renew(&self, id: &ReleaseId) -> Result<(), ReleaseError> {
        if self.latest().is_ok_and(|latest| latest.is_some_and(|latest| latest.id == *id)) {
            return Ok(());
        }
        let manifest = self.path_of(id).join(crate::open::MANIFEST);
        File::options()
            .append(true)
            .open(&manifest)
            .and_then(|file| file.set_modified(SystemTime::now()))
            .map_err(ReleaseError::io("renew the time of", &manifest))?;
        crash::point();
        self.point_to(id)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_found_by_what_people_type() {
        let root = tempfile::tempdir().unwrap();
        let releases = Releases::of(root.path());
        assert!(matches!(releases.find(None), Err(FindError::NoneBuilt)));
        for id in ["2026-11-23-1f9c2ab04d7e", "2026-11-23-1f9d00000000", "2026-11-24-aaaaaaaaaaaa"]
        {
            fs::create_dir_all(releases.dir().join(id)).unwrap();
        }
        let find = |name: &str| releases.find(Some(name)).map(|found| found.id.to_string());
        assert_eq!(find("2026-11-24").unwrap(), "2026-11-24-aaaaaaaaaaaa");
        assert_eq!(find("1f9c").unwrap(), "2026-11-23-1f9c2ab04d7e");
        assert_eq!(find("2026-11-23-1f9d00000000").unwrap(), "2026-11-23-1f9d00000000");
        assert!(matches!(find("1f9"), Err(FindError::Ambiguous { .. })));
        for name in ["b", "", "../x", "-"] {
            assert!(matches!(find(name), Err(FindError::Unknown { .. })), "{name:?}");
        }
        releases.point_to(&"2026-11-24-aaaaaaaaaaaa".parse().unwrap()).unwrap();
        assert_eq!(find("latest").unwrap(), "2026-11-24-aaaaaaaaaaaa");
        assert_eq!(releases.prunable(0).unwrap().len(), 2, "the latest stays");
    }
}

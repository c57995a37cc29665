//! From a folder as it is to the folder of a release: what goes, what comes, in an order in which
//! a file can take a folder's place and a folder a file's.

use super::crash;
use super::known::Known;
use super::outgoing::Outgoing;
use super::parallel::in_parallel;
use crate::{Release, ReleaseError, Sha256};
use std::collections::{BTreeSet, HashSet};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// A name in the release, and where its contents are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// Relative to the release.
    pub path: String,
    pub sha256: Sha256,
    pub source: Source,
}

/// Where the contents of a name are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// In the base: the earlier release, at the same path.
    Base,
    /// In a file that was made for this name alone.
    Made(PathBuf),
}

/// What is to be done to a folder. Each list is carried out after the one before it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Layout<'a> {
    /// Files that go.
    unlink: Vec<&'a OsStr>,
    /// Folders that go; each after those inside it.
    remove: Vec<&'a Path>,
    /// Folders that come; each before those inside it.
    create: Vec<&'a Path>,
    /// Names that come.
    place: Vec<&'a Name>,
    /// Names that stay.
    kept: HashSet<&'a OsStr>,
}

/// One act on the file system.
#[derive(Debug, Clone, Copy)]
enum Step<'a> {
    Unlink(&'a Path),
    Remove(&'a Path),
    Create(&'a Path),
    Place(&'a Name),
}

impl<'a> Layout<'a> {
    /// Plans how the outgoing release's folder, or an empty one, comes to hold these names and
    /// nothing else.
    pub fn plan(names: &'a [Name], outgoing: Option<(&'a Outgoing, &Known)>) -> Layout<'a> {
        let (kept, place): (Vec<&Name>, Vec<&Name>) = names.iter().partition(|name| {
            name.source == Source::Base
                && outgoing.is_some_and(|(it, known)| it.holds(&name.path, name.sha256, known))
        });
        let kept: HashSet<&OsStr> = kept.iter().map(|name| OsStr::new(&name.path)).collect();
        let mut needed: BTreeSet<&str> = BTreeSet::new();
        for name in names {
            // From the folder that holds it up to one that was seen.
            for (at, _) in name.path.rmatch_indices('/') {
                if !needed.insert(&name.path[..at]) {
                    break;
                }
            }
        }
        let needed: BTreeSet<&Path> = needed.into_iter().map(Path::new).collect();
        let Some((outgoing, _)) = outgoing else {
            let create = needed.into_iter().collect();
            return Layout { create, place, kept, ..Layout::default() };
        };
        let there: HashSet<&Path> = outgoing.folders().iter().map(PathBuf::as_path).collect();
        let gone = outgoing.folders().iter().rev().map(PathBuf::as_path);
        Layout {
            unlink: outgoing.files().filter(|path| !kept.contains(path)).collect(),
            remove: gone.filter(|folder| !needed.contains(folder)).collect(),
            create: needed.iter().copied().filter(|folder| !there.contains(folder)).collect(),
            place,
            kept,
        }
    }

    /// Whether a name stays as it was in the outgoing release's folder.
    pub fn keeps(&self, path: &OsStr) -> bool {
        self.kept.contains(path)
    }

    /// Carries the plan out in a folder; `base` is where [`Source::Base`] is.
    ///
    /// # Errors
    /// The first thing that the file system refuses.
    pub fn carry_out(&self, folder: &Path, base: Option<&Release>) -> Result<(), ReleaseError> {
        let act = |step: &Step<'_>| step.carry_out(folder, base);
        let [unlink, remove, create, place] = self.steps();
        in_parallel(&unlink, act)?;
        remove.iter().try_for_each(act)?;
        create.iter().try_for_each(act)?;
        in_parallel(&place, act)?;
        Ok(())
    }

    fn steps(&self) -> [Vec<Step<'_>>; 4] {
        [
            self.unlink.iter().map(|path| Step::Unlink(Path::new(path))).collect(),
            self.remove.iter().map(|path| Step::Remove(path)).collect(),
            self.create.iter().map(|path| Step::Create(path)).collect(),
            self.place.iter().map(|name| Step::Place(name)).collect(),
        ]
    }
}

impl Step<'_> {
    fn carry_out(&self, folder: &Path, base: Option<&Release>) -> Result<(), ReleaseError> {
        crash::point();
        let (action, path, done) = match self {
            Step::Unlink(path) => ("delete", *path, fs::remove_file(folder.join(path))),
            Step::Remove(path) => ("delete", *path, fs::remove_dir(folder.join(path))),
            Step::Create(path) => ("create", *path, fs::create_dir(folder.join(path))),
            Step::Place(name) => {
                let target = folder.join(&name.path);
                let done = match (&name.source, base) {
                    (Source::Made(made), _) => fs::rename(made, &target),
                    (Source::Base, Some(base)) => link(&base.dir().join(&name.path), &target),
                    (Source::Base, None) => Err(ErrorKind::NotFound.into()),
                };
                ("write", Path::new(&name.path), done)
            }
        };
        done.map_err(ReleaseError::io(action, &folder.join(path)))
    }
}

/// Gives a file another name; where a file cannot have so many, or not two, a copy that is a file of
/// its own.
fn link(source: &Path, target: &Path) -> io::Result<()> {
    match fs::hard_link(source, target) {
        Err(error) if !matches!(error.kind(), ErrorKind::AlreadyExists | ErrorKind::NotFound) => {
            let mut copy = File::create_new(target)?;
            let mut source = File::open(source)?;
            io::copy(&mut source, &mut copy)?;
            copy.set_permissions(source.metadata()?.permissions())
        }
        linked => linked,
    }
}

//! Files of earlier releases, by digest: what did not change is neither compressed nor written
//! again. A release that is made takes it over as another name of the same file.

use super::known::Known;
use super::variants::COMPRESSION;
use crate::content_type::{essence, with_charset};
use crate::open::check_digest;
use crate::{Encoding, FileEntry, Release, ReleaseDir, ReleaseError, Sha256};
use crate::{content_type, is_compressible};
use inputs::Stamp;
use std::collections::{HashMap, HashSet, VecDeque};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

/// Earlier releases, the most lately built first.
#[derive(Debug)]
pub struct Earlier<'a> {
    known: &'a Known,
    unopened: VecDeque<ReleaseDir>,
    opened: Vec<Arc<Release>>,
    /// By digest: an opened release, and the place of the file in its manifest.
    found: HashMap<Sha256, (usize, usize)>,
    /// Places of the first opened release whose files lack a variant.
    incomplete: HashSet<usize>,
}

/// A file of an earlier release.
#[derive(Debug, Clone)]
pub struct EarlierFile {
    release: Arc<Release>,
    place: usize,
}

impl<'a> Earlier<'a> {
    /// Opens the first of these releases. See [`Earlier::open_more`].
    pub fn open(releases: Vec<ReleaseDir>, known: &'a Known) -> Earlier<'a> {
        let mut earlier = Earlier {
            known,
            unopened: releases.into(),
            opened: Vec::new(),
            found: HashMap::new(),
            incomplete: HashSet::new(),
        };
        earlier.open_next();
        earlier
    }

    /// Opens older releases for as long as reading their manifests costs less than it may save:
    /// `missing_bytes` are to be compressed, which takes longer by a byte than reading a manifest.
    pub fn open_more(&mut self, missing_bytes: impl Fn(&Earlier<'_>) -> u64) {
        while let Some(next) = self.unopened.front() {
            let manifest = fs::metadata(next.path.join(crate::open::MANIFEST));
            if missing_bytes(self) <= manifest.map_or(0, |metadata| metadata.len()) {
                return;
            }
            self.open_next();
        }
    }

    /// One that cannot be opened, or was compressed otherwise, has nothing to offer.
    fn open_next(&mut self) {
        let Some(next) = self.unopened.pop_front() else { return };
        let Ok(release) = Release::open(&next.path) else { return };
        if release.manifest().compression != COMPRESSION {
            return;
        }
        let at = self.opened.len();
        for (place, file) in release.manifest().files.iter().enumerate() {
            if !lacks_a_variant(&release, file) {
                self.found.entry(file.sha256).or_insert((at, place));
            } else if at == 0 {
                self.incomplete.insert(place);
            }
        }
        self.opened.push(Arc::new(release));
    }

    /// The release whose files may stay where they are.
    pub fn base(&self) -> Option<&Release> {
        self.opened.first().map(Arc::as_ref)
    }

    /// A file with these contents; the one with this path, if it is in the base.
    pub fn file_at(&self, path: &str, sha256: Sha256) -> Option<EarlierFile> {
        let base = self.opened.first()?;
        let place = base.manifest().place(path).filter(|place| {
            !self.incomplete.contains(place) && base.manifest().files[*place].sha256 == sha256
        });
        match place {
            Some(place) => Some(EarlierFile { release: Arc::clone(base), place }),
            None => self.file(sha256),
        }
    }

    /// A file with these contents.
    pub fn file(&self, sha256: Sha256) -> Option<EarlierFile> {
        let (at, place) = *self.found.get(&sha256)?;
        Some(EarlierFile { release: Arc::clone(self.opened.get(at)?), place })
    }

    /// The base's server, if it has these contents.
    pub fn server(&self, sha256: Sha256) -> Option<&Release> {
        let release = self.base()?;
        let server = release.manifest().server.as_ref()?;
        (server.sha256 == sha256).then_some(release)
    }

    /// Proves that a file of an earlier release is still what its manifest says.
    ///
    /// # Errors
    /// When it is not, or cannot be read.
    pub fn prove(&self, source: &Path, sha256: Sha256) -> Result<(), ReleaseError> {
        let metadata = fs::symlink_metadata(source).ok().filter(fs::Metadata::is_file);
        let metadata = metadata.ok_or_else(|| ReleaseError::Missing { path: source.into() })?;
        check_digest(source, sha256, self.known.digest(source, &Stamp::of(&metadata))?)
    }

    /// Whether a file of an earlier release is still what its manifest says.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn is_sound(&self, source: &Path, sha256: Sha256) -> Result<bool, ReleaseError> {
        match self.prove(source, sha256) {
            Ok(()) => Ok(true),
            // Another build deleted it with its release.
            Err(ReleaseError::Io { source, .. }) if source.kind() == ErrorKind::NotFound => {
                Ok(false)
            }
            Err(error) if error.is_damage() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Makes `target` another name of a file of an earlier release, if that is still what its
    /// manifest says; `false` otherwise, or where a file cannot have two names.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn link(&self, source: &Path, sha256: Sha256, target: &Path) -> Result<bool, ReleaseError> {
        if !self.is_sound(source, sha256)? {
            return Ok(false);
        }
        match fs::hard_link(source, target) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                Err(ReleaseError::io("write", target)(error))
            }
            Err(_) => Ok(false),
        }
    }
}

/// Whether a name that a variant would have was the site's own. Another site may have it free.
fn lacks_a_variant(release: &Release, file: &FileEntry) -> bool {
    let manifest = release.manifest();
    Encoding::ALL.into_iter().any(|encoding| {
        let name = format!("{}.{}", file.path, encoding.extension());
        let inside = format!("{name}/");
        let next = manifest.files.partition_point(|other| other.path.as_str() < inside.as_str());
        manifest.file(&name).is_some()
            || manifest.files.get(next).is_some_and(|other| other.path.starts_with(&inside))
    })
}

impl EarlierFile {
    pub fn release(&self) -> &Release {
        &self.release
    }

    pub fn entry(&self) -> &FileEntry {
        &self.release.manifest().files[self.place]
    }

    /// The content type of the same contents at another path; `None` when only the contents can
    /// tell, or when they would be compressed there and were not here.
    pub fn content_type_at(&self, path: &str) -> Option<String> {
        let entry = self.entry();
        let own = &entry.content_type;
        let essence = essence(path);
        let [utf8, other] = [true, false].map(|is_utf8| with_charset(essence.clone(), is_utf8));
        let here = if path == entry.path {
            [utf8.clone(), other.clone()]
        } else {
            [true, false].map(|is_utf8| content_type(&entry.path, is_utf8))
        };
        let kind = if utf8 == other || (here[0] != here[1] && *own == here[0]) {
            utf8
        } else if here[0] != here[1] && *own == here[1] {
            other
        } else {
            return None;
        };
        (is_compressible(&kind) == is_compressible(own)).then_some(kind)
    }
}

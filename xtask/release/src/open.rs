//! Opening a release that was built, and proving that its files are what its manifest says.

use crate::folder::walk;
use crate::make::in_parallel;
use crate::{Manifest, ReleaseError, Sha256};
use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, File, Metadata};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Name of the manifest in a release's folder.
pub(crate) const MANIFEST: &str = "manifest.json";
/// Name of the manifest's signature in a release's folder.
pub(crate) const SIGNATURE: &str = "manifest.sig";
/// Name of the folder of static files.
pub(crate) const SITE: &str = "site";
/// Name of the folder of the server's binary.
pub(crate) const SERVER: &str = "server";

/// Largest manifest that is read: 100,000 files with three variants each stay below it.
const MAX_MANIFEST_BYTES: u64 = 128 * 1024 * 1024;

/// A release in its folder.
#[derive(Debug, Clone)]
pub struct Release {
    dir: PathBuf,
    manifest: Manifest,
    manifest_sha256: Sha256,
    manifest_size_bytes: u64,
}

impl Release {
    /// Opens the release in a folder: reads its manifest and checks its id, its version and its
    /// paths. The files' digests are checked by [`Release::verify`] and [`Release::read`].
    ///
    /// # Errors
    /// When the folder holds no manifest, or not one that can be trusted.
    pub fn open(dir: &Path) -> Result<Release, ReleaseError> {
        let path = dir.join(MANIFEST);
        let size = match fs::metadata(&path) {
            Ok(metadata) => metadata.len(),
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                return Err(ReleaseError::NoManifest { dir: dir.into() });
            }
            Err(error) => return Err(ReleaseError::io("read", &path)(error)),
        };
        if size > MAX_MANIFEST_BYTES {
            let reason = format!("expected at most {MAX_MANIFEST_BYTES} bytes, found {size}");
            return Err(ReleaseError::Malformed { path, reason });
        }
        let json = fs::read(&path).map_err(ReleaseError::io("read", &path))?;
        let manifest = Manifest::parse(&json, &path)?;
        Ok(Release::written(dir, manifest, &json))
    }

    /// A release whose manifest was just written to a folder, as `json`.
    pub(crate) fn written(dir: &Path, manifest: Manifest, json: &[u8]) -> Release {
        Release {
            dir: dir.into(),
            manifest,
            manifest_sha256: Sha256::of(json),
            manifest_size_bytes: json.len() as u64,
        }
    }

    /// The release's folder has another place now.
    pub(crate) fn moved_to(&mut self, dir: &Path) {
        self.dir = dir.into();
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Digest of `manifest.json` as it was when the release was opened.
    pub fn manifest_sha256(&self) -> Sha256 {
        self.manifest_sha256
    }

    /// Where a path of the site (a file's, or a variant's) is on disk.
    pub fn site_path(&self, path: &str) -> PathBuf {
        self.dir.join(SITE).join(path)
    }

    /// Where the server's binary is on disk, if the release has a server.
    pub fn server_path(&self) -> Option<PathBuf> {
        self.manifest.server.as_ref().map(|server| self.dir.join(&server.path))
    }

    /// Reads a path of the site whole and proves it.
    ///
    /// # Errors
    /// When it cannot be read, or is not what the manifest says.
    pub fn read(&self, path: &str, size: u64, sha256: Sha256) -> Result<Vec<u8>, ReleaseError> {
        let path = self.site_path(path);
        check_size(&path, size)?;
        let bytes = fs::read(&path).map_err(ReleaseError::io("read", &path))?;
        check_digest(&path, sha256, Sha256::of(&bytes))?;
        Ok(bytes)
    }

    /// Proves one file on disk without holding it in memory.
    ///
    /// # Errors
    /// When it cannot be read, or is not what the manifest says.
    pub fn check(path: &Path, size: u64, sha256: Sha256) -> Result<(), ReleaseError> {
        check_size(path, size)?;
        check_contents(path, sha256)
    }

    /// Proves the whole release: every file, every variant, the server; and that nothing else lies
    /// in their folders. Who signed it is another question: see [`Release::signer`].
    ///
    /// # Errors
    /// The first file, in the manifest's order, that is missing, changed or not listed.
    pub fn verify(&self) -> Result<(), ReleaseError> {
        self.verify_with(|path, _, sha256| check_contents(path, sha256))
    }

    /// Where every file that the manifest lists is, its size and its digest: the site's files, their
    /// variants, the server; and the manifest itself.
    pub(crate) fn listed(&self) -> Vec<(PathBuf, u64, Sha256)> {
        let mut listed: Vec<(PathBuf, u64, Sha256)> = Vec::new();
        for file in &self.manifest.files {
            listed.push((self.site_path(&file.path), file.size_bytes, file.sha256));
            for variant in &file.variants {
                listed.push((self.site_path(&variant.path), variant.size_bytes, variant.sha256));
            }
        }
        if let (Some(path), Some(server)) = (self.server_path(), &self.manifest.server) {
            listed.push((path, server.size_bytes, server.sha256));
        }
        listed.push((self.dir.join(MANIFEST), self.manifest_size_bytes, self.manifest_sha256));
        listed
    }

    /// [`Release::verify`] with another proof of one file's contents, which is given what the file
    /// system says of it and the digest that it should have.
    pub(crate) fn verify_with(
        &self,
        prove: impl Fn(&Path, &Metadata, Sha256) -> Result<(), ReleaseError> + Sync,
    ) -> Result<(), ReleaseError> {
        let listed = self.listed();
        in_parallel(&listed, |(path, size, sha256)| {
            let metadata = check_size(path, *size)?;
            prove(path, &metadata, *sha256)
        })?;

        // As bytes: to compare and to hash paths part by part takes much longer.
        let listed: HashSet<&OsStr> = listed.iter().map(|(path, ..)| path.as_os_str()).collect();
        for folder in [SITE, SERVER] {
            walk(&self.dir.join(folder), |entry, _| {
                let path = entry.path();
                if listed.contains(path.as_os_str()) {
                    Ok(())
                } else {
                    Err(ReleaseError::Unlisted { path })
                }
            })?;
        }
        Ok(())
    }
}

/// Looks at a file that should have so many bytes.
fn check_size(path: &Path, expected: u64) -> Result<Metadata, ReleaseError> {
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_file() => metadata,
        Ok(_) => return Err(ReleaseError::Missing { path: path.into() }),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Err(ReleaseError::Missing { path: path.into() });
        }
        Err(error) => return Err(ReleaseError::io("look at", path)(error)),
    };
    if metadata.len() != expected {
        let found = metadata.len();
        return Err(ReleaseError::Size { path: path.into(), expected, found });
    }
    Ok(metadata)
}

fn check_contents(path: &Path, expected: Sha256) -> Result<(), ReleaseError> {
    let file = File::open(path).map_err(ReleaseError::io("open", path))?;
    let (found, _) = Sha256::of_reader(file).map_err(ReleaseError::io("read", path))?;
    check_digest(path, expected, found)
}

pub(crate) fn check_digest(
    path: &Path,
    expected: Sha256,
    found: Sha256,
) -> Result<(), ReleaseError> {
    if expected != found {
        return Err(ReleaseError::Digest { path: path.into(), expected, found });
    }
    Ok(())
}

//! What the last build was made of and what it made, so that a build in which nothing changed
//! neither reads nor writes a file of the release, nor its manifest.
//!
//! Invariant: a memo is believed only for the same program, the same configuration, the same
//! contents of every source, and a release whose every file is what it was.

use super::known::Known;
use super::{COMPRESSION, Sizes};
use crate::folder::Listing;
use crate::open::SIGNATURE;
use crate::provenance::Provenance;
use crate::signing::SigningKey;
use crate::{Commit, MANIFEST_VERSION, Release, ReleaseError, ReleaseId, Releases, Sha256};
use config::Config;
use inputs::Stamp;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Relative to the project's root.
const MEMO: &str = "target/xtask/state/release.json";

/// What the last build was made of and what it made.
#[derive(Debug, Serialize, Deserialize)]
pub struct Memo {
    /// Digest of all that the release is made of.
    of: Sha256,
    pub id: ReleaseId,
    /// Digest of all files of the release but its signature: paths and contents.
    folder: Sha256,
    pub sizes: Sizes,
    signature: Option<Signature>,
}

/// The signature of the release, and the key that made it.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Signature {
    sha256: Sha256,
    public_key: String,
    name: String,
}

/// All that a release is made of but the contents of its files.
#[derive(Debug)]
pub struct Surroundings<'a> {
    pub config: &'a Config,
    pub commit: Option<&'a Commit>,
    pub provenance: &'a Provenance,
    pub server: Option<Sha256>,
}

/// Digest of all that a release is made of. `files`: paths and contents, sorted.
///
/// # Errors
/// When the configuration cannot be written as JSON.
pub fn digest_of<'f>(
    surroundings: &Surroundings<'_>,
    files: impl Iterator<Item = (&'f str, Sha256)>,
) -> Result<Sha256, serde_json::Error> {
    let Surroundings { config, commit, provenance, server } = surroundings;
    let commit = commit.map(|it| (&it.hash, &it.date, it.has_uncommitted_changes));
    let mut all = serde_json::to_vec(&(
        program(),
        (MANIFEST_VERSION, COMPRESSION),
        (&config.project, &config.build, &config.headers),
        commit,
        (&provenance.toolchain, &provenance.lockfiles),
        server,
    ))?;
    for (path, sha256) in files {
        all.push(0);
        all.extend_from_slice(path.as_bytes());
        all.push(0);
        all.extend_from_slice(sha256.as_bytes());
    }
    Ok(Sha256::of(&all))
}

/// This very program: another one may make another release of the same files.
fn program() -> Option<String> {
    let metadata = fs::metadata(std::env::current_exe().ok()?).ok()?;
    Some(format!("{:?}", Stamp::of(&metadata)))
}

impl Memo {
    /// Of the project at `root`; `None` when there is none that can be read.
    pub fn load(root: &Path) -> Option<Memo> {
        serde_json::from_slice(&fs::read(root.join(MEMO)).ok()?).ok()
    }

    /// Whether the release that is to be made of this is there, whole. Nothing is read that looks as
    /// it did when it was read.
    pub fn is_of(&self, of: Sha256, releases: &Releases, known: &Known) -> bool {
        let dir = releases.path_of(&self.id);
        self.of == of && found_digest(&dir, known).is_ok_and(|found| found == self.folder)
    }

    /// Whether the release has the signature that it had, and this key made that.
    pub fn is_signed_by(&self, key: &SigningKey, releases: &Releases) -> bool {
        let found = signature(&releases.path_of(&self.id), key);
        found.is_some() && found == self.signature
    }

    /// What was made of what: `release`, of what has the digest `of`.
    pub fn new(of: Sha256, release: &Release, sizes: Sizes) -> Memo {
        let id = release.manifest().id.clone();
        Memo { of, id, folder: listed_digest(release), sizes, signature: None }
    }

    /// Writes it down, with the signature that the release has by now. That it cannot be written
    /// costs the next build time alone.
    pub fn save(mut self, root: &Path, releases: &Releases, key: Option<&SigningKey>) {
        self.signature = key.and_then(|key| signature(&releases.path_of(&self.id), key));
        let write = || -> std::io::Result<()> {
            let path = root.join(MEMO);
            let mut partial = tempfile::NamedTempFile::new_in(path.parent().unwrap_or(root))?;
            partial.write_all(&serde_json::to_vec(&self)?)?;
            partial.persist(&path)?;
            Ok(())
        };
        let _ = write();
    }
}

/// Digest of the files that a release has.
fn found_digest(dir: &Path, known: &Known) -> Result<Sha256, ReleaseError> {
    let mut found = Vec::new();
    for (path, stamp) in Listing::of(dir)?.files {
        let sha256 = known.digest(&path, &stamp)?;
        found.push((path, sha256));
    }
    Ok(folder_digest(dir, &mut found))
}

/// Digest of the files that a release should have.
fn listed_digest(release: &Release) -> Sha256 {
    let mut listed: Vec<_> =
        release.listed().into_iter().map(|(path, _, sha256)| (path, sha256)).collect();
    folder_digest(release.dir(), &mut listed)
}

/// Of their paths inside the release and their contents. The signature is looked at by itself.
fn folder_digest(dir: &Path, files: &mut [(PathBuf, Sha256)]) -> Sha256 {
    // As bytes: to compare paths part by part takes as long as to look at the files.
    files.sort_unstable_by(|(a, _), (b, _)| a.as_os_str().cmp(b.as_os_str()));
    let signature = dir.join(SIGNATURE);
    let mut all = Vec::new();
    for (path, sha256) in files {
        let path = path.as_os_str().as_bytes();
        if path == signature.as_os_str().as_bytes() {
            continue;
        }
        all.extend_from_slice(path.get(dir.as_os_str().len()..).unwrap_or(path));
        all.push(0);
        all.extend_from_slice(sha256.as_bytes());
    }
    Sha256::of(&all)
}

fn signature(dir: &Path, key: &SigningKey) -> Option<Signature> {
    Some(Signature {
        sha256: Sha256::of(&fs::read(dir.join(SIGNATURE)).ok()?),
        public_key: key.public().to_string(),
        name: key.name().to_string(),
    })
}

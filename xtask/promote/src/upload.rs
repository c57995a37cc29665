//! Brings a release from this machine into an environment's store.

use crate::rollout::Upload;
use release::evidence::{self, EvidenceFolder, Verdict};
use release::signing::{Statement, Subject, Trust};
use release::store::{self, Store, StoreError, Uploaded};
use release::{Manifest, Release, ReleaseId, Releases, Sha256};
use std::path::{Path, PathBuf};

/// The releases that were built in a project's folder.
#[derive(Debug)]
pub struct LocalReleases {
    root: PathBuf,
    trust: Trust,
}

impl LocalReleases {
    /// Of the project at `root`, whose keys `trust` knows.
    pub fn new(root: &Path, trust: Trust) -> LocalReleases {
        LocalReleases { root: root.to_path_buf(), trust }
    }

    /// The release as it was built here, proved; `None` when it was not, or is no longer kept.
    fn proved(&self, id: &ReleaseId) -> Result<Option<Release>, StoreError> {
        let damaged = |reason: String| StoreError::Damaged { id: id.clone(), reason };
        let folder = Releases::of(&self.root).path_of(id);
        if !folder.is_dir() {
            return Ok(None);
        }
        let release = Release::open(&folder).map_err(|error| damaged(chain(error)))?;
        if release.manifest().id != *id {
            let found = &release.manifest().id;
            return Err(damaged(format!("expected it in {}, found {found}", folder.display())));
        }
        release.signer(&self.trust).map_err(|error| damaged(chain(error)))?;
        release.verify().map_err(|error| damaged(chain(error)))?;
        Ok(Some(release))
    }

    /// Copies what the steps of `ci` left about a release. What is in the store is replaced only by what
    /// can be believed.
    fn copy_evidence(&self, store: &dyn Store, release: &Release) -> Result<(), StoreError> {
        let id = &release.manifest().id;
        let documents = EvidenceFolder::of(&self.root, id).read_all().map_err(|error| {
            StoreError::Io { action: error.action, place: error.path, source: error.source }
        })?;
        let sha256 = release.manifest_sha256();
        for checked in evidence::check(&documents, &[], &self.trust, id, sha256) {
            let is_believed = matches!(checked.verdict, Verdict::Passed | Verdict::Failed { .. });
            let Some((step, text)) = documents.iter().find(|(step, _)| *step == checked.step)
            else {
                continue;
            };
            let key = store::evidence(id, step);
            match store.read(&key)? {
                None => store.create(&key, text.as_bytes()).map(drop)?,
                Some(stored) if is_believed && stored.bytes != text.as_bytes() => {
                    store.replace(&key, text.as_bytes(), &stored.etag).map(drop)?;
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// A release that is in the store already: whole, and signed.
    fn known(&self, store: &dyn Store, id: &ReleaseId) -> Result<Uploaded, StoreError> {
        let damaged = |reason: String| StoreError::Damaged { id: id.clone(), reason };
        let manifest = store::stored_manifest(store, id)?;
        let bytes =
            store.read(&store::manifest(id))?.map(|stored| stored.bytes).unwrap_or_default();
        let signature = store.read(&store::signature(id))?;
        let signature = signature.ok_or_else(|| damaged("it has no signature".to_owned()))?;
        let statement = Statement {
            subject: Subject::Manifest,
            release: id,
            manifest_sha256: Sha256::of(&bytes),
        };
        let signature = String::from_utf8_lossy(&signature.bytes);
        self.trust.verify(&signature, &bytes, &statement).map_err(|error| damaged(chain(error)))?;
        whole(store, &manifest)?;
        Ok(Uploaded { known_files: contents(&manifest).count(), ..Uploaded::default() })
    }
}

impl Upload for LocalReleases {
    fn upload(&self, store: &dyn Store, id: &ReleaseId) -> Result<Uploaded, StoreError> {
        let problem = match self.proved(id) {
            Ok(Some(release)) => {
                // Before the manifest: with that, the release is there for all.
                self.copy_evidence(store, &release)?;
                return store::upload(store, &release);
            }
            Ok(None) => None,
            Err(error) => Some(error),
        };
        match (self.known(store, id), problem) {
            (Ok(known), _) => Ok(known),
            // That it is damaged here tells more than that it is not there.
            (Err(StoreError::NoRelease { .. }), Some(problem)) => Err(problem),
            (Err(error), _) => Err(error),
        }
    }
}

/// Whether the store has a release, and all that belongs to it.
///
/// # Errors
/// [`StoreError::NoRelease`], [`StoreError::Damaged`] when it has not, and when the store cannot be read.
pub fn held(store: &dyn Store, id: &ReleaseId) -> Result<(), StoreError> {
    whole(store, &store::stored_manifest(store, id)?)
}

/// Whether the store has every file that a manifest lists; whether they are what it says is proved where
/// they are loaded.
///
/// # Errors
/// [`StoreError::Damaged`] with the first that is missing.
fn whole(store: &dyn Store, manifest: &Manifest) -> Result<(), StoreError> {
    for (path, size, sha256) in contents(manifest) {
        let key = store::blob(&sha256);
        if !store.has(&key, size)? {
            let reason = format!("{path} is missing: expected {size} bytes in {key}");
            return Err(StoreError::Damaged { id: manifest.id.clone(), reason });
        }
    }
    Ok(())
}

/// Every file that a manifest lists: path, size in bytes, digest.
fn contents(manifest: &Manifest) -> impl Iterator<Item = (&str, u64, Sha256)> {
    let files = manifest.files.iter().flat_map(|file| {
        let variants = file.variants.iter();
        let variants =
            variants.map(|variant| (variant.path.as_str(), variant.size_bytes, variant.sha256));
        std::iter::once((file.path.as_str(), file.size_bytes, file.sha256)).chain(variants)
    });
    let server = manifest.server.iter();
    files.chain(server.map(|server| (server.path.as_str(), server.size_bytes, server.sha256)))
}

/// An error with its causes, in one line.
fn chain(error: impl std::error::Error + Send + Sync + 'static) -> String {
    format!("{:#}", anyhow::Error::from(error))
}

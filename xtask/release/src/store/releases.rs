//! Releases on their way into a store, and out of it.

use super::{Key, Store, StoreError, layout};
use crate::make::in_parallel;
use crate::{Manifest, Release, ReleaseError, ReleaseId, Sha256};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// Where a server's binary may be started, and its owner may write nothing.
const EXECUTABLE: u32 = 0o555;

/// What an upload came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Uploaded {
    /// Contents that the store did not have.
    pub new_files: usize,
    pub new_bytes: u64,
    /// Contents that it had, from this release or another.
    pub known_files: usize,
}

/// Brings a release into a store: contents first, then what describes them, the manifest last, so
/// that a release that the store lists is whole. Doing it again changes nothing.
///
/// # Errors
/// When a file cannot be read or written.
pub fn upload(store: &dyn Store, release: &Release) -> Result<Uploaded, StoreError> {
    let contents = contents(release);
    let put = in_parallel(&contents, |(sha256, (path, size))| {
        let key = layout::blob(sha256);
        if store.has(&key, *size)? {
            return Ok(None);
        }
        store.put_file(&key, path).map(|()| Some(*size))
    })?;
    let new: Vec<u64> = put.into_iter().flatten().collect();
    let uploaded = Uploaded {
        new_files: new.len(),
        new_bytes: new.iter().sum(),
        known_files: contents.len() - new.len(),
    };
    if uploaded.new_files > 0 {
        store.flush()?;
    }
    let id = &release.manifest().id;
    for (name, key) in
        [("manifest.sig", layout::signature(id)), ("manifest.json", layout::manifest(id))]
    {
        let path = release.dir().join(name);
        match fs::read(&path) {
            Ok(bytes) => write_once(store, &key, &bytes)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(StoreError::io("read", &path)(error)),
        }
    }
    Ok(uploaded)
}

/// A document that may have been written before, by this upload's earlier try or with another key.
fn write_once(store: &dyn Store, key: &Key, bytes: &[u8]) -> Result<(), StoreError> {
    match store.create(key, bytes) {
        Err(StoreError::Exists { .. }) => {}
        written => return written.map(|_| ()),
    }
    match store.read(key)? {
        Some(stored) if stored.bytes != bytes => {
            store.replace(key, bytes, &stored.etag).map(|_| ())
        }
        _ => Ok(()),
    }
}

/// The manifest of a release in a store.
///
/// # Errors
/// When there is no such release, or its manifest cannot be trusted.
pub fn stored_manifest(store: &dyn Store, id: &ReleaseId) -> Result<Manifest, StoreError> {
    let key = layout::manifest(id);
    let stored = store.read(&key)?.ok_or_else(|| StoreError::NoRelease { id: id.clone() })?;
    let manifest = Manifest::parse(&stored.bytes, Path::new(key.as_str()))
        .map_err(|error| StoreError::Damaged { id: id.clone(), reason: error.to_string() })?;
    if manifest.id != *id {
        let reason = format!("expected its manifest, found that of {}", manifest.id);
        return Err(StoreError::Damaged { id: id.clone(), reason });
    }
    Ok(manifest)
}

/// The ids of all releases that are whole in a store, sorted.
///
/// # Errors
/// When the store cannot be read.
pub fn stored_releases(store: &dyn Store) -> Result<Vec<ReleaseId>, StoreError> {
    let keys = store.list(&Key::plain("releases"))?;
    let manifests = keys.iter().filter(|key| key.name() == "manifest.json");
    Ok(manifests.filter_map(|key| key.as_str().split('/').nth(1)?.parse().ok()).collect())
}

/// Lays a release of a store out in a folder, as `build` would, and opens it. Its files are proved
/// when they are read; its server's binary is proved here. A folder that has the release is taken as
/// it is.
///
/// # Errors
/// When the release is not in the store, damaged there, or cannot be written here.
pub fn fetch(store: &dyn Store, id: &ReleaseId, folder: &Path) -> Result<Release, StoreError> {
    let damaged = |reason: String| StoreError::Damaged { id: id.clone(), reason };
    if let Ok(release) = Release::open(folder) {
        return Ok(release);
    }
    let manifest = stored_manifest(store, id)?;
    let above = folder.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(above).map_err(StoreError::io("create", above))?;
    let making = tempfile::Builder::new()
        .prefix(".fetching-")
        .tempdir_in(above)
        .map_err(StoreError::io("create a folder in", above))?;
    for (path, sha256) in site_files(&manifest) {
        if !lay_out(store, &layout::blob(&sha256), &making.path().join("site").join(path))? {
            return Err(damaged(format!("{path} is missing")));
        }
    }
    if let Some(server) = &manifest.server {
        use std::os::unix::fs::PermissionsExt;
        let path = making.path().join(&server.path);
        if !lay_out(store, &layout::blob(&server.sha256), &path)? {
            return Err(damaged(format!("{} is missing", server.path)));
        }
        Release::check(&path, server.size_bytes, server.sha256)
            .map_err(|error| damaged_blob(id, &server.sha256, &error))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(EXECUTABLE))
            .map_err(StoreError::io("make executable", &path))?;
    }
    for (name, key) in
        [("manifest.json", layout::manifest(id)), ("manifest.sig", layout::signature(id))]
    {
        if let Some(stored) = store.read(&key)? {
            let path = making.path().join(name);
            fs::write(&path, &stored.bytes).map_err(StoreError::io("write", &path))?;
        }
    }
    let made = making.keep();
    if let Err(error) = fs::rename(&made, folder) {
        // What was laid out for nothing goes; another may have been faster.
        fs::remove_dir_all(&made).ok();
        if !folder.is_dir() {
            return Err(StoreError::io("create", folder)(error));
        }
    }
    Release::open(folder).map_err(|error| damaged(error.to_string()))
}

/// Contents in a store that are not what their name says, and what helps: an upload takes what is there
/// for sound.
pub fn damaged_blob(id: &ReleaseId, sha256: &Sha256, error: &ReleaseError) -> StoreError {
    let key = layout::blob(sha256);
    let reason = format!("{error}; delete {key} there, and the next promotion brings it anew");
    StoreError::Damaged { id: id.clone(), reason }
}

/// Puts a copy of an object at a path; false when the store has none. Never a second name for the
/// store's own file: what is damaged there later would reach what was proved here.
fn lay_out(store: &dyn Store, key: &Key, path: &Path) -> Result<bool, StoreError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(StoreError::io("create", folder))?;
    if let Some(place) = store.place(key) {
        // The system's own copy: it shares blocks where the file system can.
        return match fs::copy(&place, path) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(StoreError::io("copy", &place)(error)),
        };
    }
    let Some(mut from) = store.open(key)? else { return Ok(false) };
    let mut into = File::create(path).map_err(StoreError::io("create", path))?;
    std::io::copy(&mut from, &mut into).map_err(StoreError::io("write", path))?;
    Ok(true)
}

fn site_files(manifest: &Manifest) -> impl Iterator<Item = (&str, Sha256)> {
    manifest.files.iter().flat_map(|file| {
        let variants = file.variants.iter().map(|variant| (variant.path.as_str(), variant.sha256));
        std::iter::once((file.path.as_str(), file.sha256)).chain(variants)
    })
}

/// All distinct contents of a release: digest, a file that has them, size.
fn contents(release: &Release) -> Vec<(Sha256, (PathBuf, u64))> {
    let manifest = release.manifest();
    let mut contents = BTreeMap::new();
    for file in &manifest.files {
        contents.insert(file.sha256, (release.site_path(&file.path), file.size_bytes));
        for variant in &file.variants {
            contents.insert(variant.sha256, (release.site_path(&variant.path), variant.size_bytes));
        }
    }
    if let (Some(server), Some(path)) = (&manifest.server, release.server_path()) {
        contents.insert(server.sha256, (path, server.size_bytes));
    }
    contents.into_iter().collect()
}

//! Making a release from what the project's build left: copied, proved, compressed, listed, and
//! only then given its name.
//!
//! Files are not flushed to the disk one by one: a release that a power cut tore is found by its
//! digests, and made again under the same name.

mod parallel;
mod reuse;
mod site;
mod variants;

pub use parallel::in_parallel;
pub use site::{Site, SiteError, SiteFile};
pub use variants::{COMPRESSION, MAX_COMPRESSED_BYTES};

use crate::open::{MANIFEST, SERVER, SITE};
use crate::provenance::Provenance;
use crate::signing::SigningKey;
use crate::{
    CacheClasses, Commit, Digester, Encoding, FileEntry, MANIFEST_VERSION, Manifest, Release,
    ReleaseDir, ReleaseError, ReleaseId, Releases, ServerEntry, Sha256, Variant, content_type,
    is_compressible,
};
use config::{Build, Config, Server};
use reuse::Earlier;
use std::collections::HashSet;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// What making a release came to.
#[derive(Debug)]
pub struct Made {
    pub dir: ReleaseDir,
    pub manifest: Manifest,
    /// Whether the release is new; `false` when a sound one with this id was there.
    pub is_new: bool,
    /// Files whose variants were taken over from an earlier release.
    pub reused_files: usize,
    /// Hidden files and folders that were left out.
    pub left_out: Vec<String>,
}

/// Why no release could be made.
#[derive(Debug, thiserror::Error)]
pub enum MakeError {
    #[error(transparent)]
    Site(#[from] SiteError),
    #[error(transparent)]
    Release(#[from] ReleaseError),
    #[error("the server {} is missing; [build.server].path names it{}", path.display(), left_by(.by.as_deref()))]
    NoServer { path: PathBuf, by: Option<String> },
    #[error("the server {} is not an executable file; [build.server].path names it", path.display())]
    NotExecutable { path: PathBuf },
    #[error("[headers]: {name:?} with the value {value:?} is not a header that HTTP can carry")]
    Header { name: String, value: String },
    #[error("failed to write the manifest")]
    Manifest(#[from] serde_json::Error),
}

fn left_by(by: Option<&str>) -> String {
    by.map(|command| format!(", and `{command}` should have left it")).unwrap_or_default()
}

/// Makes the release of the project at `root` from what its build left, and makes `latest` name it.
/// Nobody signs it: see [`make_signed`].
///
/// # Errors
/// When the site or the server is not there or cannot be published, or the release not be written.
pub fn make(
    root: &Path,
    config: &Config,
    build: &Build,
    commit: Option<Commit>,
) -> Result<Made, MakeError> {
    make_with(root, config, build, commit, None)
}

/// Makes the release as [`make`] does, and signs it before it gets its name. A sound release that
/// is there already keeps its signature if this key made it.
///
/// # Errors
/// Those of [`make`], and when it cannot be signed.
pub fn make_signed(
    root: &Path,
    config: &Config,
    build: &Build,
    commit: Option<Commit>,
    key: &SigningKey,
) -> Result<Made, MakeError> {
    make_with(root, config, build, commit, Some(key))
}

fn make_with(
    root: &Path,
    config: &Config,
    build: &Build,
    commit: Option<Commit>,
    key: Option<&SigningKey>,
) -> Result<Made, MakeError> {
    check_headers(config)?;
    let site = Site::scan(root, build)?;
    let releases = Releases::of(root);
    let folder = releases.start()?;
    let paths: Vec<&str> = site.files.iter().map(|file| file.path.as_str()).collect();
    let work = Work {
        folder: folder.path(),
        earlier: Earlier::index(&releases)?,
        taken: taken(&site.files),
        classes: CacheClasses::of_site(&paths),
        reused_files: AtomicUsize::new(0),
    };
    let files = work.files(&site.files)?;
    let server = build.server.as_ref();
    let server = server.map(|server| work.server(root, server, build)).transpose()?;
    let reused_files = work.reused_files.into_inner();
    let Provenance { toolchain, lockfiles } = Provenance::of(root)?;
    let mut manifest = Manifest {
        version: MANIFEST_VERSION,
        id: ReleaseId::new(None, &Sha256::of(b"")),
        project: config.project.name.clone(),
        has_uncommitted_changes: commit.as_ref().is_some_and(|it| it.has_uncommitted_changes),
        created: commit.as_ref().map(|commit| commit.date.clone()),
        commit: commit.map(|commit| commit.hash),
        toolchain,
        lockfiles,
        compression: COMPRESSION.to_owned(),
        headers: config.headers.clone(),
        server,
        files,
    };
    manifest.id = manifest.contents_id()?;
    write_synced(&folder.path().join(MANIFEST), manifest.to_json()?.as_bytes())?;
    // A temporary folder is private; a release may be read by whoever may read the checkout.
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))
        .map_err(ReleaseError::io("open up", folder.path()))?;
    if let Some(key) = key {
        Release::open(folder.path())?.sign(key)?;
    }
    let is_new = releases.publish(folder, &manifest.id)?;
    if let Some(key) = key.filter(|_| !is_new) {
        Release::open(&releases.path_of(&manifest.id))?.sign(key)?;
    }
    releases.point_to(&manifest.id)?;
    let dir = ReleaseDir { id: manifest.id.clone(), path: releases.path_of(&manifest.id) };
    Ok(Made { dir, manifest, is_new, reused_files, left_out: site.left_out })
}

/// Names that are files or folders of the site itself, and so not free for a variant.
fn taken(files: &[SiteFile]) -> HashSet<&str> {
    let mut taken = HashSet::new();
    for file in files {
        taken.insert(file.path.as_str());
        taken.extend(file.path.match_indices('/').map(|(at, _)| &file.path[..at]));
    }
    taken
}

/// A policy that the edge could not send must not become part of a release.
fn check_headers(config: &Config) -> Result<(), MakeError> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let is_visible = |byte: u8| byte == b'\t' || (b' '..=b'~').contains(&byte);
    for (name, value) in &config.headers {
        if name.is_empty() || !name.bytes().all(is_token) || !value.bytes().all(is_visible) {
            return Err(MakeError::Header { name: name.clone(), value: value.clone() });
        }
    }
    Ok(())
}

struct Work<'a> {
    folder: &'a Path,
    earlier: Earlier,
    taken: HashSet<&'a str>,
    classes: CacheClasses,
    reused_files: AtomicUsize,
}

impl Work<'_> {
    fn files(&self, files: &[SiteFile]) -> Result<Vec<FileEntry>, ReleaseError> {
        // The largest first, so that none of them is begun when all others are done.
        let mut largest_first: Vec<&SiteFile> = files.iter().collect();
        largest_first.sort_by_key(|file| std::cmp::Reverse(file.size_bytes));
        let mut entries = in_parallel(&largest_first, |file| self.file(file))?;
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(entries)
    }

    fn file(&self, file: &SiteFile) -> Result<FileEntry, ReleaseError> {
        let target = self.folder.join(SITE).join(&file.path);
        let folder = target.parent().unwrap_or(self.folder);
        fs::create_dir_all(folder).map_err(ReleaseError::io("create", folder))?;
        let entry = |sha256, size_bytes, content_type, variants| FileEntry {
            path: file.path.clone(),
            size_bytes,
            sha256,
            content_type,
            cache: self.classes.class(&file.path),
            variants,
        };
        if file.size_bytes > MAX_COMPRESSED_BYTES {
            let (sha256, size_bytes) = copy(&file.source, &target)?;
            // Not read whole, so not known to be UTF-8 throughout.
            return Ok(entry(sha256, size_bytes, content_type(&file.path, false), Vec::new()));
        }
        let contents = fs::read(&file.source).map_err(ReleaseError::io("read", &file.source))?;
        write(&target, &contents)?;
        let sha256 = Sha256::of(&contents);
        let kind = content_type(&file.path, std::str::from_utf8(&contents).is_ok());
        let variants = if is_compressible(&kind) {
            self.variants(&file.path, &contents, sha256)?
        } else {
            Vec::new()
        };
        Ok(entry(sha256, contents.len() as u64, kind, variants))
    }

    fn variants(
        &self,
        path: &str,
        contents: &[u8],
        sha256: Sha256,
    ) -> Result<Vec<Variant>, ReleaseError> {
        let encoded: Vec<(Encoding, Vec<u8>)> = match self.earlier.variants_of(sha256) {
            Some(earlier) => {
                self.reused_files.fetch_add(1, Ordering::Relaxed);
                earlier.into_iter().map(|(variant, bytes)| (variant.encoding, bytes)).collect()
            }
            None => {
                let source = Path::new(path);
                let mut encoded = Vec::new();
                for encoding in Encoding::ALL {
                    let bytes = variants::encode(encoding, contents)
                        .map_err(ReleaseError::io("compress", source))?;
                    encoded.extend(bytes.map(|bytes| (encoding, bytes)));
                }
                encoded
            }
        };
        let mut variants = Vec::new();
        for (encoding, bytes) in encoded {
            let path = format!("{path}.{}", encoding.extension());
            if self.taken.contains(path.as_str()) {
                continue;
            }
            write(&self.folder.join(SITE).join(&path), &bytes)?;
            let (size_bytes, sha256) = (bytes.len() as u64, Sha256::of(&bytes));
            variants.push(Variant { encoding, path, size_bytes, sha256 });
        }
        Ok(variants)
    }

    /// Copies the server's binary. Its mode becomes 0755: whether it can be run is what matters, and
    /// the rest is the accident of a umask that must not change the release.
    fn server(
        &self,
        root: &Path,
        server: &Server,
        build: &Build,
    ) -> Result<ServerEntry, MakeError> {
        let source = root.join(&server.path);
        let Ok(metadata) = fs::metadata(&source) else {
            return Err(MakeError::NoServer { path: (&server.path).into(), by: build.run.clone() });
        };
        let name = source.file_name().and_then(|name| name.to_str());
        let (true, Some(name)) =
            (metadata.is_file() && metadata.permissions().mode() & 0o111 != 0, name)
        else {
            return Err(MakeError::NotExecutable { path: (&server.path).into() });
        };
        let folder = self.folder.join(SERVER);
        fs::create_dir_all(&folder).map_err(ReleaseError::io("create", &folder))?;
        let target = folder.join(name);
        let (sha256, size_bytes) = copy(&source, &target)?;
        fs::set_permissions(&target, fs::Permissions::from_mode(0o755))
            .map_err(ReleaseError::io("make executable", &target))?;
        Ok(ServerEntry {
            path: format!("{SERVER}/{name}"),
            size_bytes,
            sha256,
            args: server.args.clone(),
            env: server.env.clone(),
            ready: server.ready.clone(),
            listen_env: server.listen_env.clone(),
            schema: server.schema,
        })
    }
}

fn write(path: &Path, contents: &[u8]) -> Result<(), ReleaseError> {
    fs::write(path, contents).map_err(ReleaseError::io("write", path))
}

fn write_synced(path: &Path, contents: &[u8]) -> Result<(), ReleaseError> {
    File::create(path)
        .and_then(|mut file| {
            file.write_all(contents)?;
            file.sync_all()
        })
        .map_err(ReleaseError::io("write", path))
}

/// Copies a file and gives the digest and the size of the very bytes that were copied.
fn copy(source: &Path, target: &Path) -> Result<(Sha256, u64), ReleaseError> {
    let from = File::open(source).map_err(ReleaseError::io("open", source))?;
    let to = File::create(target).map_err(ReleaseError::io("create", target))?;
    let mut digester = Digester::new(to);
    digester.copy_from(from).map_err(ReleaseError::io("copy", source))?;
    Ok(digester.finish())
}

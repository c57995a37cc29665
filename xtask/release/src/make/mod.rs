//! Making a release from what the project's build left: copied, proved, compressed, listed, and
//! only then given its name.
//!
//! Files are not flushed to the disk one by one: a release that a power cut tore is found by its
//! digests, and made again under the same name.

mod assemble;
pub(crate) mod crash;
mod known;
mod layout;
mod outgoing;
mod parallel;
mod reuse;
mod site;
mod unchanged;
mod variants;

pub use parallel::in_parallel;
pub use site::{Site, SiteError, SiteFile};
pub use variants::{COMPRESSION, MAX_COMPRESSED_BYTES};

use crate::open::MANIFEST;
use crate::provenance::Provenance;
use crate::signing::SigningKey;
use crate::{
    Commit, Encoding, FileEntry, MANIFEST_VERSION, Manifest, Release, ReleaseDir, ReleaseError,
    ReleaseId, Releases, ServerEntry, Sha256,
};
use assemble::Assembly;
use config::{Build, Config, Server};
use inputs::Stamp;
use known::Known;
use layout::Layout;
use outgoing::Outgoing;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use unchanged::{Memo, Surroundings};

/// What making a release came to.
#[derive(Debug)]
pub struct Made {
    pub dir: ReleaseDir,
    pub sizes: Sizes,
    /// Whether the release is new; `false` when a sound one with this id was there.
    pub is_new: bool,
    /// Files that were taken over from an earlier release, with their variants.
    pub reused_files: usize,
    /// The oldest release, if it made way for this one.
    pub outgoing: Option<ReleaseId>,
    /// Hidden files and folders that were left out.
    pub left_out: Vec<String>,
}

/// How much a release holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sizes {
    pub files: usize,
    /// Of the static files, as they are.
    pub site_bytes: u64,
    /// What travels when every file is asked for once as gzip, or as brotli.
    pub gzip_bytes: u64,
    pub brotli_bytes: u64,
    pub server_bytes: Option<u64>,
}

/// The server's binary, as the project's build left it.
#[derive(Debug)]
struct ServerFile {
    name: String,
    source: PathBuf,
    sha256: Sha256,
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
    let releases = Releases::of(root);
    let mut known = Known::load(root, &releases);
    let site = Site::scan(root, build)?;
    let digests = in_parallel(&site.files, |file| known.digest(&file.source, &file.stamp))?;
    let server = build.server.as_ref();
    let server_file = server.map(|server| find_server(root, server, build, &known)).transpose()?;
    let provenance = Provenance::of(root)?;
    let of = unchanged::digest_of(
        &Surroundings {
            config,
            commit: commit.as_ref(),
            provenance: &provenance,
            server: server_file.as_ref().map(|server| server.sha256),
        },
        site.files.iter().map(|file| file.path.as_str()).zip(digests.iter().copied()),
    )?;
    if let Some(memo) = Memo::load(root).filter(|memo| memo.is_of(of, &releases, &known)) {
        return again(root, memo, site, (&releases, known), key);
    }

    // The oldest release offers its folder and no contents: it may be gone when those are needed.
    let outgoing = Outgoing::of(&releases);
    let mut earlier = releases.list()?;
    earlier.retain(|release| outgoing.as_ref().is_none_or(|it| it.dir != *release));
    let making = releases.start()?;
    let aside = making.path().join("contents");
    fs::create_dir(&aside).map_err(ReleaseError::io("create", &aside))?;
    let earlier = (earlier, outgoing.as_ref());
    let assembly = Assembly::new(&aside, &site.files, &digests, earlier, &known);
    let (files, mut names) = assembly.files(&site.files, &digests)?;
    let server = server.zip(server_file.as_ref());
    let server = server.map(|(server, file)| assembly.server(file, server)).transpose()?;
    let server = server.map(|(entry, name)| {
        names.push(name);
        entry
    });
    let manifest = manifest(config, commit, provenance, server, files)?;
    let id = manifest.id.clone();
    let sizes = Sizes::of(&manifest);
    let json = manifest.to_json()?;

    let prove = |release: &Release| known.verify(release);
    let folder = making.path().join("release");
    let mut release = Release::written(&folder, manifest, json.as_bytes());
    let path = releases.path_of(&id);
    let mut made = Made {
        is_new: !releases.has_sound(&id, prove),
        dir: ReleaseDir { path: path.clone(), id },
        sizes,
        reused_files: assembly.reused_files(),
        outgoing: None,
        left_out: site.left_out.clone(),
    };
    let mut layout = Layout::default();
    if made.is_new {
        let moved = outgoing.as_ref().filter(|it| it.move_to(&folder, &releases));
        if moved.is_none() {
            assembly.prove_base(&names)?;
            fs::create_dir(&folder).map_err(ReleaseError::io("create", &folder))?;
        }
        made.outgoing = moved.map(|it| it.dir.id.clone());
        layout = Layout::plan(&names, moved.map(|it| (it, &known)));
        layout.carry_out(&folder, assembly.base())?;
        write_synced(&folder.join(MANIFEST), json.as_bytes())?;
        crash::point();
        // Whoever may read the checkout may read the release.
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755))
            .map_err(ReleaseError::io("open up", &folder))?;
        if let Some(key) = key {
            release.sign(key)?;
        }
        made.is_new = releases.publish(&folder, &made.dir.id, prove)?;
    }
    crash::point();
    if made.is_new {
        release.moved_to(&path);
    } else {
        release = Release::open(&path)?;
        if let Some(key) = key {
            release.sign(key)?;
        }
    }
    releases.renew(&made.dir.id)?;
    // One that was there already was proved, and is known by that.
    crash::point();
    known.learn_written(&release, |inside| !made.is_new || layout.keeps(inside))?;
    Memo::new(of, &release, made.sizes.clone()).save(root, &releases, key);
    crash::point();
    let listed = release.listed();
    let of_release = listed.iter().map(|(path, ..)| path.as_path());
    let of_site = site.files.iter().map(|file| file.source.as_path());
    let of_server = server_file.iter().map(|server| server.source.as_path());
    known.save(Some(of_release.chain(of_site).chain(of_server)));
    Ok(made)
}

/// The release that the last build made of the very same.
fn again(
    root: &Path,
    memo: Memo,
    site: Site,
    (releases, known): (&Releases, Known),
    key: Option<&SigningKey>,
) -> Result<Made, MakeError> {
    let path = releases.path_of(&memo.id);
    let made = Made {
        dir: ReleaseDir { id: memo.id.clone(), path },
        sizes: memo.sizes.clone(),
        is_new: false,
        reused_files: site.files.len(),
        outgoing: None,
        left_out: site.left_out,
    };
    if let Some(key) = key.filter(|key| !memo.is_signed_by(key, releases))
        && Release::open(&made.dir.path)?.sign(key)?
    {
        memo.save(root, releases, Some(key));
    }
    releases.renew(&made.dir.id)?;
    if known.has_learnt() {
        known.save(None::<std::iter::Empty<&Path>>);
    }
    Ok(made)
}

/// The manifest of these files and this server, with the id that it gives.
fn manifest(
    config: &Config,
    commit: Option<Commit>,
    provenance: Provenance,
    server: Option<ServerEntry>,
    files: Vec<FileEntry>,
) -> Result<Manifest, serde_json::Error> {
    let mut manifest = Manifest {
        version: MANIFEST_VERSION,
        id: ReleaseId::new(None, &Sha256::of(b"")),
        project: config.project.name.clone(),
        has_uncommitted_changes: commit.as_ref().is_some_and(|it| it.has_uncommitted_changes),
        created: commit.as_ref().map(|commit| commit.date.clone()),
        commit: commit.map(|commit| commit.hash),
        toolchain: provenance.toolchain,
        lockfiles: provenance.lockfiles,
        compression: COMPRESSION.to_owned(),
        headers: config.headers.clone(),
        server,
        files,
    };
    manifest.id = manifest.contents_id()?;
    Ok(manifest)
}

impl Sizes {
    fn of(manifest: &Manifest) -> Sizes {
        Sizes {
            files: manifest.files.len(),
            site_bytes: manifest.transfer_bytes(None),
            gzip_bytes: manifest.transfer_bytes(Some(Encoding::Gzip)),
            brotli_bytes: manifest.transfer_bytes(Some(Encoding::Br)),
            server_bytes: manifest.server.as_ref().map(|server| server.size_bytes),
        }
    }
}

fn find_server(
    root: &Path,
    server: &Server,
    build: &Build,
    known: &Known,
) -> Result<ServerFile, MakeError> {
    let source = root.join(&server.path);
    let Ok(source) = fs::canonicalize(&source) else {
        return Err(MakeError::NoServer { path: (&server.path).into(), by: build.run.clone() });
    };
    let metadata = fs::metadata(&source).map_err(ReleaseError::io("look at", &source))?;
    let name = Path::new(&server.path).file_name().and_then(|name| name.to_str());
    let (true, Some(name)) =
        (metadata.is_file() && metadata.permissions().mode() & 0o111 != 0, name)
    else {
        return Err(MakeError::NotExecutable { path: (&server.path).into() });
    };
    let sha256 = known.digest(&source, &Stamp::of(&metadata))?;
    Ok(ServerFile { name: name.to_owned(), source, sha256 })
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

fn write_synced(path: &Path, contents: &[u8]) -> Result<(), ReleaseError> {
    File::create_new(path)
        .and_then(|mut file| {
            file.write_all(contents)?;
            file.sync_all()
        })
        .map_err(ReleaseError::io("write", path))
}

#[cfg(test)]
#[path = "outgoing_tests.rs"]
mod tests;

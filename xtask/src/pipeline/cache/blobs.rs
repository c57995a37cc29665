//! Contents, each kept once under its own digest.

use crate::pipeline::fingerprint::hex;
use anyhow::Context;
use inputs::Digest;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// The folder of blobs, and the one for what is being written.
#[derive(Debug)]
pub struct Blobs {
    folder: PathBuf,
    partial: PathBuf,
}

impl Blobs {
    pub fn new(cache: &Path) -> Blobs {
        Blobs { folder: cache.join("blobs"), partial: cache.join("partial") }
    }

    /// Where files are that are not whole yet. Whoever prunes is alone, and may empty it.
    pub fn partial(&self) -> &Path {
        &self.partial
    }

    /// The path of a blob: 256 folders, so that none grows large.
    pub fn path(&self, digest: &Digest) -> PathBuf {
        let name = hex(digest);
        self.folder.join(&name[..2]).join(&name[2..])
    }

    /// A file that vanishes with its handle unless it is renamed.
    pub fn temporary(&self, mode: u32) -> io::Result<NamedTempFile> {
        use std::os::unix::fs::PermissionsExt;
        fs::create_dir_all(&self.partial)?;
        tempfile::Builder::new()
            .permissions(fs::Permissions::from_mode(mode))
            .tempfile_in(&self.partial)
    }

    /// Keeps bytes; gives their digest and how many bytes the cache has grown by.
    pub fn put(&self, bytes: &[u8]) -> io::Result<(Digest, u64)> {
        let digest = *blake3::hash(bytes).as_bytes();
        let size_bytes = bytes.len() as u64;
        if self.has(&digest, size_bytes) {
            return Ok((digest, 0));
        }
        let mut temporary = self.temporary(0o644)?;
        temporary.write_all(bytes)?;
        self.persist(temporary, &digest)?;
        Ok((digest, size_bytes))
    }

    /// Keeps the content of a file that has this digest; gives its size and how many bytes the
    /// cache has grown by.
    pub fn put_file(&self, path: &Path, digest: &Digest) -> anyhow::Result<(u64, u64)> {
        let size_bytes = fs::symlink_metadata(path)?.len();
        if self.has(digest, size_bytes) {
            return Ok((size_bytes, 0));
        }
        let mut temporary = self.temporary(0o644)?;
        let (copied, size_bytes) = inputs::copy_hashed(path, &mut temporary)?;
        anyhow::ensure!(copied == *digest, "{} changed while it was read", path.display());
        self.persist(temporary, digest)?;
        Ok((size_bytes, size_bytes))
    }

    /// Whether a blob is there, by its size. One that is damaged all the same is found out, and
    /// removed, when it is replayed.
    fn has(&self, digest: &Digest, size_bytes: u64) -> bool {
        fs::metadata(self.path(digest)).is_ok_and(|metadata| metadata.len() == size_bytes)
    }

    fn persist(&self, temporary: NamedTempFile, digest: &Digest) -> io::Result<()> {
        let path = self.path(digest);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        temporary.persist(path).map_err(|error| error.error)?;
        Ok(())
    }

    /// Copies a blob, and says whether it is what its name says; a damaged one is removed, so that
    /// the next store writes it anew.
    pub fn copy_to(&self, digest: &Digest, into: &mut impl Write) -> anyhow::Result<()> {
        let path = self.path(digest);
        let (found, _) = inputs::copy_hashed(&path, into)
            .with_context(|| format!("failed to read {}", path.display()))?;
        if found != *digest {
            let _ = fs::remove_file(&path);
            anyhow::bail!("{} is damaged", path.display());
        }
        Ok(())
    }

    /// All blobs: path, name (hex of the digest), size.
    pub fn list(&self) -> anyhow::Result<Vec<(PathBuf, String, u64)>> {
        let mut blobs = Vec::new();
        for shard in list_folder(&self.folder)? {
            if !shard.file_type()?.is_dir() {
                continue;
            }
            for blob in list_folder(&shard.path())? {
                let name = [shard.file_name(), blob.file_name()]
                    .map(|name| name.to_string_lossy().into_owned());
                blobs.push((blob.path(), name.concat(), blob.metadata()?.len()));
            }
        }
        Ok(blobs)
    }
}

/// The entries of a folder, none when it is not there.
pub fn list_folder(folder: &Path) -> anyhow::Result<Vec<fs::DirEntry>> {
    match fs::read_dir(folder) {
        Ok(entries) => entries.collect::<Result<_, _>>().map_err(anyhow::Error::from),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
    .with_context(|| format!("failed to read the folder {}", folder.display()))
}

/// Writes a small file as a whole or not at all.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let write = || -> io::Result<()> {
        let folder = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let mut temporary = tempfile::Builder::new().prefix(".partial-").tempfile_in(folder)?;
        temporary.write_all(bytes)?;
        temporary.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    write().with_context(|| format!("failed to write {}", path.display()))
}

/// Reads a file, `None` when there is none.
pub fn read_if_there(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match File::open(path) {
        Ok(mut file) => {
            let mut bytes = Vec::new();
            io::Read::read_to_end(&mut file, &mut bytes)?;
            Ok(Some(bytes))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

//! A store that is a folder.
//!
//! A document is written beside its place and gets its name in one step: by a link when it must not
//! be there yet, by a rename when it takes another's place. Replacing holds a lock on a file of the
//! store, which the system lets go of when a process dies.
//!
//! On a full disk a bad release could not be taken back, for that has to be written down. So some space
//! is kept for it, by a file that is deleted then.

use super::layout::moves_traffic;
use super::{Etag, Key, MAX_DOCUMENT_BYTES, Store, StoreError, Stored};
use crate::Sha256;
use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// Where objects are that are not whole yet.
const PARTIAL: &str = ".partial";

/// Held while a document is replaced.
const LOCK: &str = ".lock";

/// Gives its space to the documents that move traffic.
const RESERVE: &str = ".reserve";

/// A dozen documents, each of which takes a block or two.
const RESERVE_BYTES: usize = 64 * 1024;

/// Readable by whoever the edge runs as: a store holds nothing secret.
const MODE: u32 = 0o644;

/// A folder that holds a store.
#[derive(Debug, Clone)]
pub struct Directory {
    root: PathBuf,
}

impl Directory {
    /// The store in a folder. It is made by the first write.
    pub fn new(root: impl Into<PathBuf>) -> Directory {
        Directory { root: root.into() }
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    fn path(&self, key: &Key) -> PathBuf {
        self.root.join(key.as_str())
    }

    fn partial(&self) -> Result<NamedTempFile, StoreError> {
        let folder = self.root.join(PARTIAL);
        fs::create_dir_all(&folder).map_err(StoreError::io("create", &folder))?;
        tempfile::Builder::new()
            .permissions(fs::Permissions::from_mode(MODE))
            .tempfile_in(&folder)
            .map_err(StoreError::io("create a file in", &folder))
    }

    /// A whole, durable document without its name.
    fn written(&self, key: &Key, bytes: &[u8]) -> Result<NamedTempFile, StoreError> {
        match self.write(bytes) {
            Err(StoreError::Io { source, .. })
                if is_full(&source)
                    && moves_traffic(key)
                    && fs::remove_file(self.root.join(RESERVE)).is_ok() =>
            {
                self.write(bytes)
            }
            written => written,
        }
    }

    /// Keeps space for later, as long as there is enough.
    fn keep_reserve(&self) {
        let path = self.root.join(RESERVE);
        if path.exists() {
            return;
        }
        // Nothing that a file system would not store at all.
        let digest = |number: u64| Sha256::of(&number.to_be_bytes()).to_string().into_bytes();
        let bytes: Vec<u8> = (0..).flat_map(digest).take(RESERVE_BYTES).collect();
        if fs::write(&path, bytes).is_err() {
            fs::remove_file(&path).ok();
        }
    }

    fn write(&self, bytes: &[u8]) -> Result<NamedTempFile, StoreError> {
        let mut partial = self.partial()?;
        partial
            .write_all(bytes)
            .and_then(|()| partial.as_file().sync_all())
            .map_err(StoreError::io("write", partial.path()))?;
        Ok(partial)
    }

    /// The folder that a key's object is in, made durably.
    fn folder(&self, path: &Path) -> Result<PathBuf, StoreError> {
        let folder = path.parent().unwrap_or(&self.root).to_path_buf();
        if !folder.is_dir() {
            fs::create_dir_all(&folder).map_err(StoreError::io("create", &folder))?;
            let above = folder.parent().unwrap_or(&self.root);
            sync(above)?;
        }
        Ok(folder)
    }

    fn lock(&self) -> Result<File, StoreError> {
        let path = self.root.join(LOCK);
        fs::create_dir_all(&self.root).map_err(StoreError::io("create", &self.root))?;
        let file = File::options()
            .create(true)
            .append(true)
            .open(&path)
            .map_err(StoreError::io("open", &path))?;
        file.lock().map_err(StoreError::io("lock", &path))?;
        Ok(file)
    }

    fn walk(&self, folder: &Path, into: &mut Vec<Key>) -> Result<(), StoreError> {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if is_absent(&error) => return Ok(()),
            Err(error) => return Err(StoreError::io("list", folder)(error)),
        };
        for entry in entries {
            let path = entry.map_err(StoreError::io("list", folder))?.path();
            if path.is_dir() {
                self.walk(&path, into)?;
            } else if let Some(key) = self.key(&path) {
                into.push(key);
            }
        }
        Ok(())
    }

    /// The key of a path; `None` for what is no object.
    fn key(&self, path: &Path) -> Option<Key> {
        path.strip_prefix(&self.root).ok()?.to_str()?.parse().ok()
    }
}

impl Store for Directory {
    fn read(&self, key: &Key) -> Result<Option<Stored>, StoreError> {
        let path = self.path(key);
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if is_absent(&error) => return Ok(None),
            Err(error) => return Err(StoreError::io("read", &path)(error)),
        };
        let size = file.metadata().map_err(StoreError::io("look at", &path))?.len();
        if size > MAX_DOCUMENT_BYTES {
            return Err(StoreError::TooLarge { place: path, found: size });
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(StoreError::io("read", &path))?;
        let etag = Etag::of(&bytes);
        Ok(Some(Stored { bytes, etag }))
    }

    fn create(&self, key: &Key, bytes: &[u8]) -> Result<Etag, StoreError> {
        let path = self.path(key);
        let folder = self.folder(&path)?;
        if path.exists() {
            return Err(StoreError::Exists { key: key.clone() });
        }
        let partial = self.written(key, bytes)?;
        match partial.persist_noclobber(&path) {
            Ok(_) => {}
            Err(error) if error.error.kind() == ErrorKind::AlreadyExists => {
                return Err(StoreError::Exists { key: key.clone() });
            }
            Err(error) => return Err(StoreError::io("create", &path)(error.error)),
        }
        sync(&folder)?;
        Ok(Etag::of(bytes))
    }

    fn replace(&self, key: &Key, bytes: &[u8], seen: &Etag) -> Result<Etag, StoreError> {
        let path = self.path(key);
        let folder = self.folder(&path)?;
        let partial = self.written(key, bytes)?;
        let _lock = self.lock()?;
        if self.read(key)?.is_none_or(|stored| stored.etag != *seen) {
            return Err(StoreError::Changed { key: key.clone() });
        }
        partial.persist(&path).map_err(|error| StoreError::io("replace", &path)(error.error))?;
        sync(&folder)?;
        Ok(Etag::of(bytes))
    }

    fn delete(&self, key: &Key) -> Result<(), StoreError> {
        let path = self.path(key);
        if !path.exists() {
            // Nor is a store made only to take its lock.
            return Ok(());
        }
        // Not while another replaces it: that one would bring it back unseen.
        let _lock = self.lock()?;
        match fs::remove_file(&path) {
            Ok(()) => sync(path.parent().unwrap_or(&self.root)),
            Err(error) if is_absent(&error) => Ok(()),
            Err(error) => Err(StoreError::io("delete", &path)(error)),
        }
    }

    fn list(&self, prefix: &Key) -> Result<Vec<Key>, StoreError> {
        let mut keys = Vec::new();
        self.walk(&self.path(prefix), &mut keys)?;
        keys.sort_unstable();
        Ok(keys)
    }

    fn has(&self, key: &Key, size_bytes: u64) -> Result<bool, StoreError> {
        let path = self.path(key);
        match fs::symlink_metadata(&path) {
            Ok(metadata) => Ok(metadata.is_file() && metadata.len() == size_bytes),
            Err(error) if is_absent(&error) => Ok(false),
            Err(error) => Err(StoreError::io("look at", &path)(error)),
        }
    }

    fn put_file(&self, key: &Key, file: &Path) -> Result<(), StoreError> {
        let path = self.path(key);
        self.folder(&path)?;
        let mut partial = self.partial()?;
        let mut from = File::open(file).map_err(StoreError::io("read", file))?;
        std::io::copy(&mut from, partial.as_file_mut()).map_err(StoreError::io("write", &path))?;
        partial.persist(&path).map_err(|error| StoreError::io("create", &path)(error.error))?;
        Ok(())
    }

    fn open(&self, key: &Key) -> Result<Option<Box<dyn Read + Send>>, StoreError> {
        let path = self.path(key);
        match File::open(&path) {
            Ok(file) => Ok(Some(Box::new(file))),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(StoreError::io("read", &path)(error)),
        }
    }

    fn place(&self, key: &Key) -> Option<PathBuf> {
        Some(self.path(key))
    }

    fn flush(&self) -> Result<(), StoreError> {
        // What was put is about to be routed to, and may have to be taken back.
        self.keep_reserve();
        let root = File::open(&self.root).map_err(StoreError::io("open", &self.root))?;
        // One call for thousands of files, where syncing each would wait for the disk each time.
        rustix::fs::syncfs(&root).map_err(|error| StoreError::io("flush", &self.root)(error.into()))
    }
}

fn is_full(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
}

fn is_absent(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// Makes the names in a folder durable.
fn sync(folder: &Path) -> Result<(), StoreError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(StoreError::io("flush", folder))
}

//! Files that hold a secret: made so that nobody else can read them, and refused when others can.

use crate::signing::KeyError;
use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

/// Largest file that is read as a key; ours are below 300 bytes.
const MAX_KEY_BYTES: u64 = 4096;

/// The text of a secret file; `None` when there is none.
///
/// # Errors
/// When others than its owner can read it, or it cannot be read.
pub(super) fn read(path: &Path) -> Result<Option<String>, KeyError> {
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(source) => return Err(KeyError::io("read", path)(source)),
    };
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeyError::Exposed { path: path.into(), mode });
    }
    if !metadata.is_file() || metadata.len() > MAX_KEY_BYTES {
        return Err(KeyError::NotAKey { path: path.into(), invalid: super::InvalidKey::Secret });
    }
    fs::read_to_string(path).map(Some).map_err(KeyError::io("read", path))
}

/// Makes a secret file, mode 0600, whole from the instant it has its name; the folders above it that
/// are missing get mode 0700. False when there is a file of that name already; it stays as it is.
///
/// # Errors
/// When it cannot be written.
pub(super) fn create(path: &Path, text: &str) -> Result<bool, KeyError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let make = || -> std::io::Result<bool> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        // Temporary files have mode 0600.
        let mut partial = tempfile::Builder::new().prefix(".key-").tempfile_in(folder)?;
        partial.write_all(text.as_bytes())?;
        partial.as_file().sync_all()?;
        match partial.persist_noclobber(path) {
            Ok(_) => Ok(true),
            Err(error) if error.error.kind() == ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error.error),
        }
    };
    make().map_err(KeyError::io("write", path))
}

//! What lies in a folder, whatever its manifest says.

use crate::ReleaseError;
use inputs::Stamp;
use std::fs::{self, DirEntry, FileType};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// All that lies in a folder, however deep.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// Regular files, as they look.
    pub files: Vec<(PathBuf, Stamp)>,
    /// The folders in it; each stands before those inside it.
    pub folders: Vec<PathBuf>,
}

impl Listing {
    /// Looks at every file of a folder, once. A folder that is not there has none.
    ///
    /// # Errors
    /// When it cannot be listed, or holds what is neither file nor folder.
    pub fn of(folder: &Path) -> Result<Listing, ReleaseError> {
        let mut files = Vec::new();
        let folders = walk(folder, |entry, kind| {
            let path = entry.path();
            if !kind.is_file() {
                return Err(ReleaseError::Unlisted { path });
            }
            let metadata = entry.metadata().map_err(ReleaseError::io("look at", &path))?;
            files.push((path, Stamp::of(&metadata)));
            Ok(())
        })?;
        Ok(Listing { files, folders })
    }
}

/// Shows all that lies in a folder, however deep, but the folders; gives those, each before the ones
/// inside it. Links are not followed. A folder that is not there is empty.
///
/// # Errors
/// When a folder cannot be listed, and those of `each`.
pub(crate) fn walk(
    folder: &Path,
    mut each: impl FnMut(&DirEntry, FileType) -> Result<(), ReleaseError>,
) -> Result<Vec<PathBuf>, ReleaseError> {
    let mut folders = vec![folder.to_path_buf()];
    let mut at = 0;
    while let Some(folder) = folders.get(at).cloned() {
        at += 1;
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(ReleaseError::io("list", &folder)(error)),
        };
        for entry in entries {
            let entry = entry.map_err(ReleaseError::io("list", &folder))?;
            let kind = entry.file_type().map_err(ReleaseError::io("look at", &folder))?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else {
                each(&entry, kind)?;
            }
        }
    }
    folders.remove(0);
    Ok(folders)
}

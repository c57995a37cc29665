//! What a step left: the files, links and empty folders that match its outputs.

use crate::{Error, Globs, Kind, as_path};
use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// One thing that a step left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leaving {
    File {
        is_executable: bool,
    },
    Symlink {
        target: Box<[u8]>,
    },
    /// A folder with nothing in it.
    EmptyFolder,
}

/// Finds all that matches `globs` and is not below one of the folders in `never`, ignored by git
/// or not: what a step makes usually is. A link is something that a step left; only one in the way
/// to all that a glob can match, as `dist` is for `dist/**`, is followed.
///
/// # Errors
/// When a folder cannot be read, or something that is neither file, link nor folder matches.
pub fn collect(
    root: &Path,
    globs: &Globs,
    never: &[&[u8]],
) -> Result<BTreeMap<Box<[u8]>, Leaving>, Error> {
    let mut found = BTreeMap::new();
    for start in globs.starts() {
        visit(root, globs, never, start, true, &mut found)?;
    }
    Ok(found)
}

fn visit(
    root: &Path,
    globs: &Globs,
    never: &[&[u8]],
    path: Vec<u8>,
    is_start: bool,
    found: &mut BTreeMap<Box<[u8]>, Leaving>,
) -> Result<(), Error> {
    if never.contains(&&path[..]) {
        return Ok(());
    }
    let full = root.join(as_path(&path));
    let metadata = match fs::symlink_metadata(&full) {
        Ok(metadata) => metadata,
        Err(error) if is_absent(error.kind()) => return Ok(()),
        Err(error) => return Err(Error::io("look at", full)(error)),
    };
    let is_match = !path.is_empty() && globs.is_match(&path);
    let is_way = is_start && !is_match && metadata.is_symlink();
    if metadata.is_dir() || is_way && full.is_dir() {
        if !path.is_empty() && !is_match && !globs.can_match_below(&path) {
            return Ok(());
        }
        let mut is_empty = true;
        let entries = fs::read_dir(&full).map_err(Error::io("read the folder", &full))?;
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(Error::io("read the folder", &full))?;
            is_empty = false;
            names.push(entry.file_name());
        }
        for name in names {
            let mut below = path.clone();
            if !below.is_empty() {
                below.push(b'/');
            }
            below.extend_from_slice(name.as_bytes());
            visit(root, globs, never, below, false, found)?;
        }
        if is_empty && is_match {
            found.insert(path.into(), Leaving::EmptyFolder);
        }
        return Ok(());
    }
    if !is_match {
        return Ok(());
    }
    let leaving = match Kind::of(&metadata) {
        Kind::Symlink => {
            let target = fs::read_link(&full).map_err(Error::io("read the link", &full))?;
            Leaving::Symlink { target: target.as_os_str().as_bytes().into() }
        }
        kind @ (Kind::File | Kind::Executable) => {
            Leaving::File { is_executable: kind == Kind::Executable }
        }
        Kind::Special | Kind::Unreadable => {
            let what = std::io::Error::other("it is neither a file, a link nor a folder");
            return Err(Error::io("keep", full)(what));
        }
    };
    found.insert(path.into(), leaving);
    Ok(())
}

fn is_absent(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NotFound | ErrorKind::NotADirectory)
}

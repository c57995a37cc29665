//! Putting back what a step left.

use super::entry::{Entry, Kept};
use super::{Cache, keep};
use crate::pipeline::name;
use anyhow::Context;
use inputs::as_path;
use report::Outcome;
use std::collections::HashSet;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use tempfile::NamedTempFile;

/// A stored result, put back.
#[derive(Debug, Clone, PartialEq)]
pub struct Replayed {
    /// `replayed` is set.
    pub outcome: Outcome,
    /// What the step printed.
    pub output: Vec<u8>,
    /// How many files had to be written because they differed.
    pub restored: usize,
}

/// Everything that has to be read is read and verified before the first file is put in place.
pub fn replay(cache: &Cache, entry: &Entry) -> anyhow::Result<Replayed> {
    let mut output = Vec::new();
    if entry.output_size_bytes > 0 {
        cache.blobs.copy_to(&entry.output.0, &mut output)?;
    }
    let mut inside = Inside::of(&cache.root)?;
    let mut changes = Vec::new();
    for kept in &entry.kept {
        let path = match kept {
            Kept::File { path, .. } | Kept::Symlink { path, .. } | Kept::Folder { path } => path,
        };
        let path = name::parse(path).with_context(|| format!("not a path: {path}"))?;
        inside.check(&path)?;
        changes.extend(change(cache, kept, path)?);
    }
    // Links last: nothing is written through one that this entry brings.
    changes.sort_by_key(|change| matches!(change, Change::Link { .. }));
    let restored = changes.len();
    for change in changes {
        let path = change.path().to_owned();
        change
            .make(cache.root.as_path(), &mut inside)
            .with_context(|| format!("failed to put {} back", name::show(&path)))?;
    }
    // Digests that are not remembered are only taken again.
    let _ = cache.record().save();
    let outcome = Outcome { replayed: true, ..entry.outcome.clone() };
    Ok(Replayed { outcome, output, restored })
}

/// What has to be done to a path, everything at hand.
enum Change {
    Write { path: Vec<u8>, content: NamedTempFile },
    SetExecutable { path: Vec<u8>, is_executable: bool },
    Link { path: Vec<u8>, target: Vec<u8> },
    Folder { path: Vec<u8> },
}

/// What has to be done so that a path is as it was kept; `None` when it is.
fn change(cache: &Cache, kept: &Kept, path: Vec<u8>) -> anyhow::Result<Option<Change>> {
    let full = cache.root.join(as_path(&path));
    let now = fs::symlink_metadata(&full).ok();
    match kept {
        Kept::Folder { .. } => {
            Ok((!now.is_some_and(|now| now.is_dir())).then_some(Change::Folder { path }))
        }
        Kept::Symlink { target, .. } => {
            let target = name::parse(target).with_context(|| format!("not a path: {target}"))?;
            let is_same =
                fs::read_link(&full).is_ok_and(|now| now.as_os_str().as_bytes() == target);
            Ok((!is_same).then_some(Change::Link { path, target }))
        }
        Kept::File { blob, size_bytes, is_executable, .. } => {
            let same = now.filter(|now| {
                now.is_file()
                    && now.len() == *size_bytes
                    && cache.output_digest(&path).is_ok_and(|digest| digest == blob.0)
            });
            let Some(now) = same else {
                let mode = if *is_executable { 0o777 } else { 0o666 };
                let mut content = cache.blobs.temporary(mode)?;
                cache.blobs.copy_to(&blob.0, &mut content)?;
                return Ok(Some(Change::Write { path, content }));
            };
            let is_same = (now.permissions().mode() & 0o100 != 0) == *is_executable;
            let is_executable = *is_executable;
            Ok((!is_same).then_some(Change::SetExecutable { path, is_executable }))
        }
    }
}

impl Change {
    fn path(&self) -> &[u8] {
        match self {
            Change::Write { path, .. }
            | Change::SetExecutable { path, .. }
            | Change::Link { path, .. }
            | Change::Folder { path } => path,
        }
    }

    fn make(self, root: &Path, inside: &mut Inside) -> anyhow::Result<()> {
        let full = root.join(as_path(self.path()));
        let folder = full.parent().unwrap_or(root);
        fs::create_dir_all(folder)?;
        inside.check(self.path())?;
        match self {
            Change::Write { content, .. } => place(content, &full)?,
            Change::Folder { .. } => fs::create_dir(&full)?,
            Change::SetExecutable { is_executable, .. } => {
                let mode = fs::metadata(&full)?.permissions().mode();
                // Whoever may read may execute.
                let bits = (mode & 0o444) >> 2;
                let mode = if is_executable { mode | bits } else { mode & !0o111 };
                fs::set_permissions(&full, fs::Permissions::from_mode(mode))?;
            }
            Change::Link { target, .. } => {
                let partial = folder.join(partial_name());
                std::os::unix::fs::symlink(as_path(&target), &partial)?;
                if let Err(error) = fs::rename(&partial, &full) {
                    let _ = fs::remove_file(&partial);
                    return Err(error.into());
                }
            }
        }
        Ok(())
    }
}

fn partial_name() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    format!(".xtask-{}-{number}", std::process::id())
}

/// Renames a file into place; on another file system than the cache's, copies it next to its
/// place first.
fn place(content: NamedTempFile, full: &Path) -> io::Result<()> {
    match content.persist(full) {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == ErrorKind::CrossesDevices => {
            let mut from = error.file.reopen()?;
            let mut near = tempfile::Builder::new()
                .prefix(".xtask-")
                .permissions(from.metadata()?.permissions())
                .tempfile_in(full.parent().unwrap_or(Path::new(".")))?;
            io::copy(&mut from, &mut near)?;
            near.as_file().set_permissions(from.metadata()?.permissions())?;
            near.persist(full).map_err(|error| error.error)?;
            Ok(())
        }
        Err(error) => Err(error.error),
    }
}

/// Keeps outputs inside the project: in its root, or in its target folder wherever that is linked
/// to, and never in git's folder or in the cache itself.
#[derive(Debug)]
pub struct Inside {
    root: PathBuf,
    homes: Vec<PathBuf>,
    checked: HashSet<PathBuf>,
}

impl Inside {
    pub fn of(root: &Path) -> io::Result<Inside> {
        let root = root.canonicalize()?;
        let mut homes = vec![root.clone()];
        homes.extend(root.join("target").canonicalize());
        Ok(Inside { root, homes, checked: HashSet::new() })
    }

    /// Refuses a path that leads out, by its text or through a link.
    pub fn check(&mut self, path: &[u8]) -> anyhow::Result<()> {
        let relative = as_path(path);
        let is_plain =
            path.split(|byte| *byte == b'/').all(|part| !matches!(part, b"" | b"." | b".."));
        anyhow::ensure!(is_plain, "{} is not a path below the root", name::show(path));
        let is_ours = keep::NEVER.iter().any(|folder| {
            path.strip_prefix(*folder).is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
        });
        anyhow::ensure!(!is_ours, "{} can be no output", name::show(path));
        let mut folder = self.root.join(relative.parent().unwrap_or(Path::new("")));
        if self.checked.contains(&folder) {
            return Ok(());
        }
        let asked = folder.clone();
        // The part of the way that exists already; the rest will be plain folders.
        let real = loop {
            match folder.canonicalize() {
                Ok(real) => break real,
                Err(error) => {
                    let is_absent = error.kind() == ErrorKind::NotFound
                        && fs::symlink_metadata(&folder).is_err();
                    if !is_absent || !folder.pop() {
                        return Err(error).with_context(|| {
                            format!("failed to look at the folder of {}", name::show(path))
                        });
                    }
                }
            }
        };
        anyhow::ensure!(
            self.homes.iter().any(|home| real.starts_with(home)),
            "{} is outside the project: its folder is {}",
            name::show(path),
            real.display()
        );
        if real == asked {
            self.checked.insert(asked);
        }
        Ok(())
    }
}

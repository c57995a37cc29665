//! The stat cache: digests remembered by path and stamp.
//!
//! A file of sorted records with a checksum at its end. Every record is true by itself, so that of
//! two runners that write one, either may win. A damaged file is no file: everything is hashed.

use crate::{Digest, Error, Kind, Stamp, as_path};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// Changes with every change of the format, or of what is digested.
const MAGIC: &[u8; 8] = b"slipst01";
const CHECKSUM_BYTES: usize = 32;
/// Path length, kind, size, two times, inode, digest.
const FIXED_BYTES: usize = 4 + 1 + 8 * 4 + 32;

/// The bytes of a stat cache, checked.
#[derive(Debug, Default)]
pub struct Records {
    bytes: Vec<u8>,
}

/// One remembered digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remembered<'a> {
    pub path: &'a [u8],
    pub stamp: Stamp,
    pub digest: Digest,
}

impl Records {
    /// Reads a stat cache; one that is missing or damaged is empty.
    pub fn load(path: &Path) -> Records {
        let Ok(mut bytes) = fs::read(path) else { return Records::default() };
        let Some(length) = bytes.len().checked_sub(CHECKSUM_BYTES) else {
            return Records::default();
        };
        let is_whole = bytes.starts_with(MAGIC)
            && blake3::hash(&bytes[..length]).as_bytes()[..] == bytes[length..];
        if !is_whole {
            return Records::default();
        }
        bytes.truncate(length);
        Records { bytes }
    }

    /// All records, sorted by path.
    pub fn iter(&self) -> impl Iterator<Item = Remembered<'_>> {
        let mut rest = self.bytes.get(MAGIC.len()..).unwrap_or_default();
        std::iter::from_fn(move || {
            let (fixed, after) = rest.split_at_checked(FIXED_BYTES)?;
            let length = u32::from_le_bytes(fixed[..4].try_into().ok()?) as usize;
            let number = |at: usize| Some(i64::from_le_bytes(fixed[at..at + 8].try_into().ok()?));
            let stamp = Stamp {
                kind: Kind::from_byte(fixed[4])?,
                size_bytes: number(5)?.cast_unsigned(),
                modified_ns: number(13)?,
                changed_ns: number(21)?,
                inode: number(29)?.cast_unsigned(),
            };
            let digest = fixed[37..].try_into().ok()?;
            let (path, after) = after.split_at_checked(length)?;
            rest = after;
            Some(Remembered { path, stamp, digest })
        })
    }

    /// Writes records (sorted by path) in place of these, unless they are the same.
    pub fn replace<'a>(
        &self,
        path: &Path,
        records: impl Iterator<Item = Remembered<'a>>,
    ) -> Result<(), Error> {
        let mut bytes = Vec::with_capacity(self.bytes.len() + CHECKSUM_BYTES);
        bytes.extend_from_slice(MAGIC);
        for record in records {
            let length = u32::try_from(record.path.len()).unwrap_or_default();
            bytes.extend_from_slice(&length.to_le_bytes());
            bytes.push(record.stamp.kind as u8);
            for number in [
                record.stamp.size_bytes.cast_signed(),
                record.stamp.modified_ns,
                record.stamp.changed_ns,
                record.stamp.inode.cast_signed(),
            ] {
                bytes.extend_from_slice(&number.to_le_bytes());
            }
            bytes.extend_from_slice(&record.digest);
            bytes.extend_from_slice(record.path);
        }
        if bytes == self.bytes || bytes.len() == MAGIC.len() && self.bytes.is_empty() {
            return Ok(());
        }
        let checksum = blake3::hash(&bytes);
        bytes.extend_from_slice(checksum.as_bytes());
        write_atomically(path, &bytes)
    }
}

/// Writes a file so that a reader sees the old one or the new one, and a full disk leaves the old.
fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let partial = path.with_extension(format!("{}-{number}.partial", std::process::id()));
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(Error::io("make the folder", folder))?;
    }
    let written = fs::write(&partial, bytes).and_then(|()| fs::rename(&partial, path));
    if written.is_err() {
        // The error that is told is the first one.
        let _ = fs::remove_file(&partial);
    }
    written.map_err(Error::io("write the stat cache", path))
}

/// A stat cache that is asked file by file, for files that are not inputs.
#[derive(Debug)]
pub struct Record {
    path: PathBuf,
    loaded: Records,
    known: BTreeMap<Box<[u8]>, (Stamp, Digest)>,
}

/// How many files a [`Record`] remembers; files past it are hashed each time.
const MAX_REMEMBERED: usize = 200_000;

impl Record {
    /// Reads the record in `path`; one that is missing or damaged is empty.
    pub fn load(path: &Path) -> Record {
        let loaded = Records::load(path);
        let known =
            loaded.iter().map(|known| (known.path.into(), (known.stamp, known.digest))).collect();
        Record { path: path.to_owned(), loaded, known }
    }

    /// The digest of the content of a regular file `path` below `root`. Only a stamp that was
    /// settled when the file was read is remembered.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn content(&mut self, root: &Path, path: &[u8]) -> std::io::Result<Digest> {
        let full = root.join(as_path(path));
        let stamp = Stamp::of(&fs::symlink_metadata(&full)?);
        if let Some((known, digest)) = self.known.get(path)
            && *known == stamp
        {
            return Ok(*digest);
        }
        let now = self.path.parent().and_then(crate::clock::now_ns);
        let (digest, read) = crate::content(&full)?;
        self.known.remove(path);
        if let (Some(stamp), Some(now)) = (read, now)
            && stamp.is_settled(now)
            && self.known.len() < MAX_REMEMBERED
        {
            self.known.insert(path.into(), (stamp, digest));
        }
        Ok(digest)
    }

    /// The digest that is remembered of a file with this stamp. For an owner that digests by
    /// itself, with whatever function; a record holds digests of one kind.
    pub fn recall(&self, path: &[u8], stamp: &Stamp) -> Option<Digest> {
        let (known, digest) = self.known.get(path)?;
        (known == stamp).then_some(*digest)
    }

    /// Remembers the digest of a file whose stamp was the same before and after it was read, if that
    /// was settled at `now_ns`, before it was read. See [`Record::now_ns`].
    pub fn remember(&mut self, path: &[u8], stamp: Stamp, digest: Digest, now_ns: i64) {
        if stamp.is_settled(now_ns) && self.known.len() < MAX_REMEMBERED {
            self.known.insert(path.into(), (stamp, digest));
        } else {
            self.known.remove(path);
        }
    }

    /// Forgets the files that are not to be kept.
    pub fn retain(&mut self, mut is_kept: impl FnMut(&[u8]) -> bool) {
        self.known.retain(|path, _| is_kept(path));
    }

    /// Now, by the clock of the file system that holds the record; see [`Stamp::is_settled`]. `None`
    /// where it cannot be told: then nothing counts as settled.
    pub fn now_ns(&self) -> Option<i64> {
        crate::clock::now_ns(self.path.parent()?)
    }

    /// Writes the record, if it changed.
    ///
    /// # Errors
    /// When it cannot be written: a full disk, a folder without permission.
    pub fn save(&self) -> Result<(), Error> {
        let records = self.known.iter().map(|(path, (stamp, digest))| Remembered {
            path,
            stamp: *stamp,
            digest: *digest,
        });
        self.loaded.replace(&self.path, records)
    }
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;

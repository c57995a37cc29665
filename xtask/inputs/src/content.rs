//! What is in a file, as a digest.

use crate::{Digest, Kind, Stamp, as_path, link};
use rustix::fs::OFlags;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// How much of a file is in memory at a time.
pub const BUFFER_BYTES: usize = 128 * 1024;

/// A file that was hashed: its kind and digest, and its stamp if that stayed the same from before the first
/// byte to after the last.
#[derive(Debug)]
pub struct Hashed {
    pub kind: Kind,
    pub digest: Digest,
    pub stamp: Option<Stamp>,
}

/// The digest of an input: of its path, kind and content. `None` when the file is gone. What
/// cannot be read has a digest of its own, for the step may not be able to read it either.
pub fn leaf(root: &Path, path: &[u8], stamp: &Stamp, buffer: &mut [u8]) -> Option<Hashed> {
    let full = root.join(as_path(path));
    let read = match stamp.kind {
        Kind::Unreadable => return Some(unreadable(path)),
        Kind::Special => Ok((Kind::Special, [0; 32], Some(*stamp))),
        Kind::Symlink => link::digest(root, &full, stamp, buffer),
        Kind::File | Kind::Executable => regular(&full, buffer),
    };
    match read {
        Ok((kind, content, stamp)) => {
            Some(Hashed { kind, digest: leaf_digest(kind, path, &content), stamp })
        }
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(_) => Some(unreadable(path)),
    }
}

fn unreadable(path: &[u8]) -> Hashed {
    let digest = leaf_digest(Kind::Unreadable, path, &[0; 32]);
    Hashed { kind: Kind::Unreadable, digest, stamp: None }
}

fn leaf_digest(kind: Kind, path: &[u8], content: &Digest) -> Digest {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&[kind as u8]).update(content).update(path);
    *hasher.finalize().as_bytes()
}

/// The kind and content of a regular file, with its stamp if that stayed the same meanwhile.
pub fn regular(path: &Path, buffer: &mut [u8]) -> io::Result<(Kind, Digest, Option<Stamp>)> {
    let mut file = open(path)?;
    let before = Stamp::of(&file.metadata()?);
    if matches!(before.kind, Kind::Special) {
        return Ok((Kind::Special, [0; 32], None));
    }
    let mut hasher = blake3::Hasher::new();
    pump(&mut file, buffer, |bytes| {
        hasher.update(bytes);
        Ok(())
    })?;
    let after = Stamp::of(&file.metadata()?);
    let digest = *hasher.finalize().as_bytes();
    Ok((before.kind, digest, (before == after).then_some(before)))
}

/// Opens a file that was regular a moment ago, without following a link or waiting on a pipe that
/// took its place.
fn open(path: &Path) -> io::Result<File> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits();
    fs::OpenOptions::new().read(true).custom_flags(flags.cast_signed()).open(path)
}

fn pump(
    file: &mut File,
    buffer: &mut [u8],
    mut take: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<u64> {
    let mut total = 0;
    loop {
        match file.read(buffer) {
            Ok(0) => return Ok(total),
            Ok(count) => {
                total += count as u64;
                take(&buffer[..count])?;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The digest of a regular file's content alone, with its stamp if it stayed the same meanwhile.
///
/// # Errors
/// When the file cannot be read, or is a symbolic link.
pub fn content(path: &Path) -> io::Result<(Digest, Option<Stamp>)> {
    let (_, digest, stamp) = regular(path, &mut vec![0; BUFFER_BYTES])?;
    Ok((digest, stamp))
}

/// Copies a regular file's content and gives the digest and the number of the bytes copied.
///
/// # Errors
/// When the file cannot be read, is a symbolic link, or `into` takes no more.
pub fn copy_hashed(path: &Path, into: &mut impl Write) -> io::Result<(Digest, u64)> {
    let mut hasher = blake3::Hasher::new();
    let total = pump(&mut open(path)?, &mut vec![0; BUFFER_BYTES], |bytes| {
        hasher.update(bytes);
        into.write_all(bytes)
    })?;
    Ok((*hasher.finalize().as_bytes(), total))
}

//! Symbolic links: followed to files and folders inside the root, and nowhere else.

use crate::{Digest, Kind, Stamp, content};
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Where a link leads in the end, if that is inside the root, and neither in a folder of git's nor
/// in our own, which change by being looked at.
pub fn target(root: &Path, link: &Path) -> Option<(PathBuf, Metadata)> {
    let target = link.canonicalize().ok()?;
    let inside = target.strip_prefix(root).ok()?;
    if inside.starts_with("target/xtask") || inside.iter().any(|name| name == ".git") {
        return None;
    }
    let metadata = fs::metadata(&target).ok()?;
    Some((target, metadata))
}

/// The stamp of a link, and of the file it leads to: any change of either changes it.
pub fn stamp(root: &Path, link: &Path, metadata: &Metadata) -> Stamp {
    let own = Stamp::of(metadata);
    match target(root, link) {
        Some((_, metadata)) if metadata.is_file() => both(&own, &Stamp::of(&metadata)),
        _ => own,
    }
}

fn both(link: &Stamp, target: &Stamp) -> Stamp {
    let mut hasher = blake3::Hasher::new();
    for stamp in [link, target] {
        hasher
            .update(&[stamp.kind as u8])
            .update(&stamp.size_bytes.to_le_bytes())
            .update(&stamp.modified_ns.to_le_bytes())
            .update(&stamp.changed_ns.to_le_bytes())
            .update(&stamp.inode.to_le_bytes());
    }
    let mut inode = [0; 8];
    inode.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    Stamp {
        kind: Kind::Symlink,
        size_bytes: target.size_bytes,
        // Settled when both are, and with a clock no finer than that of either.
        modified_ns: link.last_ns().max(target.last_ns()),
        changed_ns: link.last_ns().max(target.last_ns()),
        inode: u64::from_le_bytes(inode),
    }
}

/// The digest of a link's text, and of the content and kind of the file it leads to; and its
/// stamp, where that stayed the same meanwhile.
pub fn digest(
    root: &Path,
    link: &Path,
    seen: &Stamp,
    buffer: &mut [u8],
) -> io::Result<(Kind, Digest, Option<Stamp>)> {
    let text = fs::read_link(link)?;
    let mut hasher = blake3::Hasher::new();
    hasher.update(&(text.as_os_str().len() as u64).to_le_bytes());
    hasher.update(text.as_os_str().as_bytes());
    if let Some((target, metadata)) = target(root, link)
        && metadata.is_file()
    {
        let (kind, content, _) = content::regular(&target, buffer)?;
        hasher.update(&[kind as u8]).update(&content);
    }
    let now = stamp(root, link, &fs::symlink_metadata(link)?);
    let digest = *hasher.finalize().as_bytes();
    Ok((Kind::Symlink, digest, (now == *seen).then_some(now)))
}

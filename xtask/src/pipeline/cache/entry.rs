//! The document of one stored result. Its first line is the checksum of the rest.

use super::blobs::{read_if_there, write_atomically};
use crate::pipeline::fingerprint::{Fingerprint, digest, hex};
use crate::pipeline::name;
use anyhow::Context;
use report::Outcome;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// A stored result, not yet put back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    pub version: u32,
    pub step: String,
    pub fingerprint: Fingerprint,
    pub outcome: Outcome,
    /// Blob of what the step printed.
    pub output: BlobName,
    pub output_size_bytes: u64,
    /// Outputs and artifacts, sorted by path.
    pub kept: Vec<Kept>,
}

/// Something that a step left. Paths are relative to the root, and shown as [`name::show`] does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kept {
    File {
        path: String,
        blob: BlobName,
        size_bytes: u64,
        is_executable: bool,
    },
    Symlink {
        path: String,
        target: String,
    },
    /// A folder with nothing in it.
    Folder {
        path: String,
    },
}

/// The digest that a blob is named by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobName(pub inputs::Digest);

impl Serialize for BlobName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex(&self.0))
    }
}

impl<'de> Deserialize<'de> for BlobName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<BlobName, D::Error> {
        let text = String::deserialize(deserializer)?;
        digest(&text).map(BlobName).ok_or_else(|| serde::de::Error::custom("not a digest"))
    }
}

/// Version of the document; another one is no entry.
pub const VERSION: u32 = 1;

impl Entry {
    /// All blobs that the entry names, with their sizes.
    pub fn blobs(&self) -> impl Iterator<Item = (BlobName, u64)> {
        let files = self.kept.iter().filter_map(|kept| match kept {
            Kept::File { blob, size_bytes, .. } => Some((*blob, *size_bytes)),
            Kept::Symlink { .. } | Kept::Folder { .. } => None,
        });
        files.chain([(self.output, self.output_size_bytes)])
    }
}

/// Where the entry of a step and a fingerprint is.
pub fn path(cache: &Path, step: &str, fingerprint: &Fingerprint) -> PathBuf {
    folder(cache).join(name::file_name(step)).join(format!("{fingerprint}.json"))
}

/// Where all entries are, a folder for each step.
pub fn folder(cache: &Path) -> PathBuf {
    cache.join("entries")
}

/// Reads an entry. `Ok(None)` when there is none, or one of another version.
///
/// # Errors
/// When it cannot be read or is damaged.
pub fn read(path: &Path) -> anyhow::Result<Option<Entry>> {
    let bytes =
        read_if_there(path).with_context(|| format!("failed to read {}", path.display()))?;
    let Some(bytes) = bytes else { return Ok(None) };
    parse(&bytes).with_context(|| format!("{} is damaged", path.display()))
}

fn parse(bytes: &[u8]) -> anyhow::Result<Option<Entry>> {
    let (checksum, body) = bytes.split_at_checked(65).context("it is cut off")?;
    let is_whole = checksum == format!("{}\n", blake3::hash(body).to_hex()).as_bytes();
    anyhow::ensure!(is_whole, "its checksum does not match");
    #[derive(Deserialize)]
    struct Head {
        version: u32,
    }
    if serde_json::from_slice::<Head>(body)?.version != VERSION {
        return Ok(None);
    }
    Ok(Some(serde_json::from_slice(body)?))
}

/// Writes an entry, as a whole or not at all; gives its size.
///
/// # Errors
/// When the outcome would not be the same when read again, or the disk is full.
pub fn write(path: &Path, entry: &Entry) -> anyhow::Result<u64> {
    let body = serde_json::to_vec(entry)?;
    // JSON has no number for infinity, for example.
    let is_exact = serde_json::from_slice::<Entry>(&body).is_ok_and(|read| read == *entry);
    anyhow::ensure!(is_exact, "its outcome cannot be written down without loss");
    let mut bytes = format!("{}\n", blake3::hash(&body).to_hex()).into_bytes();
    bytes.extend_from_slice(&body);
    write_atomically(path, &bytes)?;
    Ok(bytes.len() as u64)
}

/// How exact the time of last use is: a run that changes nothing should write nothing.
const USE_RESOLUTION: Duration = Duration::from_secs(60);

/// Notes that an entry was used now, in its time of modification.
pub fn touch(path: &Path) {
    let now = SystemTime::now();
    let touch = || -> std::io::Result<()> {
        let last = path.metadata()?.modified()?;
        if now.duration_since(last).is_ok_and(|age| age > USE_RESOLUTION) {
            File::options().write(true).open(path)?.set_modified(now)?;
        }
        Ok(())
    };
    // A cache that may only be read is as good; it is pruned by whoever may write.
    let _ = touch();
}

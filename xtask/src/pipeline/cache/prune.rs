//! Keeping the cache within its size.

use super::blobs::{list_folder, read_if_there, write_atomically};
use super::entry::{self, BlobName};
use super::{Cache, lock};
use crate::pipeline::fingerprint::hex;
use anyhow::Context;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::path::PathBuf;
use std::time::SystemTime;

/// What a pruning removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pruned {
    pub entries: usize,
    pub freed_bytes: u64,
    pub left_bytes: u64,
}

/// What the cache holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stats {
    pub entries: usize,
    pub blobs: usize,
    /// Of entries and blobs; what two entries share counts once.
    pub size_bytes: u64,
    pub max_size_bytes: u64,
    /// For each step: how many entries it has, and when the latest was last used.
    pub steps: BTreeMap<String, (usize, SystemTime)>,
    /// Entries that are damaged, or of another version: never replayed, gone with the next prune.
    pub unusable: usize,
}

/// A stored result as pruning sees it.
struct Listed {
    path: PathBuf,
    last_used: SystemTime,
    size_bytes: u64,
    step: String,
    blobs: Vec<(BlobName, u64)>,
}

/// A pruning that a store brought about makes room for more than that store, so that the next one
/// does not prune again: this share of the bound is left free.
const HEADROOM_SHARE: u64 = 10;

/// Adds what a store wrote to the running count, and prunes once that is beyond the bound. The
/// count spares a look at every blob; a pruning sets it right, should it have drifted.
pub fn count(cache: &Cache, added_bytes: u64) {
    if added_bytes == 0 {
        return;
    }
    let path = cache.folder.join("size");
    let counted = read_if_there(&path)
        .ok()
        .flatten()
        .and_then(|text| str::from_utf8(&text).ok()?.trim().parse::<u64>().ok());
    let now = match counted {
        Some(counted) => counted.saturating_add(added_bytes),
        None => stats(cache).map_or(added_bytes, |stats| stats.size_bytes),
    };
    // A count that is lost is taken anew by the next store.
    let _ = write_atomically(&path, format!("{now}\n").as_bytes());
    if now > cache.max_size_bytes
        && let Some(_lock) = lock::try_alone(&cache.folder)
    {
        // What could not be pruned now is pruned by the next store, or said by `cache prune`.
        let _ = prune(cache, cache.max_size_bytes - cache.max_size_bytes / HEADROOM_SHARE);
    }
}

/// Removes the least recently used entries until the rest fits, and all that no entry uses. To be
/// called by whoever holds the lock alone.
pub fn prune(cache: &Cache, target_bytes: u64) -> anyhow::Result<Pruned> {
    let (mut entries, unusable) = list(cache)?;
    entries.sort_by(|a, b| b.last_used.cmp(&a.last_used).then_with(|| a.path.cmp(&b.path)));
    let mut used: HashSet<String> = HashSet::new();
    let mut kept_bytes = 0;
    let mut kept = 0;
    for entry in &entries {
        let names = (entry.blobs.iter())
            .map(|(blob, size_bytes)| (hex(&blob.0), *size_bytes))
            .filter(|(name, _)| !used.contains(name))
            .collect::<HashMap<_, _>>();
        let with_this = kept_bytes + entry.size_bytes + names.values().sum::<u64>();
        if with_this > target_bytes {
            break;
        }
        kept_bytes = with_this;
        kept += 1;
        used.extend(names.into_keys());
    }
    let mut freed_bytes = 0;
    let mut remove = |path: &PathBuf, size_bytes: u64| {
        fs::remove_file(path).with_context(|| format!("failed to remove {}", path.display()))?;
        freed_bytes += size_bytes;
        anyhow::Ok(())
    };
    // Entries before blobs: an interruption leaves blobs without an entry, never the reverse.
    let gone = &entries[kept..];
    for entry in gone {
        remove(&entry.path, entry.size_bytes)?;
    }
    for (path, size_bytes) in &unusable {
        remove(path, *size_bytes)?;
    }
    let mut left_bytes = entries[..kept].iter().map(|entry| entry.size_bytes).sum::<u64>();
    for (path, name, size_bytes) in cache.blobs.list()? {
        if used.contains(&name) {
            left_bytes += size_bytes;
        } else {
            remove(&path, size_bytes)?;
        }
    }
    // Whoever was writing these has died: the lock is held alone.
    for partial in list_folder(cache.blobs.partial())? {
        remove(&partial.path(), partial.metadata()?.len())?;
    }
    // On a disk that is still full the old count stands: too large, so that it is soon taken anew.
    let _ = write_atomically(&cache.folder.join("size"), format!("{left_bytes}\n").as_bytes());
    Ok(Pruned { entries: gone.len() + unusable.len(), freed_bytes, left_bytes })
}

/// Counts what the cache holds.
pub fn stats(cache: &Cache) -> anyhow::Result<Stats> {
    let (entries, unusable) = list(cache)?;
    let blobs = cache.blobs.list()?;
    let mut steps: BTreeMap<String, (usize, SystemTime)> = BTreeMap::new();
    for entry in &entries {
        let step = steps.entry(entry.step.clone()).or_insert((0, entry.last_used));
        *step = (step.0 + 1, step.1.max(entry.last_used));
    }
    let size_bytes = entries.iter().map(|entry| entry.size_bytes).sum::<u64>()
        + unusable.iter().map(|(_, size_bytes)| size_bytes).sum::<u64>()
        + blobs.iter().map(|(_, _, size_bytes)| size_bytes).sum::<u64>();
    Ok(Stats {
        entries: entries.len(),
        blobs: blobs.len(),
        size_bytes,
        max_size_bytes: cache.max_size_bytes,
        steps,
        unusable: unusable.len(),
    })
}

/// A file in an entry's place that is none, with its size.
type Unusable = (PathBuf, u64);

fn list(cache: &Cache) -> anyhow::Result<(Vec<Listed>, Vec<Unusable>)> {
    let (mut entries, mut unusable) = (Vec::new(), Vec::new());
    for step in list_folder(&entry::folder(&cache.folder))? {
        if !step.file_type()?.is_dir() {
            continue;
        }
        for file in list_folder(&step.path())? {
            let (path, metadata) = (file.path(), file.metadata()?);
            match entry::read(&path) {
                Ok(Some(entry)) => entries.push(Listed {
                    last_used: metadata.modified()?,
                    size_bytes: metadata.len(),
                    blobs: entry.blobs().collect(),
                    step: entry.step,
                    path,
                }),
                Ok(None) | Err(_) => unusable.push((path, metadata.len())),
            }
        }
    }
    Ok((entries, unusable))
}

//! The lock that keeps pruning and using the cache apart, between processes.

use anyhow::Context;
use std::fs::{self, File};
use std::path::Path;

fn file(folder: &Path) -> std::io::Result<File> {
    fs::create_dir_all(folder)?;
    File::options().create(true).truncate(false).write(true).open(folder.join("lock"))
}

/// Held while the cache is used. Without it (a file system without locks, a cache that may only be
/// read) the cache is used all the same: everything read from it is verified, so the worst that a
/// pruning at the same time can do is a miss.
pub fn shared(folder: &Path) -> Option<File> {
    let file = file(folder).ok()?;
    file.lock_shared().ok()?;
    Some(file)
}

/// Held while the cache is pruned; waits for those who use it, which takes as long as copying
/// files does.
pub fn alone(folder: &Path) -> anyhow::Result<File> {
    let wait = || file(folder).and_then(|file| file.lock().map(|()| file));
    wait().with_context(|| format!("failed to lock the cache in {}", folder.display()))
}

/// As [`alone`], but `None` when somebody uses the cache.
pub fn try_alone(folder: &Path) -> Option<File> {
    let file = file(folder).ok()?;
    file.try_lock().ok()?;
    Some(file)
}

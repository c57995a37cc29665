//! The file system's own clock, which is what the times of its files are compared with.

use crate::Stamp;
use std::fs;
use std::path::Path;

/// Now, by the clock of the file system that holds `folder` (made if need be), in nanoseconds
/// since 1970: the time that a new file gets. `None` when none can be made there; then nothing
/// counts as settled.
pub fn now_ns(folder: &Path) -> Option<i64> {
    fs::create_dir_all(folder).ok()?;
    let path = folder.join(format!("clock.{}", std::process::id()));
    let now = fs::File::create(&path)
        .and_then(|file| file.metadata())
        .map(|metadata| Stamp::of(&metadata).modified_ns);
    // Nothing depends on it being gone; the next one of the same process id writes over it.
    let _ = fs::remove_file(&path);
    now.ok()
}

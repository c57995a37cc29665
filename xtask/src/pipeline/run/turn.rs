//! One run at a time is at a step of a checkout.
//!
//! Two runs that write the same outputs at once would each keep what the other had half written.
//! So a step is executed, and files are put back, under a lock of its own that dies with its
//! runner. Who had to wait finds in the cache what the other came to. Nobody waits for a step
//! while holding another's lock, so no two runs wait for one another.

use crate::pipeline::cache::STATE_FOLDER;
use crate::pipeline::name;
use crate::pipeline::step::Step;
use std::fs::{self, File, TryLockError};
use std::path::Path;
use std::time::{Duration, Instant};

/// How often a lock that another run has is asked for again.
const AGAIN_AFTER: Duration = Duration::from_millis(20);

/// How long is waited before a person is told.
const TELL_AFTER: Duration = Duration::from_secs(1);

/// What another run may take beyond the timeouts of its attempts, before it counts as hung.
const GRACE: Duration = Duration::from_secs(30);

/// A turn at a step, until it is dropped.
#[derive(Debug)]
pub enum Turn {
    /// No other run is at the step now.
    Ours { _lock: File, has_waited: bool },
    /// Nobody can say: the file system has no locks, or cannot be written.
    Unknown,
    /// Another run did not let go of the step, or this one is to end.
    Theirs,
}

impl Turn {
    /// Waits for the turn while `may_wait`; `tell` is called once if that takes long.
    pub fn take(
        root: &Path,
        step: &Step,
        may_wait: impl Fn() -> bool,
        mut tell: impl FnMut(),
    ) -> Turn {
        let Ok(file) = open(&root.join(STATE_FOLDER).join("turns"), &step.name) else {
            return Turn::Unknown;
        };
        let start = Instant::now();
        let limit = step.timeout.saturating_mul(step.retries.saturating_add(1)) + GRACE;
        let mut has_waited = false;
        let mut is_told = false;
        loop {
            match file.try_lock() {
                Ok(()) => return Turn::Ours { _lock: file, has_waited },
                Err(TryLockError::Error(_)) => return Turn::Unknown,
                Err(TryLockError::WouldBlock) if !may_wait() || start.elapsed() > limit => {
                    return Turn::Theirs;
                }
                Err(TryLockError::WouldBlock) => {}
            }
            has_waited = true;
            if !is_told && start.elapsed() > TELL_AFTER {
                is_told = true;
                tell();
            }
            std::thread::sleep(AGAIN_AFTER);
        }
    }

    /// Whether another run was at the step until now.
    pub fn has_waited(&self) -> bool {
        matches!(self, Turn::Ours { has_waited: true, .. })
    }

    /// Whether another run may be at the step, so that what is found is nobody's.
    pub fn is_theirs(&self) -> bool {
        matches!(self, Turn::Theirs)
    }
}

fn open(folder: &Path, step: &str) -> std::io::Result<File> {
    fs::create_dir_all(folder)?;
    let path = folder.join(name::file_name(step));
    File::options().create(true).truncate(false).write(true).open(path)
}

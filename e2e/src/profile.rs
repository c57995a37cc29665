//! The browser's profile folder: made for one launch, gone after it.
//!
//! A runner that is killed cannot clean up after itself, so each launch sweeps what such runners
//! left. A folder's owner holds a lock on a file in it for as long as it lives; the operating
//! system drops the lock with the process, however that ends. So an unlocked folder is stale, and
//! a browser that still runs in it is ended.

use crate::{Error, Result};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

const PREFIX: &str = "slipway-browser-";
const LOCK: &str = "owner.lock";
const PID: &str = "browser.pid";
/// A folder without a lock file may be about to get one; after this long it will not.
const UNLOCKED_AGE: Duration = Duration::from_secs(600);
/// How long helper processes of an ended browser may go on writing into its profile.
const REMOVE_DEADLINE: Duration = Duration::from_secs(5);
const REMOVE_PAUSE: Duration = Duration::from_millis(20);

/// A profile folder that this process owns. Dropping it removes it.
#[derive(Debug)]
pub(crate) struct Profile {
    path: PathBuf,
    _lock: File,
}

impl Profile {
    /// Makes a folder and takes its lock.
    pub(crate) fn create() -> Result<Profile> {
        let parent = std::env::temp_dir();
        let io = |path: &Path| {
            let path = path.to_owned();
            move |source| Error::Io { path, source }
        };
        loop {
            let path = tempfile::Builder::new()
                .prefix(PREFIX)
                .tempdir_in(&parent)
                .map_err(io(&parent))?
                .keep();
            let lock_path = path.join(LOCK);
            let lock = File::create(&lock_path).map_err(io(&lock_path))?;
            // A sweeper that was quicker has the lock, or has removed the folder: take another.
            if lock.try_lock().is_ok() && lock_path.exists() {
                return Ok(Profile { path, _lock: lock });
            }
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Notes which process runs in the folder, for the sweeper.
    pub(crate) fn note_browser(&self, pid: u32) -> Result {
        let path = self.path.join(PID);
        std::fs::write(&path, pid.to_string()).map_err(|source| Error::Io { path, source })
    }
}

impl Drop for Profile {
    fn drop(&mut self) {
        // What cannot be removed now is swept by the next launch.
        let _ = remove(&self.path);
    }
}

/// Removes the profile folders of runners that were killed, and ends their browsers.
pub(crate) fn sweep() {
    let Ok(entries) = std::fs::read_dir(std::env::temp_dir()) else { return };
    for entry in entries.flatten() {
        let is_profile = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
        if is_profile {
            sweep_folder(&entry.path());
        }
    }
}

fn sweep_folder(path: &Path) {
    match File::open(path.join(LOCK)) {
        Ok(lock) if lock.try_lock().is_ok() => {
            end_browser(path);
            // Another user's folder cannot be removed, and is not ours to remove.
            let _ = remove(path);
        }
        Ok(_) => {}
        Err(_) if age(path) > UNLOCKED_AGE => {
            let _ = remove(path);
        }
        Err(_) => {}
    }
}

fn age(path: &Path) -> Duration {
    let modified = path.metadata().and_then(|metadata| metadata.modified());
    modified
        .ok()
        .and_then(|modified| SystemTime::now().duration_since(modified).ok())
        .unwrap_or_default()
}

/// Ends the browser noted in a stale folder, if its command line still names that folder: process
/// ids are reused.
#[cfg(target_os = "linux")]
fn end_browser(path: &Path) {
    use rustix::process::{Pid, Signal, kill_process};
    let pid = std::fs::read_to_string(path.join(PID)).ok().and_then(|pid| pid.parse::<i32>().ok());
    let Some(pid) = pid.and_then(Pid::from_raw) else { return };
    let command_line = std::fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero()));
    let is_ours = command_line.is_ok_and(|line| {
        line.split(|byte| *byte == 0)
            .filter_map(|argument| argument.strip_prefix(b"--user-data-dir="))
            .any(|folder| folder == path.as_os_str().as_encoded_bytes())
    });
    if is_ours {
        // It may have ended by itself in between.
        let _ = kill_process(pid, Signal::KILL);
    }
}

#[cfg(not(target_os = "linux"))]
fn end_browser(_path: &Path) {}

/// Removes a folder into which ending processes may still write.
fn remove(path: &Path) -> std::io::Result<()> {
    let deadline = Instant::now() + REMOVE_DEADLINE;
    loop {
        match std::fs::remove_dir_all(path) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                return Err(error);
            }
            Err(error) if Instant::now() >= deadline => return Err(error),
            Err(_) => std::thread::sleep(REMOVE_PAUSE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sweep_spares_what_is_owned_and_removes_what_is_not() {
        let owned = Profile::create().unwrap();
        let stale = tempfile::Builder::new().prefix(PREFIX).tempdir().unwrap().keep();
        File::create(stale.join(LOCK)).unwrap();
        let fresh = tempfile::Builder::new().prefix(PREFIX).tempdir().unwrap();
        sweep();
        assert!(owned.path().exists());
        assert!(!stale.exists());
        assert!(fresh.path().exists());
        let path = owned.path().to_owned();
        drop(owned);
        assert!(!path.exists());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_sweep_ends_the_browser_of_a_killed_runner_and_no_one_else() {
        use std::process::{Command, Stdio};
        let run = |profile: &Path| {
            Command::new("sh")
                .args(["-c", "exec sleep 60; :", "sh"])
                .arg(format!("--user-data-dir={}", profile.display()))
                .stdout(Stdio::null())
                .spawn()
                .unwrap()
        };
        let stale = tempfile::Builder::new().prefix(PREFIX).tempdir().unwrap().keep();
        // `sleep` would not take the argument, so the shell stays and waits for it.
        let mut browser = Command::new("sh")
            .args(["-c", "read line", "sh"])
            .arg(format!("--user-data-dir={}", stale.display()))
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        std::fs::write(stale.join(PID), browser.id().to_string()).unwrap();
        File::create(stale.join(LOCK)).unwrap();
        sweep();
        assert!(!browser.wait().unwrap().success());
        assert!(!stale.exists());

        let reused = tempfile::Builder::new().prefix(PREFIX).tempdir().unwrap().keep();
        let mut stranger = run(Path::new("/elsewhere"));
        std::fs::write(reused.join(PID), stranger.id().to_string()).unwrap();
        File::create(reused.join(LOCK)).unwrap();
        sweep();
        assert!(stranger.try_wait().unwrap().is_none());
        assert!(!reused.exists());
        stranger.kill().unwrap();
        stranger.wait().unwrap();
    }
}

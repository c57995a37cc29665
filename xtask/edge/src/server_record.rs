//! Which servers an edge started, kept on disk so that the next edge ends those that outlived it.

use crate::process_id::{ProcessId, group_of, is_running};
use crate::setting::DATA_ENV;
use anyhow::Context;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// A server that was started and not yet seen to end.
#[derive(Debug)]
pub struct ServerRecord {
    path: PathBuf,
}

impl ServerRecord {
    /// Remembers a process; best effort, because it is a second line behind [`crate::guard`].
    pub fn write(folder: &Path, server: u32) -> Option<ServerRecord> {
        let server = ProcessId::of(server)?;
        let edge = ProcessId::of(std::process::id())?;
        let path = folder.join(server.pid.to_string());
        let text =
            format!("{} {}\n{} {}\n", server.pid, server.start_ticks, edge.pid, edge.start_ticks);
        fs::write(&path, text).ok()?;
        Some(ServerRecord { path })
    }

    pub fn remove(self) {
        // What is left is found to be no process of ours by the next edge.
        let _ = fs::remove_file(self.path);
    }
}

/// Ends servers whose edge is gone, and what they started; gives how many there were. `data` is the
/// folder that they were told of.
///
/// # Errors
/// When the folder of records cannot be read.
pub fn end_orphans(folder: &Path, data: &Path) -> anyhow::Result<usize> {
    let mut ended = 0;
    let list = || format!("failed to list {}", folder.display());
    for entry in fs::read_dir(folder).with_context(list)? {
        let path = entry.with_context(list)?.path();
        let Ok(text) = fs::read_to_string(&path) else { continue };
        let mut ids = text.lines().filter_map(ProcessId::parse);
        let (server, edge) = (ids.next(), ids.next());
        if edge.is_some_and(is_running) {
            continue;
        }
        if server.is_some_and(|server| end_orphan(server, data)) {
            ended += 1;
        }
        let _ = fs::remove_file(&path);
    }
    Ok(ended)
}

/// Whether there was anything to end.
fn end_orphan(server: ProcessId, data: &Path) -> bool {
    let kill = |pid: u32, end: fn(Pid, Signal) -> rustix::io::Result<()>| {
        let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
        pid.is_some_and(|pid| end(pid, Signal::KILL).is_ok())
    };
    if is_running(server) {
        // Its group, or itself when it does not lead one.
        return kill(server.pid, kill_process_group) || kill(server.pid, kill_process);
    }
    // It went with the edge, and what it had started did not. By now its number may be that of a
    // stranger's group, so each is looked at.
    let left = members(server.pid, data);
    left.into_iter().filter(|pid| kill(*pid, kill_process)).count() > 0
}

/// The processes of a group that were told of this folder of data.
fn members(group: u32, data: &Path) -> Vec<u32> {
    let told = [DATA_ENV.as_bytes(), b"=", data.as_os_str().as_bytes()].concat();
    let is_told = |pid: u32| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == told)
    };
    let processes = fs::read_dir("/proc").into_iter().flatten().filter_map(|entry| {
        let pid = entry.ok()?.file_name().to_str()?.parse().ok()?;
        (group_of(pid) == Some(group)).then_some(pid)
    });
    processes.filter(|pid| is_told(*pid)).collect()
}

//! Which servers an edge started, kept on disk so that the next edge ends those that outlived it.

use crate::process_id::{ProcessId, is_running};
use anyhow::Context;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::fs;
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

/// Ends servers whose edge is gone; gives how many there were.
///
/// # Errors
/// When the folder cannot be read.
pub fn end_orphans(folder: &Path) -> anyhow::Result<usize> {
    let mut ended = 0;
    let list = || format!("failed to list {}", folder.display());
    for entry in fs::read_dir(folder).with_context(list)? {
        let path = entry.with_context(list)?.path();
        let Ok(text) = fs::read_to_string(&path) else { continue };
        let mut ids = text.lines().filter_map(parse);
        let (server, edge) = (ids.next(), ids.next());
        if edge.is_some_and(is_running) {
            continue;
        }
        if let Some(server) = server.filter(|server| is_running(*server))
            && let Some(pid) = i32::try_from(server.pid).ok().and_then(Pid::from_raw)
        {
            // Its group, or itself when it does not lead one.
            if kill_process_group(pid, Signal::KILL)
                .or_else(|_| kill_process(pid, Signal::KILL))
                .is_ok()
            {
                ended += 1;
            }
        }
        let _ = fs::remove_file(&path);
    }
    Ok(ended)
}

fn parse(line: &str) -> Option<ProcessId> {
    let (pid, start_ticks) = line.split_once(' ')?;
    Some(ProcessId { pid: pid.parse().ok()?, start_ticks: start_ticks.parse().ok()? })
}

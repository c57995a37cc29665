//! One process, told from all that had or will have its number: by when it was started.

use std::fs;

/// A process of this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProcessId {
    pub pid: u32,
    /// Clock ticks since the machine was started, field 22 of `/proc/PID/stat` (proc_pid_stat(5)).
    pub start_ticks: u64,
}

impl ProcessId {
    /// From a line of its number and its start, with a space between.
    pub fn parse(line: &str) -> Option<ProcessId> {
        let (pid, start_ticks) = line.split_once(' ')?;
        Some(ProcessId { pid: pid.parse().ok()?, start_ticks: start_ticks.parse().ok()? })
    }

    /// The process that has this number now.
    pub fn of(pid: u32) -> Option<ProcessId> {
        let stat = Stat::of(pid)?;
        let mut fields = stat.fields();
        let state = fields.next()?;
        // A zombie runs no more.
        if matches!(state, "Z" | "X") {
            return None;
        }
        let start_ticks = fields.nth(18)?.parse().ok()?;
        Some(ProcessId { pid, start_ticks })
    }
}

/// The group that a process is in, field 5.
pub fn group_of(pid: u32) -> Option<u32> {
    Stat::of(pid)?.fields().nth(2)?.parse().ok()
}

/// `/proc/PID/stat`.
struct Stat(String);

impl Stat {
    fn of(pid: u32) -> Option<Stat> {
        fs::read_to_string(format!("/proc/{pid}/stat")).ok().map(Stat)
    }

    /// From field 3 on: the name before may hold anything but ends with the last parenthesis.
    fn fields(&self) -> impl Iterator<Item = &str> {
        self.0.rsplit(')').next().unwrap_or_default().split_ascii_whitespace()
    }
}

pub fn is_running(process: ProcessId) -> bool {
    ProcessId::of(process.pid) == Some(process)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_known_by_its_number_and_its_start() {
        let this = ProcessId::of(std::process::id()).unwrap();
        assert!(is_running(this) && this.start_ticks > 0);
        assert!(!is_running(ProcessId { start_ticks: this.start_ticks + 1, ..this }));
    }
}

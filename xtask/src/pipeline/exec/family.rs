//! Everything that the steps start, known by three things, so that nothing outlives its step:
//!
//! - Each step leads a process group of its own, killed as a whole when the step is over.
//! - On Linux the runner is the subreaper of what it starts: whatever left its group and lost its
//!   parents becomes the runner's child. A mark in the environment says of which step it was, and
//!   what has no mark any more goes at the end of the run.
//! - A guard, a small shell process that does nothing but wait for the runner's death, kills the
//!   groups if the runner is killed in a way that it cannot handle.
//!
//! Only pids that cannot have been given to another process are ever signalled: a leader's, and so
//! its group's, until it is reaped, which happens after its group was killed; and those of the
//! runner's own children, which nobody else reaps. The lock around `leaders` makes sure of both.

use rustix::process::{Pid, Signal, WaitOptions};
use std::collections::HashSet;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Environment variable that says of which step a process is. One runner under another adds to it.
pub const MARK_ENV: &str = "XTASK_MARK";

/// How long a sweep goes on: each round kills what the last one made parentless. A killed process
/// is gone within milliseconds, unless the kernel itself holds it.
const SWEEP_FOR: Duration = Duration::from_millis(1_000);
const SWEEP_AGAIN_AFTER: Duration = Duration::from_millis(2);

/// What the guard runs. `+ N` and `- N` say which groups are alive, `.` that all went well; the
/// end of its input says that the runner is dead. `$1` is the mark of the run's processes.
const GUARD: &str = r#"
groups=' '
while read -r verb group; do
    case $verb in
        +) groups="$groups$group " ;;
        -) groups="${groups%% "$group" *} ${groups#* "$group" }" ;;
        .) exit 0 ;;
    esac
done
for group in $groups; do kill -s KILL -- "-$group"; done
for file in $(grep -l -z -F -- "$1" /proc/[0-9]*/environ); do
    pid=${file#/proc/}
    kill -s KILL "${pid%/environ}"
done
"#;

/// The processes of a run.
#[derive(Debug)]
pub struct Family {
    mark: String,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Children that someone waits for by their pid: the steps' leaders and the guard.
    leaders: HashSet<Pid>,
    guard: Option<Child>,
    has_started: bool,
}

impl Family {
    /// `run` is the run's id.
    pub fn new(run: &str) -> Family {
        #[cfg(target_os = "linux")]
        // Older than Linux 3.4: then only the groups are killed.
        rustix::process::set_child_subreaper(Some(rustix::process::getpid())).ok();
        let outer = std::env::var(MARK_ENV).unwrap_or_default();
        Family { mark: format!("{outer}{run}"), state: Mutex::default() }
    }

    /// The mark of one step's processes.
    pub fn mark(&self, step: &str) -> String {
        format!("{}/{step}/", self.mark)
    }

    /// Starts a step's process as the leader of a group of its own, with its mark.
    pub fn spawn(&self, command: &mut Command, mark: &str) -> std::io::Result<Child> {
        command.process_group(0).env(MARK_ENV, mark);
        let mut state = self.lock();
        if !state.has_started {
            state.has_started = true;
            state.guard = self.guard();
            if let Some(guard) = &state.guard {
                let pid = Pid::from_child(guard);
                state.leaders.insert(pid);
            }
        }
        let child = command.spawn()?;
        let pid = Pid::from_child(&child);
        state.leaders.insert(pid);
        state.tell_guard('+', pid);
        Ok(child)
    }

    /// Kills what is left of a step, its leader's group first. The leader must not be reaped yet.
    pub fn kill(&self, leader: Pid, mark: &str) {
        kill_group(leader, Signal::KILL);
        self.sweep(|environment| has_mark(environment, mark));
    }

    /// Reaps a leader that has exited: from now on its pid may be another's.
    pub fn reap(&self, child: &mut Child) -> std::io::Result<ExitStatus> {
        let leader = Pid::from_child(child);
        let mut state = self.lock();
        state.tell_guard('-', leader);
        let status = child.wait();
        state.leaders.remove(&leader);
        status
    }

    /// Reaps what lost its parents, came to the runner and has died since. Nobody else can, and until
    /// then it looks alive to whoever asks for its pid.
    pub fn reap_strays(&self) {
        let state = self.lock();
        for stray in strays(&state.leaders).iter().filter(|stray| stray.is_zombie) {
            rustix::process::waitpid(Some(stray.pid), WaitOptions::NOHANG).ok();
        }
    }

    /// Ends the guard and kills what is left of the whole run.
    pub fn end(&self) {
        if !self.lock().has_started {
            return;
        }
        self.sweep(|_| true);
        let guard = self.lock().guard.take();
        if let Some(mut guard) = guard {
            if let Some(input) = &mut guard.stdin {
                // It may have been killed already; then there is nothing to end.
                input.write_all(b".\n").ok();
            }
            drop(guard.stdin.take());
            guard.wait().ok();
            self.lock().leaders.remove(&Pid::from_child(&guard));
        }
    }

    /// Kills the runner's children that nobody waits for and whose environment says so, until there
    /// is none: killing one makes its own children the runner's.
    fn sweep(&self, is_ours: impl Fn(&[u8]) -> bool) {
        let until = Instant::now() + SWEEP_FOR;
        loop {
            let is_clean = {
                let state = self.lock();
                let strays = strays(&state.leaders);
                strays.iter().filter(|stray| stray.end(&is_ours)).count() == 0
            };
            if is_clean || Instant::now() >= until {
                return;
            }
            std::thread::sleep(SWEEP_AGAIN_AFTER);
        }
    }

    /// A run goes on without a guard, where there is no shell to be one.
    fn guard(&self) -> Option<Child> {
        Command::new("sh")
            .args(["-c", GUARD, "sh"])
            .arg(format!("{MARK_ENV}={}/", self.mark))
            .env_remove(MARK_ENV)
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn tell_guard(&mut self, verb: char, group: Pid) {
        if let Some(input) = self.guard.as_mut().and_then(|guard| guard.stdin.as_mut()) {
            // A guard that died guards no more; the run is not worse for it.
            writeln!(input, "{verb} {}", group.as_raw_nonzero()).ok();
        }
    }
}

/// Sends a signal to a group; one that is gone already is no error.
pub fn kill_group(leader: Pid, signal: Signal) {
    rustix::process::kill_process_group(leader, signal).ok();
}

/// A child that came to the runner because its parents are gone.
struct Stray {
    pid: Pid,
    is_zombie: bool,
}

impl Stray {
    /// Reaps it, or kills it if it is to be; whether another look is needed: its own children may
    /// have become the runner's since.
    fn end(&self, is_ours: impl Fn(&[u8]) -> bool) -> bool {
        if self.is_zombie {
            rustix::process::waitpid(Some(self.pid), WaitOptions::NOHANG).ok();
            return true;
        }
        let path = format!("/proc/{}/environ", self.pid.as_raw_nonzero());
        let is_ours = is_ours(&std::fs::read(path).unwrap_or_default());
        // Not permitted to (it changed its user): then there is nothing more to do.
        is_ours && rustix::process::kill_process(self.pid, Signal::KILL).is_ok()
    }
}

/// The runner's children but for the leaders, and for what the runner starts for itself: that is in
/// the runner's own group, which no process of a step is in.
fn strays(leaders: &HashSet<Pid>) -> Vec<Stray> {
    let Ok(processes) = std::fs::read_dir("/proc") else { return Vec::new() };
    let me = rustix::process::getpid();
    let group = rustix::process::getpgrp();
    processes
        .filter_map(|entry| {
            let name = entry.ok()?.file_name();
            let pid = Pid::from_raw(name.to_str()?.parse().ok()?)?;
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat", pid = name.display()));
            let stat = stat.ok()?;
            // "pid (name) state ppid pgrp …", and the name may hold anything (proc_pid_stat(5)).
            let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
            let state = fields.next()?;
            let parent = Pid::from_raw(fields.next()?.parse().ok()?)?;
            let its_group = Pid::from_raw(fields.next()?.parse().ok()?);
            let is_stray = parent == me && its_group != Some(group) && !leaders.contains(&pid);
            is_stray.then_some(Stray { pid, is_zombie: state == "Z" })
        })
        .collect()
}

fn has_mark(environment: &[u8], mark: &str) -> bool {
    environment.split(|byte| *byte == 0).any(|variable| {
        variable
            .strip_prefix(MARK_ENV.as_bytes())
            .and_then(|rest| rest.strip_prefix(b"="))
            .is_some_and(|value| value.starts_with(mark.as_bytes()))
    })
}

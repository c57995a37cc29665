//! Runs a gate's process to its end, whatever it does: prints without end, never ends, ignores TERM,
//! leaves children behind.
//!
//! It leads a group of its own and gets no standard input. Ended early, the group gets TERM, a grace,
//! then KILL; what is left of the group after its leader's end is killed too.

use super::guard::Guard;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group};
use std::io::Read;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// From TERM to KILL: as long as a step of `ci` has.
const GRACE: Duration = Duration::from_secs(4);

/// How long a killed process may take to go: one that the kernel holds is given up.
const KILL_WAIT: Duration = Duration::from_secs(1);

/// How long the output is still read after the group was killed: only what left the group holds it.
const DRAIN: Duration = Duration::from_millis(500);

/// Between two looks at whether it has ended, or is to.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// How much of the output's end is kept: more than any reason tells.
const TAIL_BYTES: usize = 64 << 10;

/// What cargo sets for a program that it runs: a cargo that inherits it builds again what nobody
/// changed.
const CARGO_FAMILIES: [&str; 4] = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_CFG_", "CARGO_BIN_"];

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    Exited(i32),
    /// By a signal that was not ours.
    Signalled(i32),
    TimedOut,
    /// Nobody waits for it any more.
    Stopped,
    NotStarted(String),
}

/// A process that ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    pub end: End,
    /// The end of what it printed, on either output.
    pub output: String,
}

/// Runs a command to its end.
pub fn run(mut command: Command, timeout: Duration, is_stopped: &dyn Fn() -> bool) -> Ran {
    let mut guard = Guard::start();
    let started = start(&mut command);
    // It holds our ends of the pipe: the output's end comes only once they are closed.
    let program = command.get_program().display().to_string();
    drop(command);
    match started {
        Ok((child, output)) => {
            let running = Running { leader: Pid::from_child(&child), child, output };
            guard.watch(running.leader);
            running.run(Instant::now() + timeout, is_stopped)
        }
        Err(error) => Ran {
            end: End::NotStarted(format!("failed to start `{program}`: {error}")),
            output: String::new(),
        },
    }
}

fn start(command: &mut Command) -> std::io::Result<(Child, Output)> {
    for (name, _) in std::env::vars_os() {
        if CARGO_FAMILIES.iter().any(|family| name.to_string_lossy().starts_with(family)) {
            command.env_remove(&name);
        }
    }
    // One pipe for both outputs, so that they stay in the order in which they were written.
    let (pipe, writer) = std::io::pipe()?;
    command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer).process_group(0);
    let child = command.spawn()?;
    Ok((child, Output::of(pipe)?))
}

struct Running {
    leader: Pid,
    child: Child,
    output: Output,
}

impl Running {
    fn run(mut self, deadline: Instant, is_stopped: &dyn Fn() -> bool) -> Ran {
        let early = loop {
            if self.has_exited() {
                break None;
            } else if is_stopped() {
                break Some(End::Stopped);
            } else if Instant::now() >= deadline {
                break Some(End::TimedOut);
            }
            std::thread::sleep(LOOK_AGAIN);
        };
        if early.is_some() {
            self.signal(Signal::TERM);
            // A stopped process gets TERM only once it goes on.
            self.signal(Signal::CONT);
            // The grace is the whole group's: that none holds the pipe says that they are gone.
            self.wait(GRACE, |it| it.has_exited() && it.output.is_complete());
        }
        self.signal(Signal::KILL);
        let is_gone = self.wait(KILL_WAIT, Running::has_exited);
        self.wait(DRAIN, |it| it.output.is_complete());
        let status = is_gone.then(|| self.child.wait());
        let end = match (early, status) {
            (Some(early), _) => early,
            (None, Some(Ok(status))) => end_of(status),
            (None, Some(Err(error))) => End::NotStarted(format!("lost its process: {error}")),
            (None, None) => End::Stopped,
        };
        Ran { end, output: self.output.text() }
    }

    /// Not reaped by this: until then its number, and so its group's, stays its own.
    fn has_exited(&mut self) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        // An error says that there is nothing to wait for.
        !matches!(rustix::process::waitid(WaitId::Pid(self.leader), options), Ok(None))
    }

    /// Waits for something that should come soon; whether it came.
    fn wait(&mut self, limit: Duration, is_there: impl Fn(&mut Running) -> bool) -> bool {
        let until = Instant::now() + limit;
        while !is_there(self) {
            if Instant::now() >= until {
                return false;
            }
            std::thread::sleep(LOOK_AGAIN);
        }
        true
    }

    /// To the whole group; one that is gone already is no error.
    fn signal(&self, signal: Signal) {
        kill_process_group(self.leader, signal).ok();
    }
}

fn end_of(status: ExitStatus) -> End {
    match (status.code(), status.signal()) {
        (Some(code), _) => End::Exited(code),
        (None, signal) => End::Signalled(signal.unwrap_or_default()),
    }
}

/// The end of an output, read by a thread of its own so that whoever writes it never waits.
struct Output {
    tail: Arc<Mutex<Vec<u8>>>,
    complete: Receiver<()>,
    is_complete: bool,
}

impl Output {
    fn of(mut pipe: std::io::PipeReader) -> std::io::Result<Output> {
        let (sender, complete) = channel();
        let tail = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&tail);
        let read = move || {
            let mut buffer = vec![0; 16 << 10];
            while let Ok(count @ 1..) = pipe.read(&mut buffer) {
                let mut tail = kept.lock().unwrap_or_else(PoisonError::into_inner);
                tail.extend_from_slice(&buffer[..count]);
                if tail.len() > 2 * TAIL_BYTES {
                    let beyond = tail.len() - TAIL_BYTES;
                    tail.drain(..beyond);
                }
            }
            // Fails when nobody waits for it any more.
            sender.send(()).ok();
        };
        std::thread::Builder::new().name("gate output".to_owned()).spawn(read)?;
        Ok(Output { tail, complete, is_complete: false })
    }

    fn is_complete(&mut self) -> bool {
        self.is_complete = self.is_complete
            || !matches!(
                self.complete.recv_timeout(Duration::ZERO),
                Err(RecvTimeoutError::Timeout)
            );
        self.is_complete
    }

    fn text(&self) -> String {
        let tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&tail).into_owned()
    }
}

#[cfg(test)]
#[path = "process_tests.rs"]
mod tests;

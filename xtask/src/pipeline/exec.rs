//! Runs one step's process to its end, whatever it does: prints without end, ignores TERM, forks
//! and exits, leaves grandchildren that hold its pipe.
//!
//! The process leads a group of its own and gets no standard input. Its output is read until it is
//! complete or, after the leader's end, until [`DRAIN`] is over; what is left of the group is then
//! killed. Ended on request, it gets TERM, a grace for the whole group, then KILL.

pub mod capture;
pub mod environment;
pub mod family;
pub mod stop;

use capture::{Capture, Captured, Lines};
use family::{Family, kill_group};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};
use std::io::{PipeReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use stop::{Ear, Urgency};

/// From TERM to KILL. Long enough for a browser or a server to put its things in order; with what
/// comes after it, short enough for GitHub's 7.5 s between its first and second signal.
pub const GRACE: Duration = Duration::from_secs(4);

/// How long a killed process may take to go before it is given up: one that the kernel holds.
const KILL_WAIT: Duration = Duration::from_secs(1);

/// How long the output is still read after all that could be killed was. Only a process that could
/// not be found or not be killed holds the pipe longer.
const DRAIN: Duration = Duration::from_millis(500);

/// One read from the pipe: as much as it holds on Linux.
const READ_BYTES: usize = 64 << 10;

/// Lines that nobody took yet. Beyond it they are only in the captured output: a reader that is
/// slow must not stall the step.
const PENDING_BYTES: usize = 1 << 20;

/// How long a program whose file is not there is waited for.
const START_WAIT: Duration = Duration::from_secs(1);

/// How often lines that nobody took are offered again, and a program is looked for again.
const OFFER_EVERY: Duration = Duration::from_millis(20);

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    Exited(i32),
    /// By a signal that the runner did not send.
    Signalled(i32),
    TimedOut,
    /// On request.
    Stopped,
    NotStarted(String),
}

/// A process that ran.
#[derive(Debug)]
pub struct Ran {
    pub end: End,
    pub output: Captured,
    /// Whole lines at the end of the output that were not taken yet.
    pub lines: Vec<u8>,
    pub took: Duration,
}

/// Who ends a process, and what is told to whom.
pub struct Surroundings<'a> {
    pub family: &'a Family,
    /// The mark of the step's processes.
    pub mark: &'a str,
    pub ear: &'a Arc<Ear>,
    pub wake: &'a PipeReader,
    /// Takes lines as they come, or gives them back if it cannot take them now.
    pub offer: &'a mut dyn FnMut(Vec<u8>) -> Option<Vec<u8>>,
}

/// Runs a command to its end.
pub fn run(mut command: Command, timeout: Duration, around: &mut Surroundings<'_>) -> Ran {
    let start = Instant::now();
    match start_child(&mut command, around) {
        Ok((child, pipe)) => {
            // The command holds our ends of the pipe: its end comes only once they are closed.
            drop(command);
            Running::new(child, pipe, start, timeout).run(around)
        }
        Err(error) => {
            let program = command.get_program().display();
            Ran {
                end: End::NotStarted(format!("failed to start `{program}`: {error}")),
                output: Captured::default(),
                lines: Vec::new(),
                took: start.elapsed(),
            }
        }
    }
}

fn start_child(
    command: &mut Command,
    around: &Surroundings<'_>,
) -> std::io::Result<(Child, PipeReader)> {
    // One pipe for both outputs, so that they stay in the order in which they were written.
    let (pipe, writer) = std::io::pipe()?;
    command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
    let child = spawn(command, around)?;
    let pid = Pid::from_child(&child);
    let ear = Arc::clone(around.ear);
    std::thread::Builder::new().name("waiter".to_owned()).spawn(move || {
        // Not reaped here: until it is, its pid and its group's stay its own.
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while let Err(rustix::io::Errno::INTR) = rustix::process::waitid(WaitId::Pid(pid), options)
        {
        }
        ear.tell_exit();
    })?;
    Ok((child, pipe))
}

/// Starts the process. A program given by its path is tried again for a while: a step that builds
/// this very program takes its file away for a moment.
fn spawn(command: &mut Command, around: &Surroundings<'_>) -> std::io::Result<Child> {
    use std::io::ErrorKind::{ExecutableFileBusy, NotFound};
    let is_replaceable = Path::new(command.get_program()).is_absolute();
    let until = Instant::now() + START_WAIT;
    loop {
        match around.family.spawn(command, around.mark) {
            Err(error)
                if is_replaceable
                    && matches!(error.kind(), NotFound | ExecutableFileBusy)
                    && Instant::now() < until =>
            {
                std::thread::sleep(OFFER_EVERY);
            }
            result => return result,
        }
    }
}

/// Why a process is being ended, and since when by what.
#[derive(Debug)]
struct Ending {
    end: End,
    kill_at: Instant,
    give_up_at: Option<Instant>,
}

struct Running {
    child: Child,
    leader: Pid,
    pipe: Option<PipeReader>,
    start: Instant,
    deadline: Instant,
    capture: Capture,
    lines: Lines,
    pending: Vec<u8>,
    ending: Option<Ending>,
    drain_until: Option<Instant>,
}

impl Running {
    fn new(child: Child, pipe: PipeReader, start: Instant, timeout: Duration) -> Running {
        Running {
            leader: Pid::from_child(&child),
            child,
            pipe: Some(pipe),
            start,
            deadline: start + timeout,
            capture: Capture::default(),
            lines: Lines::new(start),
            pending: Vec::new(),
            ending: None,
            drain_until: None,
        }
    }

    fn run(mut self, around: &mut Surroundings<'_>) -> Ran {
        let mut buffer = vec![0; READ_BYTES];
        while !self.is_over(around) {
            let (has_output, has_news) = self.sleep(around.wake);
            if has_news {
                // What there is to hear is in the ear: how much was read says nothing more.
                let _woken = (&mut &*around.wake).read(&mut [0; 64]);
            }
            if has_output {
                self.read(&mut buffer);
            }
            if !self.pending.is_empty() {
                self.pending =
                    (around.offer)(std::mem::take(&mut self.pending)).unwrap_or_default();
            }
        }
        self.finish(around)
    }

    /// Decides what is due now.
    fn is_over(&mut self, around: &Surroundings<'_>) -> bool {
        let now = Instant::now();
        let urgency = around.ear.urgency();
        if self.ending.is_none() && self.drain_until.is_none() {
            if urgency > Urgency::None {
                self.terminate(End::Stopped, now);
            } else if now >= self.deadline {
                self.terminate(End::TimedOut, now);
            }
        }
        if let Some(ending) = &mut self.ending
            && ending.give_up_at.is_none()
            && (urgency == Urgency::Kill || now >= ending.kill_at)
        {
            kill_group(self.leader, Signal::KILL);
            ending.give_up_at = Some(now + KILL_WAIT);
        }
        let give_up_at = self.ending.as_ref().map(|ending| ending.give_up_at);
        // The grace is the whole group's: a shell that went at once leaves its children theirs. That
        // none holds the pipe any more says that they are gone.
        let is_grace_over = match give_up_at {
            Some(None) => self.pipe.is_none(),
            None | Some(Some(_)) => true,
        };
        if around.ear.has_exited() && is_grace_over && self.drain_until.is_none() {
            around.family.kill(self.leader, around.mark);
            self.drain_until = Some(Instant::now() + DRAIN);
        }
        match (self.drain_until, give_up_at.flatten()) {
            (Some(drain_until), _) => self.pipe.is_none() || now >= drain_until,
            (None, Some(give_up_at)) => now >= give_up_at,
            (None, None) => false,
        }
    }

    fn terminate(&mut self, end: End, now: Instant) {
        kill_group(self.leader, Signal::TERM);
        // A stopped process gets TERM only once it goes on.
        kill_group(self.leader, Signal::CONT);
        self.ending = Some(Ending { end, kill_at: now + GRACE, give_up_at: None });
    }

    /// Sleeps until there is something to read, something to hear, or something due.
    fn sleep(&self, wake: &PipeReader) -> (bool, bool) {
        let due = match (&self.ending, self.drain_until) {
            (_, Some(drain_until)) => drain_until,
            (Some(ending), None) => ending.give_up_at.unwrap_or(ending.kill_at),
            (None, None) => self.deadline,
        };
        let mut wait = due.saturating_duration_since(Instant::now());
        if !self.pending.is_empty() {
            wait = wait.min(OFFER_EVERY);
        }
        let timeout = Timespec::try_from(wait).ok();
        let mut fds = vec![PollFd::new(wake, PollFlags::IN)];
        fds.extend(self.pipe.as_ref().map(|pipe| PollFd::new(pipe, PollFlags::IN)));
        // An error is an interrupted sleep: then nothing is said of what there is to read.
        if rustix::event::poll(&mut fds, timeout.as_ref()).is_err() {
            return (false, false);
        }
        let is_ready = |at: usize| fds.get(at).is_some_and(|fd| !fd.revents().is_empty());
        (is_ready(1), is_ready(0))
    }

    fn read(&mut self, buffer: &mut [u8]) {
        let Some(pipe) = &mut self.pipe else { return };
        match pipe.read(buffer) {
            Ok(0) => self.pipe = None,
            Ok(count) => {
                self.capture.push(&buffer[..count]);
                let lines = self.lines.push(&buffer[..count], Instant::now());
                if self.pending.len() + lines.len() <= PENDING_BYTES {
                    self.pending.extend(lines);
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => self.pipe = None,
        }
    }

    fn finish(mut self, around: &Surroundings<'_>) -> Ran {
        let took = self.start.elapsed();
        let has_exited = around.ear.has_exited();
        // One that could not be killed is not waited for either.
        let status = has_exited.then(|| around.family.reap(&mut self.child));
        let end = match (self.ending, status) {
            (Some(ending), _) => ending.end,
            (None, Some(Ok(status))) => end_of(status),
            (None, Some(Err(error))) => End::NotStarted(format!("lost its process: {error}")),
            (None, None) => End::Stopped,
        };
        let mut lines = self.pending;
        lines.extend(self.lines.finish());
        Ran { end, output: self.capture.finish(), lines, took }
    }
}

fn end_of(status: std::process::ExitStatus) -> End {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => End::Exited(code),
        (None, signal) => End::Signalled(signal.unwrap_or_default()),
    }
}

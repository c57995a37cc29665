//! How running steps are told to end, from whatever thread: Ctrl-C, TERM, the first failure.
//!
//! Told in words of urgency only; what it takes is the business of whoever runs the step. The
//! signals are handled on a thread of their own, so that they work while the rest of the runner
//! waits for a full disk or a terminal that nobody reads.

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::collections::BTreeMap;
use std::io::{PipeReader, PipeWriter, Write};
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// After an interrupt the process ends by then, whatever still hangs: GitHub kills after 10 s, and
/// the steps' own grace and the report have to fit in before.
const LAST_RESORT: Duration = Duration::from_millis(6_500);

/// After a second signal the steps are killed, and the process ends by then.
const AFTER_KILL: Duration = Duration::from_millis(2_000);

/// Signals within this time are one: `timeout` and some wrappers send the same one twice.
const SAME_SIGNAL: Duration = Duration::from_millis(250);

/// How urgently a step has to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Urgency {
    /// It may go on.
    None = 0,
    /// It is asked to, then after a grace forced.
    Terminate = 1,
    /// It is forced at once.
    Kill = 2,
}

/// One running step's ear: woken through a pipe, because it sleeps in `poll`.
#[derive(Debug)]
pub struct Ear {
    urgency: AtomicU8,
    has_exited: AtomicBool,
    wake: PipeWriter,
}

impl Ear {
    /// An ear, and the pipe that becomes readable when there is something to hear.
    pub fn new() -> std::io::Result<(Arc<Ear>, PipeReader)> {
        let (reader, wake) = std::io::pipe()?;
        let urgency = AtomicU8::new(Urgency::None as u8);
        Ok((Arc::new(Ear { urgency, has_exited: AtomicBool::new(false), wake }), reader))
    }

    pub fn tell(&self, urgency: Urgency) {
        self.urgency.fetch_max(urgency as u8, Ordering::SeqCst);
        self.wake();
    }

    pub fn tell_exit(&self) {
        self.has_exited.store(true, Ordering::SeqCst);
        self.wake();
    }

    pub fn urgency(&self) -> Urgency {
        match self.urgency.load(Ordering::SeqCst) {
            0 => Urgency::None,
            1 => Urgency::Terminate,
            _ => Urgency::Kill,
        }
    }

    pub fn has_exited(&self) -> bool {
        self.has_exited.load(Ordering::SeqCst)
    }

    fn wake(&self) {
        // At most a handful of bytes in its whole life: the pipe never fills. It cannot be closed
        // either, as the step that sleeps on it holds the other end.
        (&self.wake).write_all(b".").ok();
    }
}

/// All running steps' ears, and whether the run has been interrupted.
#[derive(Debug, Default)]
pub struct Stop {
    ears: Mutex<BTreeMap<usize, Arc<Ear>>>,
    urgency: AtomicU8,
    signal: AtomicI32,
}

impl Stop {
    /// A step begins to listen; it hears at once what was said before.
    pub fn listen(&self, step: usize, ear: &Arc<Ear>) {
        let mut ears = self.ears.lock().unwrap_or_else(PoisonError::into_inner);
        ears.insert(step, Arc::clone(ear));
        match self.urgency.load(Ordering::SeqCst) {
            0 => {}
            1 => ear.tell(Urgency::Terminate),
            _ => ear.tell(Urgency::Kill),
        }
    }

    pub fn forget(&self, step: usize) {
        self.ears.lock().unwrap_or_else(PoisonError::into_inner).remove(&step);
    }

    /// Tells every step, those that begin later too.
    pub fn all(&self, urgency: Urgency) {
        let ears = self.ears.lock().unwrap_or_else(PoisonError::into_inner);
        self.urgency.fetch_max(urgency as u8, Ordering::SeqCst);
        ears.values().for_each(|ear| ear.tell(urgency));
    }

    /// Whether no step may begin any more.
    pub fn is_on(&self) -> bool {
        self.urgency.load(Ordering::SeqCst) > 0
    }

    /// The name of the signal that interrupted the run, and the exit code for it.
    pub fn signal(&self) -> Option<(&'static str, u8)> {
        match self.signal.load(Ordering::SeqCst) {
            0 => None,
            SIGINT => Some(("SIGINT", 130)),
            SIGHUP => Some(("SIGHUP", 143)),
            _ => Some(("SIGTERM", 143)),
        }
    }
}

/// Handles Ctrl-C, TERM and HUP from now on: the first asks all steps to end, the second forces
/// them. HUP stays ignored where it was, which is how `nohup` asks to go on without a terminal.
///
/// # Errors
/// When the system does not let it.
pub fn handle_signals(stop: &Arc<Stop>) -> std::io::Result<()> {
    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM])?;
    if !is_ignored(SIGHUP) {
        signals.add_signal(SIGHUP)?;
    }
    let stop = Arc::clone(stop);
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        let mut first: Option<Instant> = None;
        for signal in signals.forever() {
            match first {
                None => {
                    first = Some(Instant::now());
                    stop.signal.store(signal, Ordering::SeqCst);
                    stop.all(Urgency::Terminate);
                    end_at_last(&stop, LAST_RESORT);
                }
                Some(first) if first.elapsed() < SAME_SIGNAL => {}
                Some(_) => {
                    stop.all(Urgency::Kill);
                    end_at_last(&stop, AFTER_KILL);
                }
            }
        }
    })?;
    Ok(())
}

/// Whether this process was started with a signal ignored (proc_pid_status(5)).
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status
        .lines()
        .find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

/// Ends the process after this time, if it has not ended by itself.
fn end_at_last(stop: &Arc<Stop>, after: Duration) {
    let stop = Arc::clone(stop);
    let wait = move || {
        std::thread::sleep(after);
        std::process::exit(stop.signal().map_or(130, |(_, code)| i32::from(code)));
    };
    // Without this thread the run ends by itself all the same, unless something hangs.
    std::thread::Builder::new().name("last resort".to_owned()).spawn(wait).ok();
}

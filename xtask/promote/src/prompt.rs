//! Asks for an approval at the terminal.

use crate::gates::Prompt;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::termios::{QueueSelector, tcflush};
use std::io::{IsTerminal, Read, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Between two looks at whether the answer still counts.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Longest answer that is read.
const MAX_ANSWER_BYTES: usize = 256;

/// A person at this process's terminal.
#[derive(Debug, Default)]
pub struct TerminalPrompt {
    asked: Mutex<Option<String>>,
}

impl TerminalPrompt {
    /// `None` where nobody sits.
    pub fn here() -> Option<TerminalPrompt> {
        let is_here = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
        is_here.then(TerminalPrompt::default)
    }
}

impl Prompt for TerminalPrompt {
    fn ask(&self, question: &str, wait: Duration, is_stopped: &dyn Fn() -> bool) -> Option<bool> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if asked.as_deref() != Some(question) {
            *asked = Some(question.to_owned());
            // What was typed before the question is no answer to it.
            tcflush(std::io::stdin(), QueueSelector::IFlush).ok();
            let mut out = std::io::stdout().lock();
            // A question that cannot be shown is answered elsewhere.
            write!(out, "\r\u{1b}[2K  {question} ").and_then(|()| out.flush()).ok();
        }
        let deadline = Instant::now() + wait;
        while !is_stopped() && Instant::now() < deadline {
            if let Some(answer) = answered() {
                *asked = None;
                return Some(answer);
            }
        }
        None
    }
}

/// A line that was typed, within a short time.
fn answered() -> Option<bool> {
    let stdin = std::io::stdin();
    let mut fds = [PollFd::new(&stdin, PollFlags::IN)];
    let timeout = rustix::time::Timespec::try_from(LOOK_AGAIN).ok()?;
    if poll(&mut fds, Some(&timeout)).unwrap_or(0) == 0 {
        return None;
    }
    let mut line = [0; MAX_ANSWER_BYTES];
    let read = stdin.lock().read(&mut line).unwrap_or(0);
    if read == 0 {
        // The terminal is gone: wait as if nobody typed.
        std::thread::sleep(LOOK_AGAIN);
        return None;
    }
    let answer = String::from_utf8_lossy(&line[..read]).trim().to_ascii_lowercase();
    Some(matches!(answer.as_str(), "y" | "yes"))
}

//! Child processes that a built-in runs itself: cargo, the tools, a project's own commands.
//!
//! `xshell`'s `cmd!` says what to run; the standard library runs it, because a child's output has to
//! be read while it runs. By hand, a child leads a process group of its own and gets the signals
//! that `xtask` gets, so that Ctrl-C or TERM leaves nothing behind. Under the runner the child stays
//! in the step's group, which the runner ends as a whole.

use crate::steps::step::ARTIFACTS_ENV;
use report::{Exit, Fault, OUTCOME_ENV};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::ffi::OsString;
use std::io::{BufRead, BufReader, IsTerminal, PipeReader, PipeWriter, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

/// Longest line that is kept whole; a longer one arrives in pieces. Compiler messages as JSON reach
/// hundreds of kilobytes, and an endless line must not take all memory.
const MAX_LINE_BYTES: u64 = 4 << 20;

/// How much of the end of a child's standard error is kept, to say why it failed.
const MAX_TAIL_BYTES: usize = 16 << 10;

/// What cargo sets for the runner itself. A child cargo that inherits it rebuilds crates that nobody
/// changed.
const CARGO_FAMILIES: [&str; 4] = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_CFG_", "CARGO_BIN_"];
const CARGO_SINGLES: [&str; 3] = ["CARGO_CRATE_NAME", "CARGO_PRIMARY_PACKAGE", "OUT_DIR"];

/// The cargo to call: the one that runs us, which spares the start of rustup's proxy.
pub fn cargo() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// Whether the runner started this process as a step, and so reads its outcome.
pub fn is_under_runner() -> bool {
    std::env::var_os(OUTCOME_ENV).is_some()
}

/// Removes what cargo set for the runner itself from a child's environment.
pub fn scrub(command: &mut Command) -> &mut Command {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if CARGO_FAMILIES.iter().any(|family| text.starts_with(family))
            || CARGO_SINGLES.contains(&text.as_ref())
        {
            command.env_remove(&name);
        }
    }
    command
}

/// Which of a child's outputs are read; the other goes where ours goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read {
    Stdout,
    /// Both, in the order in which they were written.
    Both,
}

/// Runs a command to its end and gives its lines, without their line ends, as they come.
///
/// # Errors
/// When it cannot be started, or a signal to us ended it.
pub fn lines(
    command: impl Into<Command>,
    read: Read,
    mut on_line: impl FnMut(&[u8]) -> anyhow::Result<()>,
) -> anyhow::Result<ExitStatus> {
    let mut command = command.into();
    let (reader, writer) = std::io::pipe()?;
    if read == Read::Both {
        command.stderr(writer.try_clone()?);
    }
    command.stdout(writer).stdin(Stdio::null());
    let mut running = Running::start(&mut command)?;
    // The command holds our ends of the pipe: only the child's may stay open, or no end is ever read.
    drop(command);
    let read = read_lines(reader, &mut on_line);
    let status = running.wait()?;
    read?;
    Ok(status)
}

/// Runs a command to its end, gives the lines of its standard output as they come, and at the end
/// the tail of what it wrote to standard error, which goes where ours goes, too. On a terminal that
/// tail is empty: there the child draws its progress itself.
///
/// # Errors
/// As [`lines`].
pub fn lines_and_complaint(
    command: impl Into<Command>,
    on_line: impl FnMut(&[u8]) -> anyhow::Result<()>,
) -> anyhow::Result<(ExitStatus, String)> {
    let mut command = command.into();
    if std::io::stderr().is_terminal() {
        return Ok((lines(command, Read::Stdout, on_line)?, String::new()));
    }
    let (writer, complaint) = complaint()?;
    command.stderr(writer);
    let status = lines(command, Read::Stdout, on_line)?;
    Ok((status, complaint.end()))
}

/// The tail of what a child writes to standard error; all of it goes where ours goes, too.
#[derive(Debug)]
pub struct Complaint(std::thread::JoinHandle<Vec<u8>>);

/// A standard error for a child, and what is read from it.
///
/// # Errors
/// When no pipe can be made.
pub fn complaint() -> std::io::Result<(PipeWriter, Complaint)> {
    let (reader, writer) = std::io::pipe()?;
    Ok((writer, Complaint(std::thread::spawn(move || copy_errors(reader)))))
}

impl Complaint {
    /// Waits until the child has closed its standard error, and gives the tail of it.
    pub fn end(self) -> String {
        let tail = self.0.join().unwrap_or_default();
        String::from_utf8_lossy(&tail).into_owned()
    }
}

fn copy_errors(reader: PipeReader) -> Vec<u8> {
    let mut tail = Vec::new();
    // What cannot be copied is lost to people, yet the child must not block on it.
    read_lines(reader, &mut |line| {
        let mut stderr = std::io::stderr().lock();
        stderr.write_all(line).and_then(|()| stderr.write_all(b"\n")).ok();
        tail.extend_from_slice(line);
        tail.push(b'\n');
        if tail.len() > 2 * MAX_TAIL_BYTES {
            tail.drain(..tail.len() - MAX_TAIL_BYTES);
        }
        Ok(())
    })
    .ok();
    tail
}

/// Runs a command to its end, its output where ours goes.
///
/// # Errors
/// As [`lines`].
pub fn status(command: impl Into<Command>) -> anyhow::Result<ExitStatus> {
    let mut command = command.into();
    command.stdin(Stdio::null());
    Running::start(&mut command)?.wait()
}

/// Runs a short query and gives its standard output as text; `None` when it fails in any way.
pub fn query(command: impl Into<Command>) -> Option<String> {
    let mut command = command.into();
    let output = scrub(&mut command).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The exit code of an ended process as a shell gives it: 128 and the signal for a killed one.
pub fn code(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default())
}

fn read_lines(
    reader: PipeReader,
    on_line: &mut impl FnMut(&[u8]) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut reader = BufReader::new(reader);
    let mut line = Vec::new();
    let mut result = Ok(());
    loop {
        line.clear();
        let mut limited = std::io::Read::take(&mut reader, MAX_LINE_BYTES);
        if limited.read_until(b'\n', &mut line)? == 0 {
            return result;
        }
        let end = line.strip_suffix(b"\n").unwrap_or(&line);
        let end = end.strip_suffix(b"\r").unwrap_or(end);
        // After a failure the rest is still read, or the child would block on a full pipe.
        if result.is_ok() {
            result = on_line(end);
        }
    }
}

/// A started child that gets the signals that we get.
#[derive(Debug)]
struct Running {
    child: Child,
    program: String,
    signals: Option<(signal_hook::iterator::Handle, Arc<AtomicI32>)>,
}

impl Running {
    fn start(command: &mut Command) -> anyhow::Result<Running> {
        let program = command.get_program().to_string_lossy().into_owned();
        let leads_group = !is_under_runner();
        scrub(command);
        keep_to_ourselves(command);
        if leads_group {
            command.process_group(0);
        }
        let child = command.spawn().map_err(|error| start_fault(&program, &error))?;
        let signals = if leads_group { Some(forward_signals(&child)?) } else { None };
        Ok(Running { child, program, signals })
    }

    fn wait(&mut self) -> anyhow::Result<ExitStatus> {
        let status = self.child.wait()?;
        let Some((handle, caught)) = self.signals.take() else { return Ok(status) };
        handle.close();
        let message = format!("{} was stopped by a signal", self.program);
        match caught.load(Ordering::SeqCst) {
            0 => Ok(status),
            SIGINT => Err(Fault { exit: Exit::Interrupted, message }.into()),
            _ => Err(Fault { exit: Exit::Terminated, message }.into()),
        }
    }
}

/// Takes the runner's own variables from a child that was not given them on purpose: what a test
/// or a journey starts is no step of this run.
fn keep_to_ourselves(command: &mut Command) {
    for name in [OUTCOME_ENV, ARTIFACTS_ENV] {
        if !command.get_envs().any(|(given, value)| given == name && value.is_some()) {
            command.env_remove(name);
        }
    }
}

fn start_fault(program: &str, error: &std::io::Error) -> Fault {
    if error.kind() == std::io::ErrorKind::NotFound {
        return Fault::unreachable(format!(
            "`{program}` was not found: `cargo xtask doctor` says how to install what is missing"
        ));
    }
    Fault::unreachable(format!("failed to start `{program}`: {error}"))
}

fn forward_signals(
    child: &Child,
) -> anyhow::Result<(signal_hook::iterator::Handle, Arc<AtomicI32>)> {
    let group = rustix::process::Pid::from_child(child);
    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    let handle = signals.handle();
    let caught = Arc::new(AtomicI32::new(0));
    let seen = Arc::clone(&caught);
    std::thread::spawn(move || {
        for signal in signals.forever() {
            // The second signal means it: whatever ignored the first is killed.
            let sent = match (seen.swap(signal, Ordering::SeqCst), signal) {
                (0, SIGINT) => rustix::process::Signal::INT,
                (0, _) => rustix::process::Signal::TERM,
                _ => rustix::process::Signal::KILL,
            };
            // An error means that the group is gone already.
            rustix::process::kill_process_group(group, sent).ok();
        }
    });
    Ok((handle, caught))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn both_outputs_come_in_the_order_in_which_they_were_written() {
        let mut seen = Vec::new();
        let status = lines(shell("echo one; echo two >&2; printf three"), Read::Both, |line| {
            seen.push(String::from_utf8_lossy(line).into_owned());
            Ok(())
        })
        .unwrap();
        assert_eq!((code(status), seen), (0, vec!["one".into(), "two".into(), "three".into()]));
    }

    #[test]
    fn a_failing_reader_does_not_block_the_child() {
        let result =
            lines(shell("yes | head -c 1000000"), Read::Stdout, |_| anyhow::bail!("enough"));
        assert_eq!(result.unwrap_err().to_string(), "enough");
    }

    #[test]
    fn a_missing_program_is_a_fault_that_says_what_to_do() {
        let error = status(Command::new("no-such-program-here")).unwrap_err();
        assert_eq!(Fault::exit_of(&error), Exit::Unreachable);
        assert!(error.to_string().contains("cargo xtask doctor"), "{error}");
    }

    #[test]
    fn a_killed_child_has_a_shells_exit_code() {
        assert_eq!(code(status(shell("kill -9 $$")).unwrap()), 137);
    }
}

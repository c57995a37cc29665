//! An edge in the background: started, and ended by those who know its name only.

use super::presence;
use super::settings::Settings;
use crate::process_id::{ProcessId, is_running};
use anyhow::Context;
use release::EdgePresence;
use release::store::Directory;
use report::Fault;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::convert::Infallible;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// Beyond the time that a release's server may take: for fetching and proving releases.
const START_PATIENCE: Duration = Duration::from_secs(120);

/// An edge drains for 5 s at most, and then ends its servers.
const STOP_PATIENCE: Duration = Duration::from_secs(15);

/// What is shown of the log of an edge that did not start.
const SHOWN_LOG_BYTES: u64 = 8 * 1024;

/// A log that has grown so large begins anew; the one before is kept beside it.
const MAX_LOG_BYTES: u64 = 16 * 1024 * 1024;

const LOG_LOOK: Duration = Duration::from_secs(10);

/// Starts an edge that outlives this process, and waits until it serves. `arguments` are its own.
///
/// # Errors
/// When it does not start; with what it said.
pub fn start(settings: &Settings, arguments: &[String]) -> anyhow::Result<()> {
    let root = settings.folder.root();
    fs::create_dir_all(root).with_context(|| format!("failed to create {}", root.display()))?;
    let path = settings.folder.log();
    let open = || format!("failed to open {}", path.display());
    let log = File::options().create(true).append(true).open(&path).with_context(open)?;
    let log_start = log.metadata().with_context(open)?.len();
    let mut edge = Command::new("/proc/self/exe")
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .context("failed to start the edge")?;
    let stdout = edge.stdout.take().context("the edge has no standard output")?;
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = BufReader::new(stdout).read_line(&mut line);
        // The receiver is gone once it waited too long.
        sender.send(read.map(|_| line)).ok();
    });
    let patience = settings.ready_within + START_PATIENCE;
    let line = match receiver.recv_timeout(patience) {
        Ok(line) => line?,
        Err(_) => {
            edge.kill().ok();
            edge.wait().ok();
            String::new()
        }
    };
    if line.is_empty() {
        let code = edge.wait().ok().and_then(|status| status.code());
        let message = format!("the edge did not start: {}", said(&path, log_start));
        // It ends with the code that its fault deserves.
        return Err(match code {
            Some(2) => Fault::usage(message),
            Some(4) => Fault::refused(message),
            _ => Fault::unreachable(message),
        }
        .into());
    }
    print!("{line}");
    let (name, pid, log) = (&settings.name, edge.id(), path.display());
    say!("note: the edge of {name} runs as process {pid}; its log is {log}");
    Ok(())
}

/// What an edge wrote into its log since it was started: its error, or all of it.
fn said(log: &Path, start: u64) -> String {
    let read = || -> std::io::Result<String> {
        let mut file = File::open(log)?;
        let size = file.metadata()?.len();
        file.seek(SeekFrom::Start(start.max(size.saturating_sub(SHOWN_LOG_BYTES))))?;
        let mut bytes = Vec::new();
        file.take(SHOWN_LOG_BYTES).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    let text = read().unwrap_or_default();
    let error = text.rfind("error: ").map_or(&*text, |at| &text[at + "error: ".len()..]);
    match error.trim() {
        "" => "it said nothing".to_owned(),
        error => error.to_owned(),
    }
}

/// Leaves the terminal and the session of whoever started this process.
///
/// # Errors
/// When the system refuses.
pub fn leave_session() -> anyhow::Result<()> {
    rustix::process::setsid().map(|_| ()).context("failed to start a session")
}

/// Keeps the log of an edge in the background within bounds, for as long as it is polled.
pub async fn bound_log(path: &Path) -> Infallible {
    loop {
        tokio::time::sleep(LOG_LOOK).await;
        let size = fs::metadata(path).map_or(0, |metadata| metadata.len());
        if size <= MAX_LOG_BYTES {
            continue;
        }
        let before = path.with_extension("log.1");
        // The servers write into it, too: it is emptied in place, and its next line is its first.
        let emptied = fs::copy(path, &before)
            .and_then(|_| File::options().write(true).open(path))
            .and_then(|log| log.set_len(0));
        if let Err(error) = emptied {
            say!("warning: failed to begin {} anew: {error}", path.display());
        }
    }
}

/// Ends the edges of an environment that run on this machine, and waits until they have ended.
///
/// # Errors
/// When one does not end, or the store cannot be read.
pub fn stop(settings: &Settings, is_listen_given: bool) -> anyhow::Result<()> {
    let store = Directory::new(&settings.store);
    let address = format!("//{}", settings.listen);
    let is_meant = |edge: &EdgePresence| {
        presence::is_here(edge) && (!is_listen_given || edge.listen.ends_with(&address))
    };
    // One that could not write into the store is known by its folder alone.
    let unknown = settings.folder.user(&settings.name).filter(|_| !is_listen_given);
    let mut ended = Vec::new();
    for edge in EdgePresence::all(&store)?.into_iter().filter(is_meant) {
        end(ProcessId { pid: edge.pid, start_ticks: edge.start_ticks })?;
        println!(
            "ended the edge of {} at {} (process {})",
            edge.environment, edge.listen, edge.pid
        );
        ended.push(edge.pid);
    }
    if let Some(edge) = unknown.filter(|edge| !ended.contains(&edge.pid)) {
        end(edge)?;
        println!("ended the edge of {} (process {})", settings.name, edge.pid);
        ended.push(edge.pid);
    }
    if ended.is_empty() {
        say!("note: no edge of {} runs on this machine", settings.name);
    }
    Ok(())
}

fn end(edge: ProcessId) -> anyhow::Result<()> {
    let pid = i32::try_from(edge.pid).ok().and_then(Pid::from_raw).context("no process id")?;
    // Names the process from here on, whoever has its number next.
    let Ok(handle) = pidfd_open(pid, PidfdFlags::empty()) else { return Ok(()) };
    if !is_running(edge) {
        return Ok(());
    }
    pidfd_send_signal(&handle, Signal::TERM)
        .with_context(|| format!("failed to end the edge (process {})", edge.pid))?;
    let timeout =
        Timespec { tv_sec: i64::try_from(STOP_PATIENCE.as_secs()).unwrap_or(i64::MAX), tv_nsec: 0 };
    let mut polled = [PollFd::new(&handle, PollFlags::IN)];
    if poll(&mut polled, Some(&timeout))? == 0 {
        let (pid, seconds) = (edge.pid, STOP_PATIENCE.as_secs());
        let message = format!(
            "the edge (process {pid}) did not end within {seconds} s; `kill -9 {pid}` ends it, and \
             its servers with it"
        );
        return Err(Fault::unreachable(message).into());
    }
    Ok(())
}

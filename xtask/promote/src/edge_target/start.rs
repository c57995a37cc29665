//! Starts an edge that outlives the promoter.

use crate::target::TargetError;
use crate::tool::Tools;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long an edge may take until it says that it is running: it loads what is live before, whose server
/// has the usual time to be ready.
pub const START_LIMIT: Duration = Duration::from_secs(60);

/// Between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// How much of a failed start's complaint is told.
const MAX_COMPLAINT_LINES: usize = 5;

/// Starts the edge of an environment, in the background, within a limit.
///
/// # Errors
/// When the environment is served elsewhere, or the edge does not start.
pub fn start(
    tools: &Tools,
    environment: &str,
    listen: SocketAddr,
    root: &Path,
    limit: Duration,
    is_stopped: &dyn Fn() -> bool,
) -> Result<(), TargetError> {
    let command = format!("cargo xtask edge --env {environment}");
    if !is_local(listen) {
        return Err(TargetError(format!(
            "no edge serves {environment} at {listen}, which is not this machine's loopback: start \
             one there with `{command}`"
        )));
    }
    let program = tools.find("edge").map_err(|error| TargetError(error.to_string()))?;
    let failed =
        |reason: String| TargetError(format!("failed to run `{command} --detach`: {reason}"));
    // Into a file: a pipe would stay open for as long as the edge runs.
    let complaint = tempfile::tempfile().map_err(|error| failed(error.to_string()))?;
    let writer = complaint.try_clone().map_err(|error| failed(error.to_string()))?;
    let mut child = Command::new(&program)
        .args(["--env", environment, "--detach"])
        .current_dir(root)
        .env_remove(report::OUTCOME_ENV)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(writer)
        .spawn()
        .map_err(|error| failed(format!("{}: {error}", program.display())))?;
    let deadline = Instant::now() + limit;
    let status = loop {
        match child.try_wait().map_err(|error| failed(error.to_string()))? {
            Some(status) => break status,
            None if is_stopped() || Instant::now() >= deadline => {
                // It did not put itself into the background: then it is no edge to rely on.
                child.kill().ok();
                child.wait().ok();
                return Err(failed(match is_stopped() {
                    true => "it was not waited for".to_owned(),
                    false => format!("it did not start within {} s", limit.as_secs()),
                }));
            }
            None => std::thread::sleep(LOOK_AGAIN),
        }
    };
    if status.success() {
        return Ok(());
    }
    Err(failed(match last_lines(complaint) {
        said if said.is_empty() => status.to_string(),
        said => said,
    }))
}

/// Waits until an edge says that it is running.
///
/// # Errors
/// When none does in time, or it cannot be known.
pub fn wait(
    is_there: impl Fn() -> Result<bool, TargetError>,
    environment: &str,
    limit: Duration,
    is_stopped: &dyn Fn() -> bool,
) -> Result<(), TargetError> {
    let deadline = Instant::now() + limit;
    while !is_there()? {
        if is_stopped() || Instant::now() >= deadline {
            return Err(TargetError(format!(
                "the edge of {environment} was started, and does not say in the store that it runs \
                 within {} s",
                limit.as_secs()
            )));
        }
        std::thread::sleep(LOOK_AGAIN);
    }
    Ok(())
}

/// Whether an edge that listens there can be started here.
fn is_local(listen: SocketAddr) -> bool {
    listen.ip().is_loopback() || listen.ip().is_unspecified()
}

fn last_lines(mut file: std::fs::File) -> String {
    use std::io::{Read, Seek};
    let mut text = Vec::new();
    // What cannot be read is not told.
    file.rewind().and_then(|()| file.read_to_end(&mut text)).ok();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let last = &lines[lines.len().saturating_sub(MAX_COMPLAINT_LINES)..];
    last.join("; ").trim_start_matches("error: ").to_owned()
}

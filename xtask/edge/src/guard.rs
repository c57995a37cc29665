//! A server that ends with the edge, even when the edge is killed: the edge starts itself, which asks
//! the system for a signal at its parent's death (prctl(2), `PR_SET_PDEATHSIG`) and then becomes the
//! server. What was asked for survives that.

use rustix::process::{Signal, getppid, set_parent_process_death_signal};
use std::ffi::OsStr;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};

/// The first argument of an edge that is to become a server; the edge's process id follows, then the
/// server's program and its arguments.
const GUARD: &str = "--become-server-of";

/// Exit code of what could not be executed, as shells have it.
const NOT_EXECUTED: u8 = 127;

/// A command for a program that ends with this process. Its arguments are still to be added.
pub fn command(program: &Path) -> Command {
    // The very file that is running, also when another has taken its place.
    let mut command = Command::new("/proc/self/exe");
    command.arg(GUARD).arg(std::process::id().to_string()).arg(program);
    command
}

/// Becomes the server when that is what this process was started for; `None` when it was not.
pub fn become_server() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().as_deref() != Some(OsStr::new(GUARD)) {
        return None;
    }
    let edge = arguments.next().and_then(|edge| edge.to_str()?.parse::<i32>().ok());
    let program = arguments.next()?;
    if let Err(error) = set_parent_process_death_signal(Some(Signal::KILL)) {
        say!("warning: the server will outlive an edge that is killed: {error}");
    }
    // The edge may have died before it was asked for.
    if getppid().map(|parent| parent.as_raw_nonzero().get()) != edge {
        return Some(ExitCode::FAILURE);
    }
    let error = Command::new(&program).args(arguments).exec();
    say!("failed to execute {}: {error}", Path::new(&program).display());
    Some(NOT_EXECUTED.into())
}

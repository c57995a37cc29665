//! The latest release, served for as long as a step asks it questions.
//!
//! The edge runs beside the step and ends with it, whatever happens to the step: it watches its
//! standard input, which closes when this process is gone.

use crate::context::Context;
use crate::process;
use crate::tools;
use anyhow::Context as _;
use config::Config;
use report::{Fault, OUTCOME_ENV};
use serde::Deserialize;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// How long the edge may take to say where it listens. It gives up on a server that is never ready
/// by itself, and says why; this only bounds an edge that says nothing at all.
const READY_TIMEOUT: Duration = Duration::from_secs(90);

/// How long the edge may take to end: it drains for at most five seconds.
const END_TIMEOUT: Duration = Duration::from_secs(6);
const END_POLL: Duration = Duration::from_millis(10);

/// A release that is being served on a free port of the loopback interface.
#[derive(Debug)]
pub struct Served {
    edge: Child,
    /// Where it listens: `http://127.0.0.1:PORT`.
    pub url: String,
    /// The release's folder, absolute.
    pub folder: PathBuf,
}

#[derive(Debug, Deserialize)]
struct Hello {
    listening: String,
}

impl Served {
    /// Starts the edge on the latest release and waits until it answers.
    ///
    /// # Errors
    /// When there is no release (exit code 2), or it cannot be served (3).
    pub fn start(cx: &Context) -> anyhow::Result<Served> {
        let folder = latest(cx)?;
        let path = tools::find("edge")?;
        let mut command = Command::new(&path);
        command.arg("--release").arg(&folder).arg("--with-parent").current_dir(&cx.root);
        // The server inherits the edge's environment.
        let build = Config::load(&cx.root)?.build;
        command.envs(
            build.and_then(|build| build.server).map(|server| server.check_env).unwrap_or_default(),
        );
        command.env_remove(OUTCOME_ENV).stdin(Stdio::piped()).stdout(Stdio::piped());
        let (writer, complaint) = process::complaint()?;
        command.stderr(writer);
        let mut edge = process::scrub(&mut command)
            .spawn()
            .with_context(|| format!("failed to start {}", path.display()))?;
        // The command holds our end of the pipe: only the edge's may stay open.
        drop(command);
        let stdout = edge.stdout.take().context("the edge has no standard output")?;
        // From here on, dropping it ends the edge.
        let mut served = Served { edge, url: String::new(), folder };
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            let read = BufReader::new(stdout).read_line(&mut line);
            // The receiver is gone once it waited too long: nobody is left to tell.
            sender.send(read.map(|_| line)).ok();
        });
        let line = receiver.recv_timeout(READY_TIMEOUT).map_err(|_| {
            Fault::unreachable(format!(
                "the edge did not say where it listens within {} s",
                READY_TIMEOUT.as_secs()
            ))
        })??;
        let Ok(hello) = serde_json::from_str::<Hello>(&line) else {
            let folder = served.folder.display().to_string();
            // Ends it, and with it what it writes.
            drop(served);
            return Err(Fault::unreachable(format!(
                "failed to serve the release {folder}: {}",
                reason(&complaint.end())
            ))
            .into());
        };
        served.url = hello.listening;
        Ok(served)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.edge.stdin.take());
        let start = Instant::now();
        while start.elapsed() < END_TIMEOUT {
            match self.edge.try_wait() {
                Ok(None) => std::thread::sleep(END_POLL),
                Ok(Some(_)) | Err(_) => return,
            }
        }
        // It overstayed, and is ended the hard way; an error means that it is gone.
        self.edge.kill().ok();
        self.edge.wait().ok();
    }
}

/// What the edge said when it gave up: from its `error:` on.
fn reason(complaint: &str) -> String {
    let said = complaint.rfind("error: ").map_or(complaint, |at| complaint.split_at(at).1);
    match said.trim_start_matches("error: ").trim() {
        "" => "the edge ended and said nothing".to_owned(),
        said => said.to_owned(),
    }
}

/// The folder of the latest release.
fn latest(cx: &Context) -> anyhow::Result<PathBuf> {
    let releases = cx.root.join("target/xtask/releases");
    let missing = || Fault::usage("there is no release to serve: `cargo xtask build` makes one");
    let id = std::fs::read_to_string(releases.join("latest")).map_err(|_| missing())?;
    let folder = releases.join(id.trim());
    if id.trim().is_empty() || !folder.is_dir() {
        return Err(missing().into());
    }
    Ok(folder)
}

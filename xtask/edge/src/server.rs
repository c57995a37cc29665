//! The release's server process: started, waited for, watched, ended.
//!
//! Invariants: its output is passed on and its end is kept for the error; it never outlives the edge,
//! however that ends (see [`crate::guard`]).

use crate::guard;
use crate::server_record::ServerRecord;
use crate::setting::Setting;
use anyhow::Context;
use http_body_util::Empty;
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use release::{Release, ServerEntry};
use report::Fault;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// A server that is not ready by then never will be; migrations of a first start fit in.
pub const READY_TIMEOUT: Duration = Duration::from_secs(30);

/// Between two questions whether it is ready; short, because every start waits for it.
const READY_PAUSE: Duration = Duration::from_millis(20);

/// For one answer to that question.
const READY_ANSWER: Duration = Duration::from_secs(2);

/// From TERM to KILL. With the draining before it, the edge ends within 5 s.
const STOP_GRACE: Duration = Duration::from_millis(1_500);

/// For the last output of a server that died; a process that it left behind may hold the pipe.
const LAST_OUTPUT: Duration = Duration::from_millis(500);

/// What is kept of its output for the error; a screenful of log lines.
const KEPT_OUTPUT_BYTES: usize = 16 * 1024;

/// The release's server process.
#[derive(Debug)]
pub struct ServerProcess {
    child: Child,
    /// In an environment, also that of its group.
    pid: Option<Pid>,
    address: SocketAddr,
    output: Arc<Mutex<VecDeque<u8>>>,
    pumps: Vec<JoinHandle<()>>,
    /// While a release is only checked: deleted with the server.
    folder: Option<tempfile::TempDir>,
    /// In an environment: set as long as the server may be running.
    record: Option<ServerRecord>,
}

impl ServerProcess {
    /// Starts the server of a release on a free port of the loopback. Call it on a thread that lives as
    /// long as the edge: the server ends with the thread.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(
        release: &Release,
        server: &ServerEntry,
        setting: &Setting,
    ) -> anyhow::Result<ServerProcess> {
        let address = free_address()?;
        let program = std::path::absolute(release.dir().join(&server.path))?;
        let mut command = Command::from(guard::command(&program));
        let folder = setting.apply(&mut command, release, server)?;
        let mut child = command
            .args(&server.args)
            .env(&server.listen_env, address.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| {
                let program = program.display();
                Fault::unreachable(format!("failed to start the server {program}: {error}"))
            })?;
        let record = setting.record(child.id());
        let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        let output = Arc::default();
        let mut pumps = Vec::new();
        if let Some(stdout) = child.stdout.take() {
            pumps.push(tokio::spawn(pump(stdout, Arc::clone(&output))));
        }
        if let Some(stderr) = child.stderr.take() {
            pumps.push(tokio::spawn(pump(stderr, Arc::clone(&output))));
        }
        Ok(ServerProcess { child, pid, address, output, pumps, folder, record })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until the server answers 2xx at `path`.
    ///
    /// # Errors
    /// When it dies before, or is not ready in time; with its last output.
    pub async fn ready(&mut self, path: &str, within: Duration) -> anyhow::Result<()> {
        let last = Mutex::new("it took no connection".to_owned());
        let is_ready = async {
            loop {
                match ask(self.address, path).await {
                    Ok(()) => return,
                    Err(found) => *last.lock().unwrap_or_else(PoisonError::into_inner) = found,
                }
                tokio::time::sleep(READY_PAUSE).await;
            }
        };
        let ended = tokio::select! {
            () = is_ready => return Ok(()),
            status = self.child.wait() => Some(status?),
            () = tokio::time::sleep(within) => None,
        };
        let why = match ended {
            Some(status) => format!("the server died before it was ready: {status}"),
            None => {
                let last = last.into_inner().unwrap_or_else(PoisonError::into_inner);
                format!(
                    "the server was not ready within {within:?}: expected 2xx at {path}, {last}"
                )
            }
        };
        Err(self.fault(&why).await)
    }

    /// Waits until the server dies, which it never should; gives the error that says so.
    pub async fn died(&mut self) -> anyhow::Error {
        let status = self.child.wait().await;
        let status = status.map_or_else(|error| error.to_string(), |status| status.to_string());
        self.fault(&format!("the server died: {status}")).await
    }

    /// Ends the server: TERM, then KILL.
    pub async fn stop(mut self) {
        if !self.terminate() || timeout(STOP_GRACE, self.child.wait()).await.is_err() {
            // Fails only when it has ended by itself.
            let _ = self.child.kill().await;
        }
        self.end_group();
        self.drain().await;
        if let Some(folder) = self.folder.take()
            && let Err(error) = folder.close()
        {
            say!("warning: failed to delete the server's working folder: {error}");
        }
    }

    /// Ends what the server left behind; most leave nothing.
    fn end_group(&mut self) {
        if let (Some(record), Some(group)) = (self.record.take(), self.pid) {
            let _ = kill_process_group(group, Signal::KILL);
            record.remove();
        }
    }

    fn terminate(&self) -> bool {
        // Its number is its own only until its end was seen.
        self.pid
            .filter(|_| self.child.id().is_some())
            .is_some_and(|pid| kill_process(pid, Signal::TERM).is_ok())
    }

    async fn drain(&mut self) {
        for pump in &mut self.pumps {
            if timeout(LAST_OUTPUT, &mut *pump).await.is_err() {
                pump.abort();
            }
        }
        self.pumps.clear();
    }

    async fn fault(&mut self, why: &str) -> anyhow::Error {
        self.drain().await;
        let output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes: Vec<u8> = output.iter().copied().collect();
        let text = String::from_utf8_lossy(&bytes);
        let said = match text.trim_end() {
            "" => "it printed nothing".to_owned(),
            text => format!("its last output:\n{text}"),
        };
        Fault::unreachable(format!("{why}; {said}")).into()
    }
}

/// One that was still being started when nobody wanted it any more is not stopped, but dropped.
impl Drop for ServerProcess {
    fn drop(&mut self) {
        self.end_group();
    }
}

fn free_address() -> anyhow::Result<SocketAddr> {
    std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .context("failed to find a free port for the server")
}

/// Asks whether a server answers 2xx at `path`; else says what was found.
pub async fn ask(address: SocketAddr, path: &str) -> Result<(), String> {
    let client = Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>();
    let uri = format!("http://{address}{path}").parse().map_err(|error| format!("{error}"))?;
    match timeout(READY_ANSWER, client.get(uri)).await {
        Ok(Ok(answer)) if answer.status().is_success() => Ok(()),
        Ok(Ok(answer)) => Err(format!("found {}", answer.status())),
        Ok(Err(error)) if error.is_connect() => Err("it took no connection".to_owned()),
        Ok(Err(error)) => Err(format!("found no answer: {error}")),
        Err(_) => Err(format!("found no answer within {READY_ANSWER:?}")),
    }
}

/// Passes the server's output on to standard error, and keeps its end.
async fn pump(mut from: impl AsyncRead + Unpin, output: Arc<Mutex<VecDeque<u8>>>) {
    let mut chunk = vec![0; 8 * 1024];
    let mut stderr = tokio::io::stderr();
    while let Ok(count @ 1..) = from.read(&mut chunk).await {
        {
            let mut kept = output.lock().unwrap_or_else(PoisonError::into_inner);
            kept.extend(&chunk[..count]);
            let excess = kept.len().saturating_sub(KEPT_OUTPUT_BYTES);
            kept.drain(..excess);
        }
        // The server must not stall because nobody reads what it says.
        let _ = stderr.write_all(&chunk[..count]).await;
        let _ = stderr.flush().await;
    }
}

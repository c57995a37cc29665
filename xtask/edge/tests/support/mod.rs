//! Fixture projects, the edge as a process, and a client that sends exactly what it is told to.

#![expect(dead_code, reason = "each test binary uses its own part")]

pub mod client;
pub mod environment;
pub mod tls;
pub mod upstream;

use release::ReleaseDir;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;
use tempfile::TempDir;

/// Headers of the policy of every fixture.
pub const POLICY: &str = "[headers]\ncontent-security-policy = \"default-src 'none'\"\n\
                          x-frame-options = \"DENY\"\n\
                          strict-transport-security = \"max-age=31536000\"\n";

/// A project and the release that was made of it.
pub struct Project {
    root: TempDir,
    pub release: ReleaseDir,
}

/// A running edge. Dropped: its standard input closes, so it ends.
pub struct Edge {
    child: Child,
    stdin: Option<ChildStdin>,
    stderr: Option<JoinHandle<String>>,
    said: Arc<Said>,
    pub address: SocketAddr,
    pub id: String,
}

/// What it said on standard error so far.
#[derive(Default)]
struct Said(Mutex<String>, Condvar);

/// A test that waits longer for something to be said has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// Makes a release of these files, and of a server when its extra lines of `[build.server]` are given.
pub fn project(files: &[(&str, &[u8])], server: Option<&str>) -> Project {
    let root = tempfile::tempdir().unwrap();
    for (path, contents) in files {
        let path = root.path().join("public").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, contents).unwrap();
    }
    let mut toml = "[project]\nname = \"fixture\"\n[build]\nsite = \"public\"\n".to_owned();
    if let Some(lines) = server {
        // The server is this test's own binary, run for the one "test" that serves.
        let program = std::env::current_exe().unwrap();
        let script = format!(
            "#!/bin/sh\nexec '{}' upstream --exact --ignored --nocapture\n",
            program.display()
        );
        let path = root.path().join("server");
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        toml += &format!("[build.server]\npath = \"server\"\nready = \"/ready\"\n{lines}\n");
    }
    fs::write(root.path().join("xtask.toml"), toml + POLICY).unwrap();
    let config = config::Config::load(root.path()).unwrap();
    let build = config.build.clone().unwrap();
    let made = release::make::make(root.path(), &config, &build, None).unwrap();
    Project { root, release: made.dir }
}

impl Project {
    pub fn root(&self) -> &Path {
        self.root.path()
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask-edge"));
        command
            .arg("--with-parent")
            .current_dir(self.root())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Starts the edge and waits for its line.
    pub fn serve(&self) -> Edge {
        self.serve_with(&[])
    }

    /// Starts the edge with further arguments and waits for its line.
    pub fn serve_with(&self, args: &[&str]) -> Edge {
        let mut command = self.command();
        command.args(args);
        Edge::start(command)
    }

    /// Starts the edge, expects it to end by itself; gives its exit code, output and errors.
    pub fn serve_in_vain(&self) -> (Option<i32>, String, String) {
        let mut child = self.command().spawn().unwrap();
        let stdin = child.stdin.take();
        let output = child.wait_with_output().unwrap();
        drop(stdin);
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        (output.status.code(), text(output.stdout), text(output.stderr))
    }
}

impl Edge {
    /// Starts it and waits for its line.
    pub fn start(mut command: Command) -> Edge {
        let mut child = command.spawn().unwrap();
        let stdin = child.stdin.take();
        let said = Arc::new(Said::default());
        let stderr = {
            let (said, stderr) = (Arc::clone(&said), BufReader::new(child.stderr.take().unwrap()));
            std::thread::spawn(move || {
                for line in stderr.split(b'\n') {
                    let line = String::from_utf8_lossy(&line.unwrap()).into_owned();
                    *said.0.lock().unwrap() += &(line + "\n");
                    said.1.notify_all();
                }
                said.0.lock().unwrap().clone()
            })
        };
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        if line.is_empty() {
            panic!("the edge did not start: {}", stderr.join().unwrap());
        }
        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        let (_, address) = line["listening"].as_str().unwrap().split_once("://").unwrap();
        let address = address.parse().unwrap();
        let id = line["release"].as_str().unwrap().to_owned();
        Edge { child, stdin, stderr: Some(stderr), said, address, id }
    }

    /// Waits until it has said this on standard error.
    pub fn wait_until_said(&self, text: &str) {
        let said = self.said.0.lock().unwrap();
        let (said, timeout) =
            self.said.1.wait_timeout_while(said, PATIENCE, |said| !said.contains(text)).unwrap();
        assert!(!timeout.timed_out(), "expected {text:?}, found {said}");
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Closes its standard input; gives how it ended and what it said on standard error.
    pub fn close(mut self) -> (ExitStatus, String) {
        self.stdin = None;
        self.wait()
    }

    /// Sends it a signal; gives how it ended and what it said.
    pub fn signal(mut self, signal: rustix::process::Signal) -> (ExitStatus, String) {
        let pid = i32::try_from(self.child.id()).unwrap();
        rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), signal)
            .unwrap();
        self.wait()
    }

    /// Waits until it ends; gives how, and what it said.
    pub fn wait(&mut self) -> (ExitStatus, String) {
        let status = self.child.wait().unwrap();
        (status, self.stderr.take().unwrap().join().unwrap())
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        self.stdin = None;
        let _ = self.child.wait();
    }
}

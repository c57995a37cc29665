//! An environment in a temporary folder: its store, its routing, and the edge that serves it.

use super::client::{Answer, get, get_with};
use super::{Project, project};
use release::routing::{Candidate, Routing};
use release::store::{Directory, Etag, upload};
use release::{Release, ReleaseId};
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A test that waits longer for something has failed.
const PATIENCE: Duration = Duration::from_secs(20);
const LOOK: Duration = Duration::from_millis(2);

pub struct Environment {
    root: TempDir,
    pub store: Directory,
    routing: Routing,
    seen: Option<Etag>,
}

/// An edge that serves an environment. Dropped: its standard input closes, so it ends.
pub struct EnvironmentEdge {
    child: Child,
    stdin: Option<ChildStdin>,
    stderr: Option<JoinHandle<String>>,
    pub address: SocketAddr,
    pub admin: SocketAddr,
    pub instance: String,
}

impl Environment {
    pub fn new() -> Environment {
        let root = tempfile::tempdir().unwrap();
        let store = Directory::new(root.path().join("store"));
        Environment { root, store, routing: Routing::empty(), seen: None }
    }

    pub fn root(&self) -> &std::path::Path {
        self.root.path()
    }

    pub fn folder(&self) -> PathBuf {
        self.root().join("target/xtask/edge/test")
    }

    /// Makes a release and brings it into the store.
    pub fn add(&self, files: &[(&str, &[u8])], server: Option<&str>) -> ReleaseId {
        self.add_project(&project(files, server))
    }

    pub fn add_project(&self, project: &Project) -> ReleaseId {
        let release = Release::open(&project.release.path).unwrap();
        upload(&self.store, &release).unwrap();
        release.manifest().id.clone()
    }

    /// Changes the routing in the store.
    pub fn route(&mut self, change: impl FnOnce(&mut Routing)) {
        change(&mut self.routing);
        self.routing.generation += 1;
        self.seen = Some(self.routing.write(&self.store, self.seen.as_ref()).unwrap());
    }

    pub fn live(&mut self, id: &ReleaseId) {
        self.route(|routing| {
            let before = routing.live.replace(id.clone());
            routing.previous = before.filter(|before| before != id);
            routing.candidate = None;
        });
    }

    /// `share` in per mille.
    pub fn candidate(&mut self, id: &ReleaseId, share: u16) {
        self.route(|routing| {
            let share = share.try_into().unwrap();
            routing.candidate = Some(Candidate { release: id.clone(), share });
            routing.salt = "salt".to_owned();
        });
    }

    pub fn generation(&self) -> u64 {
        self.routing.generation
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask-edge"));
        command
            .args(["--env", "test", "--store", "store"])
            .args(arguments)
            // Of whoever starts the edge: no server is to see it.
            .env("LEAKED", "leaked")
            .current_dir(self.root())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub fn serve(&self) -> EnvironmentEdge {
        self.serve_with(&[])
    }

    /// Starts the edge and waits for its line.
    pub fn serve_with(&self, arguments: &[&str]) -> EnvironmentEdge {
        let mut child = self.command(arguments).arg("--with-parent").spawn().unwrap();
        let stdin = child.stdin.take();
        let mut stderr = child.stderr.take().unwrap();
        let stderr = std::thread::spawn(move || {
            let mut said = Vec::new();
            stderr.read_to_end(&mut said).unwrap();
            String::from_utf8_lossy(&said).into_owned()
        });
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        if line.is_empty() {
            panic!("the edge did not start: {}", stderr.join().unwrap());
        }
        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        let address =
            |name: &str| line[name].as_str().unwrap().split_once("://").unwrap().1.parse().unwrap();
        EnvironmentEdge {
            child,
            stdin,
            stderr: Some(stderr),
            address: address("listening"),
            admin: address("admin"),
            instance: line["instance"].as_str().unwrap().to_owned(),
        }
    }

    /// Runs the edge's command to its end; gives its exit code, output and errors.
    pub fn run(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let mut child = self.command(arguments).spawn().unwrap();
        let stdin = child.stdin.take();
        let output = child.wait_with_output().unwrap();
        drop(stdin);
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        (output.status.code(), text(output.stdout), text(output.stderr))
    }
}

/// Waits until something is so; fails with what was seen last.
pub fn until<T: std::fmt::Debug>(what: &str, mut look: impl FnMut() -> (bool, T)) -> T {
    let start = Instant::now();
    loop {
        let (is_so, seen) = look();
        if is_so {
            return seen;
        }
        assert!(start.elapsed() < PATIENCE, "waited in vain until {what}: {seen:#?}");
        std::thread::sleep(LOOK);
    }
}

impl EnvironmentEdge {
    pub fn get(&self, target: &str) -> Answer {
        get(self.address, target)
    }

    pub fn get_with(&self, target: &str, headers: &str) -> Answer {
        get_with(self.address, target, headers)
    }

    /// The page at `/`, asked of a release on purpose.
    pub fn page_of(&self, wish: &str) -> Answer {
        self.get_with("/", &format!("x-slipway-release: {wish}\r\n"))
    }

    pub fn json(&self, target: &str) -> serde_json::Value {
        serde_json::from_str(&get(self.admin, target).text()).unwrap()
    }

    pub fn status(&self) -> serde_json::Value {
        self.json("/status")
    }

    /// Waits until `/status` shows something.
    pub fn until(
        &self,
        what: &str,
        mut is_so: impl FnMut(&serde_json::Value) -> bool,
    ) -> serde_json::Value {
        until(what, || {
            let status = self.status();
            (is_so(&status), status)
        })
    }

    /// Waits until a release is in a state.
    pub fn until_state(&self, id: &ReleaseId, state: &str) -> serde_json::Value {
        let id = id.as_str();
        self.until(&format!("{id} is {state}"), |status| status["releases"][id]["state"] == state)
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Kills it, as a crash would.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Closes its standard input; gives how it ended and what it said on standard error.
    pub fn close(mut self) -> (ExitStatus, String) {
        self.stdin = None;
        let status = self.child.wait().unwrap();
        (status, self.stderr.take().unwrap().join().unwrap())
    }
}

impl Drop for EnvironmentEdge {
    fn drop(&mut self) {
        self.stdin = None;
        let _ = self.child.wait();
    }
}

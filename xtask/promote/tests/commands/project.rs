//! A plain site in a folder of its own, with staging and production on free loopback ports.

use release::evidence::{Document, Evidence, EvidenceFolder, FindingCounts, Origin};
use release::signing::Keyring;
use release::{EdgePresence, Release, ReleaseId};
use report::Status;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Once;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long is waited for something that must happen before a test gives up on it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A project. Dropped: its edges end.
pub struct Project {
    folder: TempDir,
    ports: [u16; 2],
}

/// What a command came to.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// A command that is running. Dropped: it is killed.
pub struct Running(Option<Child>);

impl Project {
    /// `production`: further lines of `[environments.production]`.
    pub fn new(production: &str) -> Project {
        make_tools();
        let project =
            Project { folder: tempfile::tempdir().unwrap(), ports: [free_port(), free_port()] };
        let [staging, live] = project.ports;
        project.write(
            "xtask.toml",
            &format!(
                "[project]\nname = \"shop\"\n[build]\nsite = \"site\"\n\
                 [steps.audit]\nwhen = \"never\"\n\
                 [environments.staging]\nstore = \"env/staging\"\nlisten = \"127.0.0.1:{staging}\"\n\
                 [environments.production]\nstore = \"env/production\"\n\
                 listen = \"127.0.0.1:{live}\"\nneeds = [\"staging\"]\n{production}\n"
            ),
        );
        project
    }

    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    pub fn write(&self, path: &str, text: &str) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.root().join(path)).unwrap()
    }

    pub fn has(&self, path: &str) -> bool {
        self.root().join(path).exists()
    }

    /// Builds a release of one page, signed by the development key, without evidence.
    pub fn build(&self, page: &str) -> Release {
        self.write("site/index.html", page);
        let config = config::Config::load(self.root()).unwrap();
        let build = config.build.clone().unwrap();
        let (key, _) = Keyring::default().signing_key(self.root()).unwrap();
        let made = release::make::make_signed(self.root(), &config, &build, None, &key).unwrap();
        Release::open(&made.dir.path).unwrap()
    }

    /// Builds a release whose steps all passed.
    pub fn release(&self, page: &str) -> ReleaseId {
        let release = self.build(page);
        self.prove(&release, "build", Status::Passed);
        release.manifest().id.clone()
    }

    /// Records what a step came to.
    pub fn prove(&self, release: &Release, step: &str, status: Status) {
        let (key, _) = Keyring::default().signing_key(self.root()).unwrap();
        let id = release.manifest().id.clone();
        let evidence = Evidence {
            version: release::evidence::EVIDENCE_VERSION,
            release: id.clone(),
            manifest_sha256: release.manifest_sha256(),
            step: step.to_owned(),
            status,
            summary: format!("{step} {status}"),
            findings: FindingCounts::default(),
            measures: Vec::new(),
            started_at: "2026-11-23T09:00:00Z".to_owned(),
            duration_ms: 1,
            replayed: false,
            fingerprint: None,
            run: "1".to_owned(),
            commit: None,
            origin: Origin { tool: "test".to_owned(), who: None },
        };
        let document = Document::sign(evidence, &key).unwrap();
        EvidenceFolder::of(self.root(), &id).write(&document).unwrap();
    }

    /// A command, with nothing of this process's own surroundings that would change what it does.
    pub fn command(&self, name: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary(name));
        command.args(arguments).current_dir(self.root()).stdin(Stdio::null());
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text == "CI" || text.starts_with("GITHUB_") || text.starts_with("XTASK_") {
                command.env_remove(&name);
            }
        }
        let home = self.root().join("home");
        command
            .env("HOME", &home)
            .env("XDG_CONFIG_HOME", home.join("config"))
            .env("USER", "alice")
            .env("LANG", "C.UTF-8");
        command
    }

    pub fn run(&self, name: &str, arguments: &[&str]) -> Ran {
        Ran::of(&self.command(name, arguments).output().unwrap())
    }

    pub fn promote(&self, arguments: &[&str]) -> Ran {
        self.run("promote", arguments)
    }

    pub fn start(&self, name: &str, arguments: &[&str]) -> Running {
        let mut command = self.command(name, arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Running(Some(command.spawn().unwrap()))
    }

    /// One environment as `status --json` shows it.
    pub fn status(&self, environment: &str) -> serde_json::Value {
        let ran = self.run("status", &["--json", "--env", environment]);
        ran.expect(0);
        let mut json: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        json["environments"][0].take()
    }

    /// The page that production serves now.
    pub fn page(&self) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.ports[1])).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
            .write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split_once("\r\n\r\n").unwrap().1.to_owned()
    }

    /// Waits until the rollout in production is at this phase.
    pub fn wait_for_phase(&self, phase: &str) {
        wait(&format!("production to be at {phase}"), || {
            self.status("production")["rollout"]["phase"] == phase
        });
    }

    /// Ends the edges of an environment.
    pub fn end_edges(&self, environment: &str) {
        let store = release::store::Directory::new(self.root().join("env").join(environment));
        for edge in EdgePresence::all(&store).unwrap_or_default() {
            let pid = Pid::from_raw(i32::try_from(edge.pid).unwrap()).unwrap();
            let is_ours =
                edge.environment == environment && kill_process(pid, Signal::TERM).is_ok();
            if is_ours {
                wait("the edge to end", || test_kill_process(pid).is_err());
            }
        }
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        self.end_edges("staging");
        self.end_edges("production");
    }
}

impl Ran {
    pub fn of(output: &Output) -> Ran {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ran {
            code: output.status.code(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }

    #[track_caller]
    pub fn expect(&self, code: i32) -> &Ran {
        assert_eq!(self.code, Some(code), "{}\n{}", self.stdout, self.stderr);
        self
    }
}

impl Running {
    fn pid(&self) -> Pid {
        Pid::from_child(self.0.as_ref().unwrap())
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// Waits until it ends.
    pub fn end(mut self) -> Ran {
        Ran::of(&self.0.take().unwrap().wait_with_output().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            child.kill().ok();
            child.wait().ok();
        }
    }
}

/// Waits for something that must happen.
#[track_caller]
pub fn wait(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn binary(name: &str) -> PathBuf {
    PathBuf::from(match name {
        "promote" => env!("CARGO_BIN_EXE_xtask-promote"),
        "rollback" => env!("CARGO_BIN_EXE_xtask-rollback"),
        "status" => env!("CARGO_BIN_EXE_xtask-status"),
        "history" => env!("CARGO_BIN_EXE_xtask-history"),
        "freeze" => env!("CARGO_BIN_EXE_xtask-freeze"),
        "unfreeze" => env!("CARGO_BIN_EXE_xtask-unfreeze"),
        other => panic!("no binary {other}"),
    })
}

/// The promoter finds the edge and the smoke checks beside itself: other packages', so nothing has built
/// them for certain.
fn make_tools() {
    static MADE: Once = Once::new();
    MADE.call_once(|| {
        let folder = binary("promote").parent().unwrap().to_path_buf();
        if ["xtask-edge", "xtask-smoke"].iter().all(|tool| folder.join(tool).is_file()) {
            return;
        }
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command
            .args(["build", "--quiet", "-p", "edge", "-p", "xtask-probe", "--target-dir"])
            .arg(folder.parent().unwrap());
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_CFG_", "CARGO_BIN_"]
                .iter()
                .any(|family| text.starts_with(family))
            {
                command.env_remove(&name);
            }
        }
        assert!(command.status().unwrap().success(), "failed to build the tools");
    });
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

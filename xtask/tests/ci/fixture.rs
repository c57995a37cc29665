//! A small project in a temporary folder, and `xtask ci` run on it.

use report::{Report, Status, StepReport};
use rustix::process::{Pid, Signal};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long is waited for something that must happen before a test gives up on it.
const PATIENCE: Duration = Duration::from_secs(30);

/// A project whose steps are those of its `xtask.toml`.
pub struct Project {
    folder: TempDir,
}

/// What a run of `xtask` came to.
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Project {
    pub fn new(steps: &str) -> Project {
        let folder = tempfile::tempdir().unwrap();
        let project = Project { folder };
        project.write(
            "xtask.toml",
            &format!("[project]\nname = \"fixture\"\n[steps.audit]\nwhen = \"never\"\n{steps}"),
        );
        project
    }

    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    pub fn write(&self, path: &str, text: &str) {
        let path = self.root().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.root().join(path)).unwrap()
    }

    pub fn has(&self, path: &str) -> bool {
        self.root().join(path).exists()
    }

    /// `xtask ci`, with nothing of this process's own surroundings that would change what it does.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.arg("ci").args(arguments).current_dir(self.root()).stdin(Stdio::null());
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text == "CI" || text.starts_with("GITHUB_") || text.starts_with("XTASK_") {
                command.env_remove(&name);
            }
        }
        command
    }

    pub fn ci(&self, arguments: &[&str]) -> Ran {
        Ran::of(&self.command(arguments).output().unwrap())
    }

    pub fn start(&self, arguments: &[&str]) -> Running {
        let child =
            self.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        Running { child: Some(child) }
    }

    /// The report of the last run.
    pub fn report(&self) -> Report {
        let run = self.read("target/xtask/runs/latest");
        let json = self.read(&format!("target/xtask/runs/{}/report.json", run.trim()));
        serde_json::from_str(&json).unwrap()
    }

    pub fn step(&self, name: &str) -> StepReport {
        let report = self.report();
        report.steps.into_iter().find(|step| step.name == name).unwrap()
    }

    pub fn status(&self, name: &str) -> Status {
        self.step(name).outcome.status
    }

    /// What a step of the last run printed.
    pub fn output(&self, name: &str) -> String {
        self.read(&self.step(name).output.unwrap())
    }

    /// A number that a step writes to a file by a rename, once it is there.
    pub fn pid(&self, path: &str) -> Process {
        let until = Instant::now() + PATIENCE;
        while !self.has(path) {
            assert!(Instant::now() < until, "{path} was not written");
            std::thread::sleep(Duration::from_millis(5));
        }
        Process(self.read(path).trim().parse().unwrap())
    }
}

impl Ran {
    fn of(output: &Output) -> Ran {
        Ran {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    #[track_caller]
    pub fn expect(self, code: i32) -> Ran {
        assert_eq!(self.code, Some(code), "{}\n{}", self.stdout, self.stderr);
        self
    }
}

/// `xtask` while it runs. One that a failing test leaves behind is killed.
pub struct Running {
    child: Option<Child>,
}

impl Running {
    pub fn signal(&self, signal: Signal) {
        let child = self.child.as_ref().unwrap();
        rustix::process::kill_process(Pid::from_child(child), signal).unwrap();
    }

    /// Waits without reading what it prints.
    pub fn wait_unread(mut self) {
        self.child.take().unwrap().wait().unwrap();
    }

    pub fn wait(mut self) -> Ran {
        Ran::of(&self.child.take().unwrap().wait_with_output().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            child.kill().ok();
            child.wait().ok();
        }
    }
}

/// A process that a step started.
#[derive(Debug, Clone, Copy)]
pub struct Process(u32);

impl Process {
    /// Whether it is gone, or dead and only not reaped yet by whoever inherited it.
    pub fn is_gone(self) -> bool {
        let stat = std::fs::read_to_string(PathBuf::from(format!("/proc/{}/stat", self.0)));
        stat.map_or(true, |stat| {
            stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with('Z'))
        })
    }

    #[track_caller]
    pub fn assert_gone(self) {
        assert!(self.is_gone(), "process {} lives on", self.0);
    }

    #[track_caller]
    pub fn assert_soon_gone(self) {
        let until = Instant::now() + PATIENCE;
        while !self.is_gone() {
            assert!(Instant::now() < until, "process {} lives on", self.0);
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

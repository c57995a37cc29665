//! A project in a folder of its own, and the real binary run on it.

use report::Outcome;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// The binary under test.
pub const XTASK: &str = env!("CARGO_BIN_EXE_xtask");

/// A project with an `xtask.toml`.
pub struct Fixture {
    folder: TempDir,
}

impl Fixture {
    /// A project with these files besides an `xtask.toml` that names it.
    pub fn new(files: &[(&str, &str)]) -> Fixture {
        let fixture = Fixture { folder: tempfile::tempdir().unwrap() };
        fixture.write("xtask.toml", "[project]\nname = \"demo\"\n");
        for (path, text) in files {
            fixture.write(path, text);
        }
        fixture
    }

    /// A library crate with this source.
    pub fn library(source: &str) -> Fixture {
        let manifest = "[package]\nname = \"demo\"\nversion = \"0.1.0\"\nedition = \"2021\"\n";
        Fixture::new(&[("Cargo.toml", manifest), ("src/lib.rs", source)])
    }

    pub fn root(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap()
    }

    pub fn write(&self, path: &str, text: &str) {
        let path = self.folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(path)).unwrap()
    }

    /// The binary, ready to run here as a person runs it.
    pub fn xtask(&self, arguments: &[&str]) -> Command {
        self.command(Path::new(XTASK), arguments)
    }

    /// A program, ready to run here without what the test's own environment would change.
    pub fn command(&self, program: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.folder.path());
        for name in
            ["CARGO_TARGET_DIR", "RUSTFLAGS", "XTASK_OUTCOME", "XTASK_ARTIFACTS", "BASE_URL"]
        {
            command.env_remove(name);
        }
        command.env("RUST_BACKTRACE", "0");
        command
    }

    /// Runs a step as the runner does, and gives its outcome, its exit code and what it printed.
    pub fn step(&self, name: &str) -> (Outcome, i32, String) {
        self.step_with(name, &mut self.xtask(&["step", name]))
    }

    /// As [`Fixture::step`], with a command of the test's own.
    pub fn step_with(&self, name: &str, command: &mut Command) -> (Outcome, i32, String) {
        let file = self.folder.path().join(format!("target/{name}.json"));
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        let output = command.env("XTASK_OUTCOME", &file).output().unwrap();
        let text = said(&output);
        let outcome = report::read_outcome(&file).unwrap();
        (
            outcome.unwrap_or_else(|| panic!("no outcome: {text}")),
            output.status.code().unwrap(),
            text,
        )
    }
}

/// Both outputs of a command as text.
pub fn said(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    format!("{}{}", String::from_utf8_lossy(out), String::from_utf8_lossy(err))
}

/// PATH without the folders that hold this program.
pub fn path_without(program: &str) -> std::ffi::OsString {
    let path = std::env::var_os("PATH").unwrap();
    let folders = std::env::split_paths(&path).filter(|folder| !folder.join(program).exists());
    std::env::join_paths(folders).unwrap()
}

/// PATH with a folder before all others.
pub fn path_with(folder: &Path) -> std::ffi::OsString {
    let path = std::env::var_os("PATH").unwrap();
    let folders = std::iter::once(folder.to_path_buf()).chain(std::env::split_paths(&path));
    std::env::join_paths(folders).unwrap()
}

/// Writes an executable shell script.
pub fn script(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, format!("#!/bin/sh\n{text}")).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// Findings as `PLACE RULE`.
pub fn findings(outcome: &Outcome) -> Vec<String> {
    let place = |finding: &report::Finding| {
        finding.place.as_ref().map(ToString::to_string).unwrap_or_default()
    };
    outcome.findings.iter().map(|f| format!("{} {}", place(f), f.rule)).collect()
}

/// Whether a variable is set to something in the test's environment.
pub fn has_program(program: impl AsRef<OsStr>) -> bool {
    let path = std::env::var_os("PATH").unwrap();
    std::env::split_paths(&path).any(|folder| folder.join(program.as_ref()).is_file())
}

//! A project with a site and a configuration folder of its own.

use release::signing::{KEY_DATA_ENV, KEY_FILE_ENV};
use release::{Release, ReleaseId};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

pub const BUILD: &str = env!("CARGO_BIN_EXE_xtask-build");
pub const EVIDENCE: &str = env!("CARGO_BIN_EXE_xtask-evidence");
pub const KEY: &str = env!("CARGO_BIN_EXE_xtask-key");
pub const RELEASE: &str = env!("CARGO_BIN_EXE_xtask-release");

const TOML: &str = "[project]\nname = \"plain\"\n[build]\nsite = \"public\"\n\
                    [headers]\nx-frame-options = \"DENY\"\n";

pub struct Project {
    folder: TempDir,
}

/// What a command came to.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub out: String,
    pub error: String,
}

impl Project {
    pub fn new() -> Project {
        let project = Project { folder: tempfile::tempdir().unwrap() };
        project.put("xtask.toml", TOML);
        project.put("public/index.html", &"<p>hello</p>\n".repeat(100));
        project.put("public/photo.png", "not really");
        project
    }

    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    pub fn put(&self, path: &str, contents: &str) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, contents).unwrap();
    }

    /// A command with no key but what this project's own folders hold.
    pub fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.root());
        for name in [KEY_DATA_ENV, KEY_FILE_ENV, report::OUTCOME_ENV, "GITHUB_ACTIONS", "LOGNAME"] {
            command.env_remove(name);
        }
        command.env("XDG_CONFIG_HOME", self.root().join("config"));
        command.env("USER", "ada").env("HOSTNAME", "engine");
        command
    }

    pub fn run(&self, program: &str, arguments: &[&str]) -> Ended {
        let output = self.command(program, arguments).output().unwrap();
        Ended {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            error: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs it, expects this exit code, and gives standard output and error together.
    pub fn said(&self, code: i32, program: &str, arguments: &[&str]) -> String {
        let Ended { code: found, out, error } = self.run(program, arguments);
        let said = out + &error;
        assert_eq!(found, code, "{program} {arguments:?}: {said}");
        said
    }

    pub fn build(&self) -> Release {
        self.said(0, BUILD, &[]);
        let latest = release::latest(self.root()).unwrap().unwrap();
        Release::open(&latest.path).unwrap()
    }

    /// Builds with another page.
    pub fn build_with(&self, page: &str) -> Release {
        self.put("public/index.html", page);
        self.build()
    }

    /// A key for production that `xtask.toml` trusts; in the user's configuration folder.
    pub fn trusted_key(&self) -> String {
        self.said(0, KEY, &["new"]);
        let key = self.said(0, KEY, &["show", "--public"]).trim().to_owned();
        self.put("xtask.toml", &format!("{TOML}[signing]\ntrusted = [\"{key}\"]\n"));
        key
    }

    pub fn evidence_of(&self, id: &ReleaseId, step: &str) -> PathBuf {
        self.root().join(format!("target/xtask/evidence/{id}/{step}.json"))
    }
}

/// Changes one byte of a file.
pub fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[at] ^= 1;
    fs::write(path, bytes).unwrap();
}

//! A step as the pipeline knows it.

use config::When;
use std::ffi::OsString;
use std::time::Duration;

/// A named unit of the pipeline, all defaults filled in. Made by `steps::catalog` from
/// `xtask.toml`; the pipeline adds nothing that depends on what a step is about.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    pub name: String,
    /// What it does, in a few words, for `--help`, `--dry-run` and the reference.
    pub about: String,
    pub command: Command,
    /// Version of what the command runs, where that is not among the inputs: the digest of a tool,
    /// `rustc -vV`. Part of the fingerprint.
    pub versions: Vec<Version>,
    pub needs: Vec<String>,
    /// Needed only when this step has to run; a step that nothing else asks for is then not run at
    /// all. Used for what prepares tools.
    pub prepares_with: Option<String>,
    /// Globs relative to the root; a leading `!` takes files out again.
    pub inputs: Vec<String>,
    pub outputs: Vec<String>,
    pub env: Vec<String>,
    pub pass_env: Vec<String>,
    pub timeout: Duration,
    pub retries: u32,
    pub exclusive: Option<String>,
    /// Nothing else runs beside it: it measures time.
    pub alone: bool,
    pub cache: bool,
    pub junit: Vec<String>,
    pub sarif: Vec<String>,
    pub allow_failure: bool,
    pub when: When,
}

/// How long a step may take when nothing is said.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10 * 60);

impl Step {
    /// A step that runs a command and says nothing else.
    pub fn new(name: &str, command: Command) -> Step {
        Step {
            name: name.to_owned(),
            about: String::new(),
            command,
            versions: Vec::new(),
            needs: Vec::new(),
            prepares_with: None,
            inputs: Vec::new(),
            outputs: Vec::new(),
            env: Vec::new(),
            pass_env: Vec::new(),
            timeout: DEFAULT_TIMEOUT,
            retries: 0,
            exclusive: None,
            alone: false,
            cache: true,
            junit: Vec::new(),
            sarif: Vec::new(),
            allow_failure: false,
            when: When::Always,
        }
    }
}

/// What a step runs.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// A shell command, run by `sh -c` (`cmd /C` on Windows) in the project's root.
    Shell(String),
    /// This very program with these arguments: a built-in.
    Builtin(Vec<OsString>),
}

/// A named part of a fingerprint that is not a file of the project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// `rustc`, `xtask-audit`, `advisory database`.
    pub name: String,
    pub value: String,
}

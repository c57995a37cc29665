//! What `xtask key`, `evidence` and `release` share: the project they run in, and how an error
//! becomes an exit code.

use crate::signing::{KeyError, SignatureError, Trust};
use crate::{FindError, Release, ReleaseError, Releases};
use anyhow::Context;
use config::Config;
use report::{Exit, Fault};
use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// The project in the current folder.
#[derive(Debug)]
pub struct Project {
    pub root: PathBuf,
    pub config: Config,
    /// The keys that it trusts.
    pub trust: Trust,
}

impl Project {
    /// The project in the current folder, where `xtask` starts its tools.
    ///
    /// # Errors
    /// When its `xtask.toml` is wrong, or a key cannot be used.
    pub fn here() -> anyhow::Result<Project> {
        let root = std::env::current_dir().context("no current folder")?;
        let config = Config::load(&root).map_err(|error| Fault::usage(error.to_string()))?;
        let trust = Trust::of_project(&root, &config.signing.trusted).map_err(key_fault)?;
        Ok(Project { root, config, trust })
    }

    pub fn releases(&self) -> Releases {
        Releases::of(&self.root)
    }

    /// Opens the release that a person means; see [`Releases::find`].
    ///
    /// # Errors
    /// When none is meant (exit code 2), or it is damaged (4).
    pub fn release(&self, name: Option<&str>) -> anyhow::Result<Release> {
        let found = self.releases().find(name).map_err(|error| match error {
            FindError::Release(error) => release_fault(error),
            other => Fault::usage(other.to_string()).into(),
        })?;
        Release::open(&found.path).map_err(release_fault)
    }
}

/// The `main` of a subcommand that is no step: says an error, and gives the exit code.
pub fn main(run: impl FnOnce() -> anyhow::Result<Exit>) -> ExitCode {
    run()
        .unwrap_or_else(|error| {
            eprintln!("error: {error:#}");
            Fault::exit_of(&error)
        })
        .into()
}

/// Prints a text. A reader that has seen enough is no error.
///
/// # Errors
/// When it cannot be written.
pub fn print(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).context("failed to print")
        }
        _ => Ok(()),
    }
}

/// A damaged release is refused: exit code 4.
pub fn release_fault(error: ReleaseError) -> anyhow::Error {
    if error.is_damage() { Fault::refused(error.to_string()).into() } else { error.into() }
}

/// A key that others can read is refused: exit code 4. One that is wrong is exit code 2.
pub fn key_fault(error: KeyError) -> anyhow::Error {
    match error {
        refused if refused.is_refusal() => Fault::refused(refused.to_string()).into(),
        KeyError::Io { .. } => error.into(),
        _ => Fault::usage(error.to_string()).into(),
    }
}

/// A signature that is not believed is refused: exit code 4.
pub fn signature_fault(release: &Release, error: &SignatureError) -> anyhow::Error {
    Fault::refused(format!("release {}: {error}", release.manifest().id)).into()
}

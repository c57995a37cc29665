//! What `xtask key`, `evidence` and `release` share: the project they run in, and how an error
//! becomes an exit code.

use crate::signing::{KeyError, SignatureError, Trust};
use crate::{FindError, Release, ReleaseError, Releases};
use anyhow::Context;
use config::Config;
use report::{Exit, Fault};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
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
        let (root, config) = Project::without_keys()?;
        let trust = Trust::of_project(&root, &config.signing.trusted).map_err(key_fault)?;
        Ok(Project { root, config, trust })
    }

    /// Its root and its `xtask.toml`, for what must work whoever may read its keys.
    ///
    /// # Errors
    /// When its `xtask.toml` is wrong.
    pub fn without_keys() -> anyhow::Result<(PathBuf, Config)> {
        let root = std::env::current_dir().context("no current folder")?;
        let config = Config::load(&root).map_err(|error| Fault::usage(error.to_string()))?;
        Ok((root, config))
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
        Release::open(&found.path).map_err(|error| match error {
            // It has the name of a release, so it was one.
            ReleaseError::NoManifest { .. } => {
                Fault::refused(format!("{}\n  {REMAKE}", seen_from_here(&error.to_string()))).into()
            }
            other => release_fault(other),
        })
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

/// A damaged release is refused: exit code 4. That `latest` names none is exit code 2.
pub fn release_fault(error: ReleaseError) -> anyhow::Error {
    let digits = |sha256: &crate::Sha256| sha256.to_string()[..SHOWN_DIGITS].to_owned();
    let text = match &error {
        ReleaseError::Digest { path, expected, found } => {
            let (expected, found) = (digits(expected), digits(found));
            format!("{}: expected SHA-256 {expected}…, found {found}…", path.display())
        }
        other => other.to_string(),
    };
    let text = seen_from_here(&text);
    match error {
        damage if damage.is_damage() => Fault::refused(format!("{text}\n  {REMAKE}")).into(),
        ReleaseError::Pointer { .. } | ReleaseError::Gone { .. } => Fault::usage(text).into(),
        other => other.into(),
    }
}

/// Of a digest that is not what it should be: enough to see it.
const SHOWN_DIGITS: usize = 12;

const REMAKE: &str = "help: `cargo xtask build` at the release's commit makes it anew";

/// A text with paths in this folder as they are typed here.
pub fn seen_from_here(text: &str) -> String {
    let here = std::env::current_dir().ok();
    match here.as_deref().and_then(Path::to_str).filter(|here| here.len() > 1) {
        Some(here) => text.replace(&format!("{here}/"), ""),
        None => text.to_owned(),
    }
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
    let error = seen_from_here(&error.to_string());
    Fault::refused(format!("release {}: {error}", release.manifest().id)).into()
}

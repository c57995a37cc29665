//! What a release was built with, as far as the project's root tells: the versions of its compilers,
//! and the lockfiles that pin its dependencies. A list of the dependencies themselves is another
//! document.

use crate::{ReleaseError, Sha256};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, Stdio};

/// What pins the dependencies of a project.
const LOCKFILES: [&str; 7] = [
    "Cargo.lock",
    "bun.lock",
    "bun.lockb",
    "npm-shrinkwrap.json",
    "package-lock.json",
    "pnpm-lock.yaml",
    "yarn.lock",
];

/// A file that says what kind of project it is, the program that then builds it, and the variable
/// that names another one.
const PROGRAMS: [(&str, &str, &str); 2] =
    [("Cargo.toml", "rustc", "RUSTC"), ("package.json", "node", "")];

/// What a release was built with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Provenance {
    /// Program to what it says of its version: `rustc` to `rustc 1.95.0 (…)`.
    pub toolchain: BTreeMap<String, String>,
    /// Name, relative to the root, to digest.
    pub lockfiles: BTreeMap<String, Sha256>,
}

impl Provenance {
    /// Of the project at `root`. A program that is not there is left out: it built nothing.
    ///
    /// # Errors
    /// When a lockfile is there but cannot be read.
    pub fn of(root: &Path) -> Result<Provenance, ReleaseError> {
        let mut provenance = Provenance::default();
        for (marker, program, variable) in PROGRAMS {
            if root.join(marker).is_file()
                && let Some(version) = version(root, program, variable)
            {
                provenance.toolchain.insert(program.to_owned(), version);
            }
        }
        for name in LOCKFILES {
            let path = root.join(name);
            let file = match File::open(&path) {
                Ok(file) => file,
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => return Err(ReleaseError::io("open", &path)(error)),
            };
            let (sha256, _) = Sha256::of_reader(file).map_err(ReleaseError::io("read", &path))?;
            provenance.lockfiles.insert(name.to_owned(), sha256);
        }
        Ok(provenance)
    }
}

fn version(root: &Path, program: &str, variable: &str) -> Option<String> {
    let named = std::env::var_os(variable).filter(|named| !named.is_empty());
    let output = Command::new(named.unwrap_or_else(|| program.into()))
        .arg("--version")
        .current_dir(root)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let line = text.lines().next()?.trim();
    (output.status.success() && !line.is_empty()).then(|| line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_pages_was_built_with_nothing() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(Provenance::of(root.path()).unwrap(), Provenance::default());
    }

    #[test]
    fn lockfiles_and_compilers_are_named() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("package-lock.json"), "{}").unwrap();
        std::fs::write(root.path().join("Cargo.toml"), "").unwrap();
        let provenance = Provenance::of(root.path()).unwrap();
        assert_eq!(provenance.lockfiles["package-lock.json"], Sha256::of(b"{}"));
        assert!(provenance.toolchain["rustc"].starts_with("rustc "));
    }
}

//! `Cargo.lock`, with the line of every package.

use super::manifest::Manifests;
use crate::text::{conflict_line, line_at, line_number};
use anyhow::Context;
use report::Fault;
use rustsec::Lockfile;
use rustsec::semver::Version;
use std::collections::HashMap;
use std::path::Path;

/// Name of the lock file, at the project's root.
pub(crate) const LOCK_FILE: &str = "Cargo.lock";

/// Largest lock file that is read: that of a workspace with 2,000 packages has half a megabyte.
const MAX_BYTES: u64 = 32 * 1024 * 1024;

/// What to do about a lock file that cannot be used.
const REMEDY: &str =
    "restore it with `git checkout -- Cargo.lock`, or make it anew with `cargo generate-lockfile`";

/// A whole lock file.
#[derive(Debug)]
pub(crate) struct Locked {
    pub(crate) packages: Vec<Package>,
    /// For each package, the indices of what it depends on.
    pub(crate) dependencies: Vec<Vec<usize>>,
}

/// A locked package.
#[derive(Debug)]
pub(crate) struct Package {
    locked: rustsec::package::Package,
    /// 1-based line of its name.
    pub(crate) line: u32,
    /// Its place in [`Locked::packages`].
    pub(crate) index: usize,
}

impl Package {
    pub(crate) fn name(&self) -> &str {
        self.locked.name.as_str()
    }

    pub(crate) fn version(&self) -> &Version {
        &self.locked.version
    }

    pub(crate) fn is_from_crates_io(&self) -> bool {
        self.locked.source.as_ref().is_some_and(rustsec::SourceId::is_default_registry)
    }

    /// A package of the project's own: a workspace member or a path dependency.
    pub(crate) fn is_own(&self) -> bool {
        self.locked.source.is_none()
    }

    /// Where it comes from, when that is neither crates.io nor the project.
    pub(crate) fn foreign_source(&self) -> Option<String> {
        let source = self.locked.source.as_ref().filter(|source| !source.is_default_registry())?;
        let mut url = source.url().clone();
        // Both fail only for URLs that cannot have them.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        url.set_query(None);
        url.set_fragment(None);
        Some(url.into())
    }
}

impl Locked {
    /// Reads the project's lock file.
    ///
    /// # Errors
    /// Exit 2 when it is cut off, holds conflict markers, or is of a format that is not known.
    pub(crate) fn load(root: &Path) -> anyhow::Result<Locked> {
        let path = root.join(LOCK_FILE);
        let size = path.metadata().with_context(|| format!("failed to read {LOCK_FILE}"))?.len();
        if size > MAX_BYTES {
            return Err(Fault::usage(format!(
                "{LOCK_FILE} has {size} bytes, expected at most {MAX_BYTES}"
            ))
            .into());
        }
        let text = std::fs::read_to_string(&path).map_err(|error| {
            Fault::usage(format!("failed to read {LOCK_FILE}: {error}; {REMEDY}"))
        })?;
        let locked = Locked::parse(&text)?;
        // Cut after a package's version, what is left of it reads as one of the project's own.
        let last = locked.packages.last().filter(|last| last.is_own() && ends_with_version(&text));
        match last.filter(|last| !Manifests::read(root).has(last.name())) {
            Some(last) => Err(cut_off(last, "no Cargo.toml of this project is called so").into()),
            None => Ok(locked),
        }
    }

    fn parse(text: &str) -> Result<Locked, Fault> {
        if let Some(line) = conflict_line(text) {
            return Err(Fault::usage(format!(
                "{LOCK_FILE}:{line}: a merge conflict stands here; settle the Cargo.toml files first, \
                 then take one side with `git checkout --ours {LOCK_FILE}` and run `cargo metadata --format-version 1` to complete it"
            )));
        }
        let lockfile: Lockfile = text.parse().map_err(|error| unparsable(text, &error))?;
        // Without `version = 4` and the like a cut file is not told from an empty one.
        if lockfile.packages.is_empty() {
            return Err(Fault::usage(format!("{LOCK_FILE}:1: it lists no package; {REMEDY}")));
        }
        let lines = package_lines(text);
        let packages: Vec<Package> = lockfile
            .packages
            .into_iter()
            .enumerate()
            .map(|(index, locked)| Package {
                locked,
                line: lines.get(index).copied().unwrap_or(1),
                index,
            })
            .collect();
        let dependencies = dependencies(&packages)?;
        if let Some(last) = packages.last().filter(|last| is_cut(text, last)) {
            return Err(cut_off(last, "its last line or its checksum is missing"));
        }
        Ok(Locked { packages, dependencies })
    }
}

fn ends_with_version(text: &str) -> bool {
    text.lines().last().is_some_and(|line| line.starts_with("version"))
}

fn cut_off(last: &Package, why: &str) -> Fault {
    Fault::usage(format!(
        "{LOCK_FILE}:{}: the file seems cut off after `{} {}`: {why}; {REMEDY}",
        last.line,
        last.name(),
        last.version()
    ))
}

/// Cargo ends the file with a line end, and a package from a registry has a checksum.
fn is_cut(text: &str, last: &Package) -> bool {
    !text.ends_with('\n') || (last.is_from_crates_io() && last.locked.checksum.is_none())
}

/// The error of the parser as a place and a remedy. Its own is only a text, so the place is found
/// by parsing again, which costs nothing that matters here.
fn unparsable(text: &str, error: &dyn std::fmt::Display) -> Fault {
    match toml::de::DeTable::parse(text) {
        Err(error) => {
            let offset = error.span().map_or(text.len(), |span| span.start);
            let line = line_at(text, offset);
            let what = if offset + 1 >= text.trim_end().len() {
                "the file is cut off"
            } else {
                "the file is damaged"
            };
            Fault::usage(format!(
                "{LOCK_FILE}:{line}: {what}: {}; {REMEDY}",
                error.message().replace('\n', "; ")
            ))
        }
        Ok(_) => {
            let error = error.to_string();
            let message = error.trim().replace('\n', "; ");
            let missing = message
                .rsplit("couldn't resolve dependency: ")
                .next()
                .filter(|name| *name != message);
            if let Some(name) = missing {
                return absent(text, name);
            }
            Fault::usage(format!(
                "{LOCK_FILE}:1: {message}; expected a lock file of version 1 to 4; {REMEDY}"
            ))
        }
    }
}

/// A dependency that is named but not listed: the end of the file is missing.
fn absent(text: &str, name: &str) -> Fault {
    let name = name.split_whitespace().next().unwrap_or(name);
    let line = text
        .lines()
        .position(|line| line.trim_start().starts_with(&format!("\"{name}")))
        .map_or(1, line_number);
    Fault::usage(format!(
        "{LOCK_FILE}:{line}: `{name}` is depended on here but not listed: the file is cut off or was \
         merged badly; {REMEDY}"
    ))
}

/// The line of each package's name, in the order of the file.
fn package_lines(text: &str) -> Vec<u32> {
    let mut lines = Vec::new();
    let mut is_in_head = false;
    for (index, line) in text.lines().enumerate() {
        if line.starts_with("[[package]]") {
            is_in_head = true;
        } else if is_in_head && line.starts_with("name") {
            lines.push(line_number(index));
            is_in_head = false;
        }
    }
    lines
}

fn dependencies(packages: &[Package]) -> Result<Vec<Vec<usize>>, Fault> {
    let mut by_name: HashMap<(&str, &Version), Vec<usize>> = HashMap::new();
    for package in packages {
        by_name.entry((package.name(), package.version())).or_default().push(package.index);
    }
    packages
        .iter()
        .map(|package| {
            let mut indices = Vec::with_capacity(package.locked.dependencies.len());
            for dependency in &package.locked.dependencies {
                let candidates = by_name.get(&(dependency.name.as_str(), &dependency.version));
                let Some(candidates) = candidates else {
                    return Err(Fault::usage(format!(
                        "{LOCK_FILE}:{}: `{}` depends on `{} {}`, which is not listed: the file is cut \
                         off or was merged badly; {REMEDY}",
                        package.line,
                        package.name(),
                        dependency.name,
                        dependency.version
                    )));
                };
                // The same version from two sources: the one that is named, else all of them.
                let exact = candidates.iter().filter(|index| packages[**index].locked.source == dependency.source);
                let mut exact: Vec<usize> = exact.copied().collect();
                if exact.is_empty() {
                    exact.clone_from(candidates);
                }
                indices.extend(exact);
            }
            Ok(indices)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = "\
version = 4

[[package]]
name = \"app\"
version = \"0.1.0\"
dependencies = [
 \"smallvec\",
]

[[package]]
name = \"smallvec\"
version = \"1.6.0\"
source = \"registry+https://github.com/rust-lang/crates.io-index\"
checksum = \"1a55ca5f3b68e41c979bf8c46a6f1da892ca4db8f94023ce0bd32407573b1ac0\"
";

    #[test]
    fn a_lock_file_cut_anywhere_is_not_taken_for_a_whole_one() {
        let project = tempfile::tempdir().unwrap();
        std::fs::write(project.path().join("Cargo.toml"), "[package]\nname = \"app\"\n").unwrap();
        for end in 0..LOCK.len() {
            std::fs::write(project.path().join(LOCK_FILE), &LOCK[..end]).unwrap();
            let error = Locked::load(project.path()).unwrap_err();
            assert_eq!(Fault::exit_of(&error), report::Exit::Usage, "cut at {end}: {error}");
            let error = error.to_string();
            assert!(
                error.starts_with("Cargo.lock:") && error.contains(REMEDY),
                "cut at {end}: {error}"
            );
        }
        std::fs::write(project.path().join(LOCK_FILE), LOCK).unwrap();
        let locked = Locked::load(project.path()).unwrap();
        assert_eq!((locked.packages[1].line, &locked.dependencies[0][..]), (11, &[1][..]));
    }
}

//! Versions of what a step runs, where that is not among its input files: the compiler, Node, a
//! tool's binary.
//!
//! Asking a program for its version costs a process, and hashing a binary costs its bytes, so both
//! are remembered by the (path, size, mtime) of every file that the answer depends on. A run in
//! which nothing changed starts no process.

use crate::context::Context;
use crate::pipeline::step::Version;
use crate::{process, tools};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::UNIX_EPOCH;

/// Entries kept: one for each program and tool, with room for a few toolchains.
const MAX_ENTRIES: usize = 64;

/// Answers and what they were given for.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Remembered {
    /// Question to (stamps of the files it depends on, answer).
    answers: BTreeMap<String, (String, String)>,
}

/// Versions, remembered from run to run in `target/xtask/state`.
#[derive(Debug)]
pub struct Versions<'a> {
    cx: &'a Context,
    file: PathBuf,
    remembered: Remembered,
    is_changed: bool,
}

impl<'a> Versions<'a> {
    /// Reads what is remembered; a file that cannot be read is as good as none.
    pub fn open(cx: &'a Context) -> Versions<'a> {
        let file = cx.root.join("target/xtask/state/versions.json");
        let remembered = std::fs::read(&file)
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default();
        Versions { cx, file, remembered, is_changed: false }
    }

    /// What `rustc -vV` says; `None` where there is no compiler.
    pub fn rustc(&mut self) -> Option<Version> {
        let path = rustc()?;
        let mut stamps = stamp(&path);
        if is_rustup(&path) {
            stamps.push_str(&rustup_stamps(&self.cx.root));
        }
        self.program("rustc", &path, "-vV", stamps)
    }

    /// What `node --version` says; `None` where there is no Node.
    pub fn node(&mut self) -> Option<Version> {
        let path = tools::on_path(OsStr::new("node"))?;
        let stamps = stamp(&path);
        self.program("node", &path, "--version", stamps)
    }

    /// What makes up Slipway's own part in a step: for an installed program the digests of `xtask`
    /// and of the tool; for a checkout of Slipway that works on another project, of its sources. In
    /// its own workspace the sources are among the inputs, and this is empty.
    pub fn slipway(&mut self, tool: Option<&str>) -> Vec<Version> {
        if let Some(checkout) = tools::checkout() {
            if self.cx.root == checkout.root {
                return Vec::new();
            }
            return vec![self.sources(&checkout.root)];
        }
        let own = std::env::current_exe().ok().map(|path| ("xtask".to_owned(), path));
        let tool = tool.and_then(|name| Some((format!("xtask-{name}"), tools::installed(name)?)));
        own.into_iter().chain(tool).map(|(name, path)| self.binary(name, &path)).collect()
    }

    /// Writes down what was learnt, atomically. A failure costs the next run a process or two.
    pub fn save(self) {
        if self.is_changed {
            self.write().ok();
        }
    }

    fn write(&self) -> anyhow::Result<()> {
        let folder = self.file.parent().unwrap_or(&self.cx.root);
        std::fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(&serde_json::to_vec(&self.remembered)?)?;
        file.persist(&self.file)?;
        Ok(())
    }

    fn program(&mut self, name: &str, path: &Path, flag: &str, stamps: String) -> Option<Version> {
        let key = format!("{name} {}", path.display());
        let root = &self.cx.root;
        let ask = || {
            let mut command = Command::new(path);
            command.arg(flag).current_dir(root);
            process::query(command)
        };
        let value = recall(&mut self.remembered, &mut self.is_changed, key, stamps, ask)?;
        Some(Version { name: name.to_owned(), value })
    }

    fn binary(&mut self, name: String, path: &Path) -> Version {
        let key = format!("digest {}", path.display());
        let digest = || {
            let mut hasher = blake3::Hasher::new();
            hasher.update_reader(std::fs::File::open(path).ok()?).ok()?;
            Some(hasher.finalize().to_hex().to_string())
        };
        let stamps = stamp(path);
        // One that cannot be read has no digest: its stamp then stands for it.
        let value = recall(&mut self.remembered, &mut self.is_changed, key, stamps.clone(), digest)
            .unwrap_or(stamps);
        Version { name, value }
    }

    fn sources(&mut self, root: &Path) -> Version {
        let files = source_files(root);
        let stamps: String = files.iter().map(|file| stamp(file)).collect();
        let stamps = blake3::hash(stamps.as_bytes()).to_hex().to_string();
        let digest = || {
            let mut hasher = blake3::Hasher::new();
            for file in &files {
                hasher.update(file.as_os_str().as_encoded_bytes());
                hasher.update(blake3::hash(&std::fs::read(file).ok()?).as_bytes());
            }
            Some(hasher.finalize().to_hex().to_string())
        };
        let key = format!("sources {}", root.display());
        let value = recall(&mut self.remembered, &mut self.is_changed, key, stamps.clone(), digest)
            .unwrap_or(stamps);
        Version { name: "Slipway's sources".to_owned(), value }
    }
}

fn recall(
    remembered: &mut Remembered,
    is_changed: &mut bool,
    key: String,
    stamps: String,
    ask: impl FnOnce() -> Option<String>,
) -> Option<String> {
    if let Some((known, answer)) = remembered.answers.get(&key)
        && *known == stamps
    {
        return Some(answer.clone());
    }
    let answer = ask()?;
    if remembered.answers.len() >= MAX_ENTRIES {
        remembered.answers.clear();
    }
    remembered.answers.insert(key, (stamps, answer.clone()));
    *is_changed = true;
    Some(answer)
}

/// The compiler that cargo will call. Beside the cargo that runs us it is the toolchain's own; on
/// PATH it may be rustup's proxy.
fn rustc() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("RUSTC") {
        let path = PathBuf::from(&named);
        return if path.is_absolute() { Some(path) } else { tools::on_path(&named) };
    }
    let file = format!("rustc{}", std::env::consts::EXE_SUFFIX);
    let cargo = std::env::var_os("CARGO").map(PathBuf::from);
    let beside = cargo.as_deref().and_then(Path::parent).map(|folder| folder.join(&file));
    beside.filter(|path| path.is_file()).or_else(|| tools::on_path(OsStr::new(&file)))
}

fn is_rustup(path: &Path) -> bool {
    let is_link = path.canonicalize().is_ok_and(|real| real.ends_with("rustup"));
    is_link || path.with_file_name("rustup").is_file()
}

/// All that decides which toolchain rustup's proxy starts, and whether it was updated.
fn rustup_stamps(root: &Path) -> String {
    let mut stamps = std::env::var("RUSTUP_TOOLCHAIN").unwrap_or_default();
    for folder in root.ancestors() {
        stamps.push_str(&stamp(&folder.join("rust-toolchain")));
        stamps.push_str(&stamp(&folder.join("rust-toolchain.toml")));
    }
    let home = std::env::var_os("RUSTUP_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(std::env::home_dir()?.join(".rustup")));
    if let Some(home) = home {
        stamps.push_str(&stamp(&home.join("settings.toml")));
        stamps.push_str(&stamp(&home.join("toolchains")));
        let hashes = std::fs::read_dir(home.join("update-hashes"));
        let mut hashes: Vec<PathBuf> =
            hashes.into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        hashes.sort();
        stamps.extend(hashes.iter().map(|path| stamp(path)));
    }
    stamps
}

/// Path, size and mtime of a file; its path alone where there is none.
fn stamp(path: &Path) -> String {
    let shown = path.display();
    let Ok(metadata) = path.metadata() else { return format!("{shown};") };
    let modified = metadata.modified().ok();
    let modified = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    format!("{shown}:{}:{};", metadata.len(), modified.unwrap_or_default().as_nanos())
}

/// The files that Slipway's runner and tools are made of, sorted.
fn source_files(root: &Path) -> Vec<PathBuf> {
    let sources = inputs::Globs::new(&["xtask/**", "e2e/src/**", "!**/node_modules/**"]);
    let found = sources.ok().and_then(|globs| inputs::collect(root, &globs, &[]).ok());
    let found = found.unwrap_or_default();
    let mut files: Vec<PathBuf> =
        found.keys().map(|path| root.join(inputs::as_path(path))).collect();
    files.push(root.join("Cargo.toml"));
    files.push(root.join("Cargo.lock"));
    files.sort();
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_asked_for_once_until_a_stamp_changes() {
        let mut remembered = Remembered::default();
        let mut is_changed = false;
        let mut ask = |stamps: &str, answer: Option<&str>| {
            let answer = answer.map(str::to_owned);
            recall(&mut remembered, &mut is_changed, "rustc".into(), stamps.into(), || answer)
        };
        assert_eq!(ask("a", Some("1.95")).as_deref(), Some("1.95"));
        assert_eq!(ask("a", None).as_deref(), Some("1.95"));
        assert_eq!(ask("b", None), None);
        assert_eq!(ask("b", Some("1.96")).as_deref(), Some("1.96"));
    }

    #[test]
    fn a_stamp_tells_files_apart_and_knows_a_missing_one() {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("tool");
        let missing = stamp(&file);
        std::fs::write(&file, "one").unwrap();
        let one = stamp(&file);
        std::fs::write(&file, "three").unwrap();
        assert!(missing != one && one != stamp(&file));
    }
}

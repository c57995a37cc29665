//! The names in git's index, read without git: a file that is tracked is an input even where an
//! ignore rule matches it. <https://git-scm.com/docs/index-format>

use crate::as_path;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The tracked names below a root, sorted by their bytes.
#[derive(Debug, Default)]
pub struct Tracked {
    names: Vec<Box<[u8]>>,
}

impl Tracked {
    /// Reads the index of the checkout whose git folder is `git`. `prefix` leads from the top of
    /// the checkout to the root, and is empty or ends in `/`.
    pub fn read(git: &Path, root: &Path, prefix: &[u8]) -> Tracked {
        let Ok(bytes) = fs::read(git.join("index")) else { return Tracked::default() };
        let names = match is_plain(git).then(|| parse(&bytes)).flatten() {
            Some(names) => names
                .into_iter()
                .filter_map(|name| name.strip_prefix(prefix).map(Box::from))
                .collect(),
            // A form that is not read here (split, SHA-256): git itself is asked.
            None => ask_git(root),
        };
        Tracked::of(names)
    }

    fn of(mut names: Vec<Box<[u8]>>) -> Tracked {
        names.sort_unstable();
        names.dedup();
        Tracked { names }
    }

    pub fn has(&self, path: &[u8]) -> bool {
        self.names.binary_search_by(|name| (**name).cmp(path)).is_ok()
    }

    /// Whether any tracked file is below a folder.
    pub fn has_below(&self, folder: &[u8]) -> bool {
        let below = [folder, b"/"].concat();
        let at = self.names.partition_point(|name| **name < below[..]);
        self.names.get(at).is_some_and(|name| name.starts_with(&below))
    }
}

/// The git folder of the checkout whose top is `top`, if it is one: `.git`, or where the file
/// `.git` of a linked worktree or submodule points.
pub fn git_dir(top: &Path) -> Option<PathBuf> {
    let dot_git = top.join(".git");
    if dot_git.is_dir() {
        return Some(dot_git);
    }
    let text = fs::read(&dot_git).ok()?;
    let target = text.strip_prefix(b"gitdir: ")?.trim_ascii_end();
    Some(top.join(as_path(target)))
}

/// The folder that linked worktrees share.
pub fn common_dir(git: &Path) -> PathBuf {
    match fs::read(git.join("commondir")) {
        Ok(text) => git.join(as_path(text.trim_ascii_end())),
        Err(_) => git.to_owned(),
    }
}

/// Whether the repository has none of the extensions that change how names are stored.
fn is_plain(git: &Path) -> bool {
    let config = fs::read(common_dir(git).join("config")).unwrap_or_default();
    !String::from_utf8_lossy(&config).to_lowercase().contains("objectformat")
}

const HEADER_BYTES: usize = 12;
/// Times, device, inode, mode, owner, size, SHA-1.
const FIXED_BYTES: usize = 60;
const CHECKSUM_BYTES: usize = 20;
const IS_EXTENDED: u16 = 0x4000;

/// The names in an index of version 2, 3 or 4; `None` when it is another or is damaged.
fn parse(bytes: &[u8]) -> Option<Vec<Box<[u8]>>> {
    let word = |at: usize| Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    if bytes.get(..4)? != b"DIRC" {
        return None;
    }
    let version = word(4)?;
    if !(2..=4).contains(&version) {
        return None;
    }
    let count = word(8)? as usize;
    let mut names: Vec<Box<[u8]>> = Vec::with_capacity(count.min(bytes.len() / FIXED_BYTES));
    let mut at = HEADER_BYTES;
    for _ in 0..count {
        let start = at;
        let flags = bytes.get(at + FIXED_BYTES..at + FIXED_BYTES + 2)?;
        at += FIXED_BYTES + 2;
        if u16::from_be_bytes(flags.try_into().ok()?) & IS_EXTENDED != 0 {
            at += 2;
        }
        if version == 4 {
            let dropped = offset(bytes, &mut at)?;
            let previous = names.last().map(|name| &**name).unwrap_or_default();
            let kept = previous.get(..previous.len().checked_sub(dropped)?)?;
            let name = until_nul(bytes.get(at..)?)?;
            at += name.len() + 1;
            names.push([kept, name].concat().into());
        } else {
            let name = until_nul(bytes.get(at..)?)?;
            names.push(name.into());
            // One to eight NULs, up to a multiple of eight bytes.
            at = start + (at + name.len() - start + 8) / 8 * 8;
        }
    }
    // Extensions: `link` means that most entries are in another file.
    while at + CHECKSUM_BYTES < bytes.len() {
        if bytes.get(at..at + 4)? == b"link" {
            return None;
        }
        at += 8 + word(at + 4)? as usize;
    }
    (at + CHECKSUM_BYTES == bytes.len()).then_some(names)
}

fn until_nul(bytes: &[u8]) -> Option<&[u8]> {
    Some(&bytes[..bytes.iter().position(|byte| *byte == 0)?])
}

/// A number as in pack offsets: seven bits a byte, each continuation adding one.
fn offset(bytes: &[u8], at: &mut usize) -> Option<usize> {
    let mut value = 0_usize;
    loop {
        let byte = *bytes.get(*at)?;
        *at += 1;
        value = value.checked_mul(128)?.checked_add(usize::from(byte & 127))?;
        if byte & 128 == 0 {
            return Some(value);
        }
        value += 1;
    }
}

fn ask_git(root: &Path) -> Vec<Box<[u8]>> {
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(root).output();
    match listed {
        Ok(listed) if listed.status.success() => listed
            .stdout
            .split(|byte| *byte == 0)
            .filter(|name| !name.is_empty())
            .map(Box::from)
            .collect(),
        _ => Vec::new(),
    }
}

/// The nearest folder at or above `root` that is the top of a checkout, and the way from there to
/// the root: empty, or ending in `/`.
pub fn top(root: &Path) -> Option<(PathBuf, Vec<u8>)> {
    let top = root.ancestors().find(|folder| folder.join(".git").exists())?;
    let mut prefix = root.strip_prefix(top).ok()?.as_os_str().as_bytes().to_vec();
    if !prefix.is_empty() {
        prefix.push(b'/');
    }
    Some((top.to_owned(), prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn git(root: &Path, arguments: &[&str]) {
        let done = Command::new("git")
            .args(["-c", "user.name=a", "-c", "user.email=a@example.com"])
            .args(arguments)
            .current_dir(root)
            .output()
            .unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }

    #[test]
    fn names_are_those_that_git_lists() {
        let root = tempfile::tempdir().unwrap();
        git(root.path(), &["init", "-q"]);
        fs::create_dir_all(root.path().join("a/bb")).unwrap();
        for name in ["a/bb/1", "a/bb/22", "a b\n", "zzzzzzzz", "caf\u{e9}", "intent"] {
            fs::write(root.path().join(name), name).unwrap();
        }
        git(root.path(), &["add", "-f", "a", "a b\n", "zzzzzzzz", "caf\u{e9}"]);
        git(root.path(), &["add", "-N", "intent"]);
        let expected = Tracked::of(ask_git(root.path())).names;
        assert_eq!(expected.len(), 6);
        for version in ["2", "3", "4"] {
            git(root.path(), &["update-index", "--index-version", version]);
            let bytes = fs::read(root.path().join(".git/index")).unwrap();
            assert_eq!(Tracked::of(parse(&bytes).unwrap()).names, expected, "version {version}");
            for cut in 0..bytes.len() {
                parse(&bytes[..cut]);
            }
        }
        git(root.path(), &["update-index", "--split-index"]);
        fs::write(root.path().join("later"), "").unwrap();
        git(root.path(), &["add", "later"]);
        let tracked = Tracked::read(&root.path().join(".git"), root.path(), b"");
        assert!(tracked.has(b"later") && tracked.has(b"a/bb/1") && !tracked.has(b"a/bb"));
        assert!(tracked.has_below(b"a") && tracked.has_below(b"a/bb") && !tracked.has_below(b"z"));
    }
}

//! One walk of a checkout that finds every file some list of globs asks for.

use crate::matcher::Scratch;
use crate::rules::Rules;
use crate::{Error, Kind, Matcher, Stamp};
use std::collections::HashMap;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// What a walk found.
#[derive(Debug, Default)]
pub struct Walked {
    /// Sorted by path.
    pub files: Vec<Seen>,
    /// The distinct sets of lists that files are in.
    pub sets: Vec<Vec<u32>>,
}

/// A file that some list asks for, not yet opened.
#[derive(Debug)]
pub struct Seen {
    pub path: Box<[u8]>,
    pub stamp: Stamp,
    /// Index into [`Walked::sets`].
    pub set: u32,
}

/// Walks the checkout in `root`.
///
/// # Errors
/// When the root itself cannot be read.
pub fn walk(root: &Path, matcher: &Matcher) -> Result<Walked, Error> {
    let mut walk = Walk {
        matcher,
        rules: Rules::at(root),
        scratch: Scratch::default(),
        numbers: HashMap::new(),
        walked: Walked::default(),
    };
    let entries = fs::read_dir(root).map_err(Error::io("read the folder", root))?;
    walk.entries(entries, root, &mut Vec::new(), false);
    walk.walked.files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    Ok(walk.walked)
}

struct Walk<'a> {
    matcher: &'a Matcher,
    rules: Rules,
    scratch: Scratch,
    /// Set of lists to its index.
    numbers: HashMap<Vec<u32>, u32>,
    walked: Walked,
}

impl Walk<'_> {
    fn folder(&mut self, full: &Path, path: &mut Vec<u8>, is_ignored: bool) {
        match fs::read_dir(full) {
            Ok(entries) => self.entries(entries, full, path, is_ignored),
            // It went away, or became something else, since its parent was read.
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
            Err(_) => {
                self.matcher.lists_below(path, &mut self.scratch);
                self.keep(path, UNREADABLE);
            }
        }
    }

    fn entries(&mut self, entries: fs::ReadDir, full: &Path, path: &mut Vec<u8>, is_ignored: bool) {
        let left = self.rules.enter(path, &full.join(".gitignore"));
        let mut folders: Vec<(PathBuf, Vec<u8>, bool)> = Vec::new();
        let length = path.len();
        for entry in entries {
            // An entry that cannot be read makes the folder one that cannot be read in full.
            let Ok(entry) = entry else {
                path.truncate(length);
                self.matcher.lists_below(path, &mut self.scratch);
                self.keep(path, UNREADABLE);
                continue;
            };
            let name = entry.file_name();
            path.truncate(length);
            if length > 0 {
                path.push(b'/');
            }
            path.extend_from_slice(name.as_bytes());
            if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                self.file(&entry, path, name.as_bytes(), is_ignored);
            } else if self.matcher.can_match_below(path) {
                let is_ignored = is_ignored || self.rules.is_ignored(path, name.as_bytes(), true);
                if !is_ignored
                    || self.matcher.can_name_below(path)
                    || self.rules.tracked().has_below(path)
                {
                    folders.push((entry.path(), path.clone(), is_ignored));
                }
            }
        }
        for (full, mut path, is_ignored) in folders {
            self.folder(&full, &mut path, is_ignored);
        }
        path.truncate(length);
        self.rules.leave(left);
    }

    fn file(&mut self, entry: &fs::DirEntry, path: &[u8], name: &[u8], is_ignored: bool) {
        self.matcher.lists_of(path, false, &mut self.scratch);
        if self.scratch.lists.is_empty() {
            return;
        }
        if (is_ignored || self.rules.is_ignored(path, name, false))
            && !self.rules.tracked().has(path)
        {
            if !self.matcher.is_named(path) {
                return;
            }
            self.matcher.lists_of(path, true, &mut self.scratch);
        }
        match entry.metadata() {
            Ok(metadata) => self.keep(path, Stamp::of(&metadata)),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(_) => self.keep(path, UNREADABLE),
        }
    }

    /// Keeps a path for the lists in `scratch`.
    fn keep(&mut self, path: &[u8], stamp: Stamp) {
        let lists = &self.scratch.lists;
        if lists.is_empty() {
            return;
        }
        let set = match self.numbers.get(lists) {
            Some(set) => *set,
            None => {
                let set = u32::try_from(self.walked.sets.len()).unwrap_or(u32::MAX);
                self.walked.sets.push(lists.clone());
                self.numbers.insert(lists.clone(), set);
                set
            }
        };
        self.walked.files.push(Seen { path: path.into(), stamp, set });
    }
}

const UNREADABLE: Stamp =
    Stamp { kind: Kind::Unreadable, size_bytes: 0, modified_ns: 0, changed_ns: 0, inode: 0 };

#[cfg(test)]
#[path = "walk_tests.rs"]
mod tests;

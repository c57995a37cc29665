//! One walk of a checkout that finds every file some list of globs asks for.
//!
//! A symbolic link is an input by its text. Where it leads to a folder inside the root, what is in
//! there is also found below the link's own name, for a step that reads `web/shared/a.css` reads
//! it whatever `web/shared` is. Links out of the root, into git's folder or into our own are text
//! and no more.

use crate::matcher::Scratch;
use crate::rules::Rules;
use crate::{Error, Kind, Matcher, Stamp, link};
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

/// Walks the checkout in `root`, a path without links in it.
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
        root,
        inside: Vec::new(),
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
    root: &'a Path,
    /// For each link that the walk is behind: the folder it is in and the one it leads to.
    inside: Vec<PathBuf>,
}

/// A folder that is walked once its parent is closed again.
struct Below {
    full: PathBuf,
    path: Vec<u8>,
    is_link: bool,
    is_ignored: bool,
}

/// How many links deep a walk goes. Links that lead to one another's folders multiply.
const MAX_LINKS: usize = 3;

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
        let mut below: Vec<Below> = Vec::new();
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
            let kind = entry.file_type().ok();
            let is_folder = kind.is_some_and(|kind| kind.is_dir());
            let is_link = kind.is_some_and(|kind| kind.is_symlink());
            if !is_folder {
                self.file(&entry, path, name.as_bytes(), is_ignored);
            }
            if (is_folder || is_link) && self.matcher.can_match_below(path) {
                // To git, a link to a folder is a file.
                let is_ignored =
                    is_ignored || self.rules.is_ignored(path, name.as_bytes(), is_folder);
                if !is_ignored
                    || self.matcher.can_name_below(path)
                    || self.rules.tracked().has_below(path)
                {
                    let (full, path) = (entry.path(), path.clone());
                    below.push(Below { full, path, is_link, is_ignored });
                }
            }
        }
        for Below { full, mut path, is_link, is_ignored } in below {
            if is_link {
                self.behind(&full, &mut path, is_ignored);
            } else {
                self.folder(&full, &mut path, is_ignored);
            }
        }
        path.truncate(length);
        self.rules.leave(left);
    }

    /// What is behind a link, if that is a folder.
    fn behind(&mut self, full: &Path, path: &mut Vec<u8>, is_ignored: bool) {
        let Some((target, metadata)) = link::target(self.root, full) else { return };
        let Some(Ok(home)) = full.parent().map(Path::canonicalize) else { return };
        let is_loop = home.starts_with(&target)
            || self.inside.iter().any(|inside| inside.starts_with(&target));
        if metadata.is_dir() && !is_loop && self.inside.len() < 2 * MAX_LINKS {
            self.inside.extend([home, target.clone()]);
            self.folder(&target, path, is_ignored);
            self.inside.truncate(self.inside.len() - 2);
        }
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
            Ok(metadata) if metadata.is_symlink() => {
                let stamp = link::stamp(self.root, &entry.path(), &metadata);
                self.keep(path, stamp);
            }
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

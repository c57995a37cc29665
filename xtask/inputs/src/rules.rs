//! All of git's ignore rules that hold in a checkout: the `.gitignore` of every folder from the
//! top down, and `.git/info/exclude`.
//!
//! A person's own `core.excludesFile` is left out on purpose: what a step reads, and so its
//! fingerprint, must not depend on whose machine it runs on.

use crate::gitignore::Gitignore;
use crate::index::{self, Tracked};
use std::cell::OnceCell;
use std::fs;
use std::path::{Path, PathBuf};

/// The rules that hold where a walk is. Folders are entered and left as the walk goes.
#[derive(Debug)]
pub struct Rules {
    root: PathBuf,
    top: Option<(PathBuf, Vec<u8>)>,
    /// From the weakest to the strongest, each with the length of its folder's path (with the
    /// closing `/`), counted from the top of the checkout.
    files: Vec<(usize, Gitignore)>,
    /// The path being asked about, from the top of the checkout.
    path: Vec<u8>,
    tracked: OnceCell<Tracked>,
}

/// Folders that are never walked for inputs, though a tracked or named file in one is an input.
fn is_never_walked(path: &[u8], name: &[u8]) -> bool {
    name == b".git" || name == b"node_modules" || path == b"target/xtask"
}

impl Rules {
    /// The rules that hold at the root.
    pub fn at(root: &Path) -> Rules {
        let top = index::top(root);
        let mut rules = Rules {
            root: root.to_owned(),
            path: top.as_ref().map(|(_, prefix)| prefix.clone()).unwrap_or_default(),
            top,
            files: Vec::new(),
            tracked: OnceCell::new(),
        };
        if let Some((top, prefix)) = rules.top.clone() {
            if let Some(git) = index::git_dir(&top) {
                rules.add(0, &index::common_dir(&git).join("info/exclude"));
            }
            let above = prefix.iter().enumerate().filter(|(_, byte)| **byte == b'/');
            for length in std::iter::once(0).chain(above.map(|(at, _)| at + 1)) {
                if length < prefix.len() {
                    rules.add(
                        length,
                        &top.join(crate::as_path(&prefix[..length])).join(".gitignore"),
                    );
                }
            }
        }
        rules
    }

    fn prefix_length(&self) -> usize {
        self.top.as_ref().map_or(0, |(_, prefix)| prefix.len())
    }

    fn add(&mut self, length: usize, file: &Path) {
        if let Ok(text) = fs::read(file) {
            let rules = Gitignore::parse(&text);
            if !rules.is_empty() {
                self.files.push((length, rules));
            }
        }
    }

    /// Adds the rules in a folder's `.gitignore`; gives what [`Rules::leave`] takes.
    pub fn enter(&mut self, folder: &[u8], file: &Path) -> usize {
        let before = self.files.len();
        let length = self.prefix_length() + folder.len() + usize::from(!folder.is_empty());
        self.add(length, file);
        before
    }

    /// Forgets the rules of a folder again.
    pub fn leave(&mut self, before: usize) {
        self.files.truncate(before);
    }

    /// Whether a path below the root is ignored, its parents not being so.
    pub fn is_ignored(&mut self, path: &[u8], name: &[u8], is_folder: bool) -> bool {
        if is_folder && is_never_walked(path, name) || name == b".git" {
            return true;
        }
        self.path.truncate(self.top.as_ref().map_or(0, |(_, prefix)| prefix.len()));
        self.path.extend_from_slice(path);
        self.files
            .iter()
            .rev()
            .find_map(|(length, rules)| rules.is_ignored(&self.path[*length..], is_folder))
            .unwrap_or(false)
    }

    /// The tracked files: read only once something ignored is met.
    pub fn tracked(&self) -> &Tracked {
        self.tracked.get_or_init(|| {
            let Some((top, prefix)) = &self.top else { return Tracked::default() };
            index::git_dir(top)
                .map(|git| Tracked::read(&git, &self.root, prefix))
                .unwrap_or_default()
        })
    }
}

//! Lists of globs, all matched against a path in one go.

use crate::{Glob, GlobError};

/// One list of globs; a leading `!` takes out again what globs before it let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Globs {
    globs: Vec<(Glob, bool)>,
}

impl Globs {
    /// Compiles a list.
    ///
    /// # Errors
    /// When a glob is malformed or leads out of the root.
    pub fn new<S: AsRef<str>>(list: &[S]) -> Result<Globs, GlobError> {
        let globs = list.iter().map(|glob| split_sign(glob.as_ref())).collect::<Result<_, _>>()?;
        Ok(Globs { globs })
    }

    /// Whether a path is in the list: the last glob that matches decides.
    pub fn is_match(&self, path: &[u8]) -> bool {
        let last = self.globs.iter().rev().find(|(glob, _)| glob.is_match(path));
        last.is_some_and(|(_, is_negated)| !is_negated)
    }

    /// Whether something below a folder can be in the list.
    pub fn can_match_below(&self, folder: &[u8]) -> bool {
        self.globs.iter().any(|(glob, is_negated)| !is_negated && glob.can_match_below(folder))
    }

    /// The folders, or files, that a search for all in the list has to begin at.
    pub fn starts(&self) -> Vec<Vec<u8>> {
        let mut starts = (self.globs.iter())
            .filter(|(_, is_negated)| !is_negated)
            .flat_map(|(glob, _)| glob.starts().collect::<Vec<_>>())
            .collect::<Vec<_>>();
        starts.sort();
        // What is below another start is found from there.
        starts.dedup_by(|below, above| {
            below
                .strip_prefix(&above[..])
                .is_some_and(|rest| above.is_empty() || rest.is_empty() || rest.starts_with(b"/"))
        });
        starts
    }
}

fn split_sign(glob: &str) -> Result<(Glob, bool), GlobError> {
    match glob.strip_prefix('!') {
        Some(rest) => Ok((Glob::new(rest)?, true)),
        None => Ok((Glob::new(glob)?, false)),
    }
}

/// Many lists of globs, most of which say the same: each distinct glob is tried once per path.
#[derive(Debug, Clone)]
pub struct Matcher {
    globs: Vec<Glob>,
    /// For each list: index into `globs`, and whether it takes out.
    lists: Vec<Vec<(usize, bool)>>,
}

/// What is known of the globs for the path at hand; kept between paths to spare allocations.
#[derive(Debug, Default)]
pub struct Scratch {
    known: Vec<Option<bool>>,
    pub lists: Vec<u32>,
}

impl Matcher {
    /// Compiles the lists.
    ///
    /// # Errors
    /// When a glob is malformed or leads out of the root.
    pub fn new<S: AsRef<str>>(lists: &[&[S]]) -> Result<Matcher, GlobError> {
        let mut matcher = Matcher { globs: Vec::new(), lists: Vec::with_capacity(lists.len()) };
        let mut texts: Vec<&str> = Vec::new();
        for list in lists {
            let mut compiled = Vec::with_capacity(list.len());
            for text in *list {
                let text = text.as_ref();
                let (bare, is_negated) =
                    text.strip_prefix('!').map_or((text, false), |bare| (bare, true));
                let known = texts.iter().position(|known| *known == bare);
                let index = match known {
                    Some(index) => index,
                    None => {
                        matcher.globs.push(Glob::new(bare)?);
                        texts.push(bare);
                        texts.len() - 1
                    }
                };
                compiled.push((index, is_negated));
            }
            matcher.lists.push(compiled);
        }
        Ok(matcher)
    }

    /// How many lists there are.
    pub fn len(&self) -> usize {
        self.lists.len()
    }

    pub fn is_empty(&self) -> bool {
        self.lists.is_empty()
    }

    /// The same lists, all empty but one.
    #[must_use]
    pub fn only(&self, list: usize) -> Matcher {
        let lists = (self.lists.iter().enumerate())
            .map(|(index, globs)| if index == list { globs.clone() } else { Vec::new() })
            .collect();
        Matcher { globs: self.globs.clone(), lists }
    }

    /// Puts the lists that a path is in into `scratch.lists`, in order. `is_named_only`: as if
    /// there were no globs with wildcards but those that take out.
    pub(crate) fn lists_of(&self, path: &[u8], is_named_only: bool, scratch: &mut Scratch) {
        scratch.lists.clear();
        scratch.known.clear();
        scratch.known.resize(self.globs.len(), None);
        for (list, globs) in self.lists.iter().enumerate() {
            for (index, is_negated) in globs.iter().rev() {
                let glob = &self.globs[*index];
                let is_match = if is_named_only && !is_negated {
                    glob.is_named(path)
                } else {
                    *scratch.known[*index].get_or_insert_with(|| glob.is_match(path))
                };
                if is_match {
                    if !is_negated {
                        scratch.lists.push(u32::try_from(list).unwrap_or(u32::MAX));
                    }
                    break;
                }
            }
        }
    }

    /// Puts the lists that could have something below a folder into `scratch.lists`.
    pub(crate) fn lists_below(&self, folder: &[u8], scratch: &mut Scratch) {
        scratch.lists.clear();
        for (list, globs) in self.lists.iter().enumerate() {
            let can_match = |(index, is_negated): &(usize, bool)| {
                !is_negated && self.globs[*index].can_match_below(folder)
            };
            if globs.iter().any(can_match) {
                scratch.lists.push(u32::try_from(list).unwrap_or(u32::MAX));
            }
        }
    }

    pub(crate) fn can_match_below(&self, folder: &[u8]) -> bool {
        self.any(|glob| glob.can_match_below(folder))
    }

    pub(crate) fn can_name_below(&self, folder: &[u8]) -> bool {
        self.any(|glob| glob.can_name_below(folder))
    }

    pub(crate) fn is_named(&self, path: &[u8]) -> bool {
        self.any(|glob| glob.is_named(path))
    }

    fn any(&self, is: impl Fn(&Glob) -> bool) -> bool {
        let positive = self.lists.iter().flatten().filter(|(_, is_negated)| !is_negated);
        positive.map(|(index, _)| &self.globs[*index]).any(is)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lists(matcher: &Matcher, path: &str, is_named_only: bool) -> Vec<u32> {
        let mut scratch = Scratch::default();
        matcher.lists_of(path.as_bytes(), is_named_only, &mut scratch);
        scratch.lists
    }

    #[test]
    fn the_last_glob_that_matches_decides() {
        let matcher =
            Matcher::new(&[&["**/*.rs", "!gen/**", "gen/keep.rs"][..], &["**"], &["!**/*.rs"]])
                .unwrap();
        assert_eq!(lists(&matcher, "src/a.rs", false), [0, 1]);
        assert_eq!(lists(&matcher, "gen/a.rs", false), [1]);
        assert_eq!(lists(&matcher, "gen/keep.rs", false), [0, 1]);
        assert_eq!(lists(&matcher, "gen/keep.rs", true), [0]);
        assert_eq!(lists(&matcher.only(1), "src/a.rs", false), [1]);
    }

    #[test]
    fn a_search_begins_where_something_can_be() {
        let globs = Globs::new(&["dist/**", "dist/x/*.js", "out.txt", "a/{b,c}/*"]).unwrap();
        let starts = globs.starts();
        let shown = starts.iter().map(|start| str::from_utf8(start).unwrap()).collect::<Vec<_>>();
        assert_eq!(shown, ["a/b", "a/c", "dist", "out.txt"]);
        assert_eq!(Globs::new(&["**/*.xml", "x/*"]).unwrap().starts(), [b""]);
    }
}

//! Globs, matched without regular expressions.
//!
//! `*` and `?` stay within a component, `**` as a whole component is any number of them, `[…]` is
//! a class, `{a,b}` alternatives, `\` takes the next character as it is. A glob without any of
//! these names a file, or a folder and all that is below it.

use crate::parse::{Dialect, compile, expand};
use crate::pattern::{self, Token};
use std::fmt;

/// A compiled glob, relative to a root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob {
    alternatives: Vec<Alternative>,
}

/// A glob that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GlobError {
    pub glob: String,
    /// What is wrong; lowercase, no full stop.
    pub message: &'static str,
}

impl fmt::Display for GlobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "glob `{}`: {}", self.glob, self.message)
    }
}

impl std::error::Error for GlobError {}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alternative {
    /// The literal start: whole components, each closed by `/`. Compared before anything else.
    pub folder: Vec<u8>,
    pub rest: Rest,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rest {
    /// A name, and nothing but it.
    Literal(Vec<u8>),
    /// `**`: all that is below.
    Everything,
    /// `*.rs`, `**/*.rs`, `**/Cargo.toml`, `vite.config.*`: by far the most common.
    Name {
        is_any_depth: bool,
        prefix: Vec<u8>,
        suffix: Vec<u8>,
        is_exact: bool,
    },
    General(Vec<Component>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Component {
    AnyDepth,
    Name(Vec<Token>),
}

impl Glob {
    /// Compiles a glob.
    ///
    /// # Errors
    /// When it is malformed, or leads out of the root.
    pub fn new(glob: &str) -> Result<Glob, GlobError> {
        let fail = |message| GlobError { glob: glob.to_owned(), message };
        let mut texts = Vec::new();
        expand(glob, &mut texts).map_err(fail)?;
        let alternatives =
            texts.iter().map(|text| compile(text, Dialect::Glob)).collect::<Result<_, _>>();
        Ok(Glob { alternatives: alternatives.map_err(fail)? })
    }

    /// Compiles a glob in which braces mean nothing, as in a `.gitignore`.
    pub(crate) fn without_braces(glob: &str) -> Result<Glob, GlobError> {
        let alternative = compile(glob, Dialect::Gitignore)
            .map_err(|message| GlobError { glob: glob.to_owned(), message })?;
        Ok(Glob { alternatives: vec![alternative] })
    }

    /// Whether a path matches in whole. A literal matches itself alone.
    pub fn is_match_exact(&self, path: &[u8]) -> bool {
        self.alternatives.iter().any(|alternative| alternative.is_match(path))
    }

    /// Whether a path matches, where a literal also matches all that is below it.
    pub fn is_match(&self, path: &[u8]) -> bool {
        self.alternatives
            .iter()
            .any(|alternative| alternative.is_match(path) || alternative.is_literal_above(path))
    }

    /// Whether a path is named outright, or is below a folder that is: by a glob, or one of its
    /// alternatives, without wildcards.
    pub fn is_named(&self, path: &[u8]) -> bool {
        self.alternatives.iter().any(|alternative| {
            alternative.is_literal()
                && (alternative.is_match(path) || alternative.is_literal_above(path))
        })
    }

    /// Whether something below a folder can match.
    pub fn can_match_below(&self, folder: &[u8]) -> bool {
        self.alternatives.iter().any(|alternative| alternative.can_match_below(folder))
    }

    /// Whether something below a folder can be named outright.
    pub fn can_name_below(&self, folder: &[u8]) -> bool {
        self.alternatives
            .iter()
            .any(|alternative| alternative.is_literal() && alternative.can_match_below(folder))
    }

    /// The folders that a search for all matches has to begin in; empty for the root.
    pub fn starts(&self) -> impl Iterator<Item = Vec<u8>> + '_ {
        self.alternatives.iter().map(|alternative| match &alternative.rest {
            Rest::Literal(name) => [&alternative.folder[..], name].concat(),
            _ => alternative.folder.strip_suffix(b"/").unwrap_or_default().to_vec(),
        })
    }
}

impl Alternative {
    fn is_match(&self, path: &[u8]) -> bool {
        let Some(rest) = path.strip_prefix(&self.folder[..]) else { return false };
        match &self.rest {
            Rest::Literal(name) => rest == &name[..],
            Rest::Everything => !rest.is_empty(),
            Rest::Name { is_any_depth, prefix, suffix, is_exact } => {
                let name = match rest.iter().rposition(|byte| *byte == b'/') {
                    Some(_) if !is_any_depth => return false,
                    Some(slash) => &rest[slash + 1..],
                    None => rest,
                };
                if *is_exact {
                    return name == &prefix[..];
                }
                name.len() >= prefix.len() + suffix.len()
                    && name.ends_with(suffix)
                    && name.starts_with(prefix)
            }
            Rest::General(components) => matches_components(components, rest),
        }
    }

    fn is_literal(&self) -> bool {
        matches!(self.rest, Rest::Literal(_))
    }

    fn is_literal_above(&self, path: &[u8]) -> bool {
        let Rest::Literal(name) = &self.rest else { return false };
        path.strip_prefix(&self.folder[..])
            .and_then(|rest| rest.strip_prefix(&name[..]))
            .is_some_and(|rest| rest.first() == Some(&b'/'))
    }

    fn can_match_below(&self, folder: &[u8]) -> bool {
        if folder.is_empty() {
            return true;
        }
        let is_above = |long: &[u8], short: &[u8]| {
            long.strip_prefix(short).is_some_and(|rest| rest.first() == Some(&b'/'))
        };
        if is_above(&self.folder, folder) {
            // The glob's own folder is this one or lies below it.
            return true;
        }
        // This folder lies below the glob's own.
        let Some(rest) = folder.strip_prefix(&self.folder[..]) else { return false };
        match &self.rest {
            Rest::Literal(name) => {
                rest == &name[..] || is_above(rest, name) || is_above(name, rest)
            }
            Rest::Everything | Rest::General(_) => true,
            Rest::Name { is_any_depth, .. } => *is_any_depth,
        }
    }
}

/// Only the last `**` is ever taken back, as with `*` within a component.
fn matches_components(components: &[Component], path: &[u8]) -> bool {
    let mut next = 0;
    let mut rest = Some(path);
    let mut retry: Option<(usize, &[u8])> = None;
    loop {
        match (components.get(next), rest) {
            (None, None) => return true,
            (Some(Component::AnyDepth), Some(_)) if next + 1 == components.len() => return true,
            (Some(Component::AnyDepth), Some(here)) => {
                retry = Some((next + 1, here));
                next += 1;
                continue;
            }
            (Some(Component::Name(tokens)), Some(here)) => {
                let (name, after) = split(here);
                if pattern::matches(tokens, name) {
                    next += 1;
                    rest = after;
                    continue;
                }
            }
            // The path is at its end too early: taking back would only make that earlier.
            (Some(_), None) => return false,
            (None, Some(_)) => {}
        }
        let Some((after, from)) = retry else { return false };
        let Some(from) = split(from).1 else { return false };
        retry = Some((after, from));
        next = after;
        rest = Some(from);
    }
}

fn split(path: &[u8]) -> (&[u8], Option<&[u8]>) {
    match path.iter().position(|byte| *byte == b'/') {
        Some(slash) => (&path[..slash], Some(&path[slash + 1..])),
        None => (path, None),
    }
}

#[cfg(test)]
#[path = "glob_tests.rs"]
mod tests;

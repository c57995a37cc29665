//! Globs, matched without regular expressions.
//!
//! `*` and `?` stay within a component, `**` as a whole component is any number of them, `[…]` is
//! a class, `{a,b}` alternatives, `\` takes the next character as it is. A glob without any of
//! these names a file, or a folder and all that is below it.

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

/// How many alternatives the braces of one glob may stand for: far more than people write, far
/// less than `{a,b}{a,b}{a,b}…` can make of a line.
const MAX_ALTERNATIVES: usize = 256;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Alternative {
    /// The literal start: whole components, each closed by `/`. Compared before anything else.
    folder: Vec<u8>,
    rest: Rest,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Rest {
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
enum Component {
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
        let alternatives = texts.iter().map(|text| compile(text)).collect::<Result<_, _>>();
        Ok(Glob { alternatives: alternatives.map_err(fail)? })
    }

    /// Compiles a glob in which braces mean nothing, as in a `.gitignore`.
    pub(crate) fn without_braces(glob: &str) -> Result<Glob, GlobError> {
        let alternative =
            compile(glob).map_err(|message| GlobError { glob: glob.to_owned(), message })?;
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

/// Writes each alternative of the first braces out, and those of the rest in turn.
fn expand(glob: &str, into: &mut Vec<String>) -> Result<(), &'static str> {
    let Some(Braces { open, close, commas }) = first_braces(glob)? else {
        into.push(glob.to_owned());
        return if into.len() > MAX_ALTERNATIVES {
            Err("its braces stand for more than 256 alternatives")
        } else {
            Ok(())
        };
    };
    let mut start = open + 1;
    for end in commas.into_iter().chain([close]) {
        expand(&[&glob[..open], &glob[start..end], &glob[close + 1..]].concat(), into)?;
        start = end + 1;
    }
    Ok(())
}

/// Where the first braces open and close, and their own commas.
struct Braces {
    open: usize,
    close: usize,
    commas: Vec<usize>,
}

fn first_braces(glob: &str) -> Result<Option<Braces>, &'static str> {
    let (mut open, mut depth, mut commas) = (None, 0_u32, Vec::new());
    let mut bytes = glob.bytes().enumerate();
    let mut class_from = None;
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\\' => {
                bytes.next();
            }
            b']' if class_from.is_some_and(|from| at > from) => class_from = None,
            _ if class_from.is_some() => {}
            b'[' => {
                let is_negated = matches!(glob.as_bytes().get(at + 1), Some(b'!' | b'^'));
                class_from = Some(at + 1 + usize::from(is_negated));
            }
            b'{' => {
                open = open.or(Some(at));
                depth += 1;
            }
            b',' if depth == 1 => commas.push(at),
            b'}' => match (depth, open) {
                (1, Some(open)) => return Ok(Some(Braces { open, close: at, commas })),
                (0, _) => return Err("`}` without `{`; write `\\}` for the character"),
                _ => depth -= 1,
            },
            _ => {}
        }
    }
    if depth > 0 { Err("`{` is not closed; write `\\{` for the character") } else { Ok(None) }
}

fn compile(glob: &str) -> Result<Alternative, &'static str> {
    if glob.starts_with('/') {
        return Err("it is absolute; globs are relative to the project's root");
    }
    let mut components = parse(glob)?;
    if glob.ends_with('/') {
        components.push(Component::AnyDepth);
    }
    if components.iter().any(|component| component.literal().as_deref() == Some(b"..")) {
        return Err("`..` leads out of the project's root");
    }
    components.dedup_by(|a, b| matches!((a, b), (Component::AnyDepth, Component::AnyDepth)));
    if let [.., Component::AnyDepth, Component::Name(tokens)] = &components[..]
        && tokens[..] == [Token::AnyText]
    {
        components.pop();
    }
    let Some(last) = components.pop() else { return Err("it is empty") };
    let mut folder = Vec::new();
    let literals = components.iter().map_while(Component::literal).collect::<Vec<_>>();
    for literal in &literals {
        folder.extend_from_slice(literal);
        folder.push(b'/');
    }
    components.drain(..literals.len());
    let rest = simple(&components, &last).unwrap_or_else(|| {
        components.push(last);
        Rest::General(components)
    });
    Ok(Alternative { folder, rest })
}

/// The rest of a glob past its literal folder, where it is one of the common shapes.
fn simple(between: &[Component], last: &Component) -> Option<Rest> {
    let is_any_depth = match between {
        [] => false,
        [Component::AnyDepth] => true,
        _ => return None,
    };
    let Component::Name(tokens) = last else {
        return (!is_any_depth).then_some(Rest::Everything);
    };
    let literal = |tokens: &[Token]| {
        let byte = |token: &Token| if let Token::Byte(byte) = token { Some(*byte) } else { None };
        tokens.iter().map(byte).collect::<Option<Vec<u8>>>()
    };
    match tokens.iter().position(|token| *token == Token::AnyText) {
        None => {
            let prefix = literal(tokens)?;
            Some(if is_any_depth {
                Rest::Name { is_any_depth, prefix, suffix: Vec::new(), is_exact: true }
            } else {
                Rest::Literal(prefix)
            })
        }
        Some(star) => Some(Rest::Name {
            is_any_depth,
            prefix: literal(&tokens[..star])?,
            suffix: literal(&tokens[star + 1..])?,
            is_exact: false,
        }),
    }
}

impl Component {
    fn literal(&self) -> Option<Vec<u8>> {
        let Component::Name(tokens) = self else { return None };
        let byte = |token: &Token| if let Token::Byte(byte) = token { Some(*byte) } else { None };
        tokens.iter().map(byte).collect()
    }
}

fn parse(glob: &str) -> Result<Vec<Component>, &'static str> {
    let mut components = Vec::new();
    let mut tokens = Vec::new();
    let mut stars_only = true;
    let mut close = |tokens: &mut Vec<Token>, stars_only: &mut bool, stars: usize| {
        let tokens = std::mem::take(tokens);
        if std::mem::replace(stars_only, true) && stars == 2 {
            components.push(Component::AnyDepth);
        } else if !tokens.is_empty() && tokens[..] != [Token::Byte(b'.')] {
            components.push(Component::Name(tokens));
        }
    };
    let mut stars = 0;
    let mut chars = glob.chars().peekable();
    while let Some(char) = chars.next() {
        if char != '*' && char != '/' {
            stars_only = false;
        }
        match char {
            '/' => {
                close(&mut tokens, &mut stars_only, stars);
                stars = 0;
            }
            '*' => {
                stars += 1;
                if tokens.last() != Some(&Token::AnyText) {
                    tokens.push(Token::AnyText);
                }
            }
            '?' => tokens.push(Token::AnyChar),
            '[' => tokens.push(class(&mut chars)?),
            '\\' => {
                let Some(escaped) = chars.next() else {
                    return Err("it ends in `\\`, which takes the next character as it is");
                };
                literal(escaped, &mut tokens);
            }
            char => literal(char, &mut tokens),
        }
    }
    close(&mut tokens, &mut stars_only, stars);
    Ok(components)
}

fn literal(char: char, into: &mut Vec<Token>) {
    let mut buffer = [0; 4];
    into.extend(char.encode_utf8(&mut buffer).bytes().map(Token::Byte));
}

fn class(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<Token, &'static str> {
    const OPEN: &str = "`[` is not closed; write `\\[` for the character";
    let is_negated = chars.next_if(|char| matches!(char, '!' | '^')).is_some();
    let mut ranges = Vec::new();
    let mut is_first = true;
    loop {
        let low = match chars.next().ok_or(OPEN)? {
            ']' if !is_first => return Ok(Token::Class { is_negated, ranges }),
            '/' => return Err("`/` cannot be in `[…]`"),
            '\\' => chars.next().ok_or(OPEN)?,
            char => char,
        };
        is_first = false;
        let mut ahead = chars.clone();
        let high = match (ahead.next(), ahead.next()) {
            (Some('-'), Some(high)) if high != ']' => {
                chars.next();
                match chars.next().ok_or(OPEN)? {
                    '\\' => chars.next().ok_or(OPEN)?,
                    char => char,
                }
            }
            _ => low,
        };
        if low > high {
            return Err("a range in `[…]` runs backwards");
        }
        ranges.push((u32::from(low), u32::from(high)));
    }
}

#[cfg(test)]
#[path = "glob_tests.rs"]
mod tests;

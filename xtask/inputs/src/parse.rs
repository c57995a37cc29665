//! From the text of a glob to what is matched.

use crate::glob::{Alternative, Component, Rest};
use crate::pattern::Token;

/// How many alternatives the braces of one glob may stand for: far more than people write, far
/// less than `{a,b}{a,b}{a,b}…` can make of a line.
const MAX_ALTERNATIVES: usize = 256;

/// Whose rules a text is read by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// A glob of a person's, where what can never match is a mistake.
    Glob,
    /// A line of a `.gitignore`, where it is a line that matches nothing: `[a/b]` is read as a
    /// class, though no name holds its `/`.
    Gitignore,
}

/// Writes each alternative of the first braces out, and those of the rest in turn.
pub fn expand(glob: &str, into: &mut Vec<String>) -> Result<(), &'static str> {
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

/// Compiles a glob in which braces mean nothing.
pub fn compile(glob: &str, dialect: Dialect) -> Result<Alternative, &'static str> {
    if glob.starts_with('/') {
        return Err("it is absolute; globs are relative to the project's root");
    }
    let mut components = parse(glob, dialect)?;
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

fn parse(glob: &str, dialect: Dialect) -> Result<Vec<Component>, &'static str> {
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
            '[' => tokens.push(class(&mut chars, dialect)?),
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

fn class(
    chars: &mut std::iter::Peekable<std::str::Chars<'_>>,
    dialect: Dialect,
) -> Result<Token, &'static str> {
    const OPEN: &str = "`[` is not closed; write `\\[` for the character";
    let is_negated = chars.next_if(|char| matches!(char, '!' | '^')).is_some();
    let mut ranges = Vec::new();
    let mut is_first = true;
    loop {
        let low = match chars.next().ok_or(OPEN)? {
            ']' if !is_first => return Ok(Token::Class { is_negated, ranges }),
            '/' if dialect == Dialect::Glob => return Err("`/` cannot be in `[…]`"),
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

//! One component of a glob: literal text with `*`, `?` and `[…]` in it.

/// A piece of a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    Byte(u8),
    /// `?`: one character, or one byte that is none.
    AnyChar,
    /// `*`: any bytes, none too.
    AnyText,
    /// `[a-z]`, `[!a-z]`: one character in, or not in, one of the ranges (inclusive).
    Class {
        is_negated: bool,
        ranges: Vec<(u32, u32)>,
    },
}

/// Whether a component matches a name in whole. Only the last `*` is ever taken back, so the time
/// is at most the product of the two lengths.
pub fn matches(tokens: &[Token], name: &[u8]) -> bool {
    let (mut token, mut at) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    loop {
        if token == tokens.len() && at == name.len() {
            return true;
        }
        let taken = match tokens.get(token) {
            Some(Token::AnyText) => {
                retry = Some((token + 1, at));
                Some(0)
            }
            Some(one) if at < name.len() => width(one, &name[at..]),
            _ => None,
        };
        match (taken, retry) {
            (Some(width), _) => {
                token += 1;
                at += width;
            }
            (None, Some((after, from))) if from < name.len() => {
                retry = Some((after, from + 1));
                token = after;
                at = from + 1;
            }
            _ => return false,
        }
    }
}

/// How many bytes of `rest` (not empty) a token takes; `None` when it does not match.
fn width(token: &Token, rest: &[u8]) -> Option<usize> {
    match token {
        Token::Byte(byte) => (rest[0] == *byte).then_some(1),
        Token::AnyChar => Some(first_char(rest).1),
        Token::Class { is_negated, ranges } => {
            let (code, width) = first_char(rest);
            let is_in = ranges.iter().any(|(low, high)| (*low..=*high).contains(&code));
            (is_in != *is_negated).then_some(width)
        }
        Token::AnyText => Some(0),
    }
}

/// The longest UTF-8 encoding of a character.
const CHAR_BYTES: usize = 4;

/// The first character and its width; a byte that starts none is a code past all characters.
fn first_char(bytes: &[u8]) -> (u32, usize) {
    let head = &bytes[..bytes.len().min(CHAR_BYTES)];
    let valid = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or_default(),
    };
    match valid.chars().next() {
        Some(first) => (u32::from(first), first.len_utf8()),
        None => (u32::from(char::MAX) + 1 + u32::from(bytes[0]), 1),
    }
}

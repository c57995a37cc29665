//! A bounded, one-line view of what a server sent: findings are read in terminals and logs.

/// Longest excerpt, in characters: about two terminal lines.
const MAX_CHARS: usize = 160;

/// The beginning of some bytes, quoted.
pub(crate) fn excerpt(bytes: &[u8]) -> String {
    let (shown, is_whole) = beginning(bytes);
    match is_whole {
        true => format!("\"{shown}\""),
        false => format!("\"{shown}\"… (of {} bytes)", bytes.len()),
    }
}

/// The beginning of a text that brings its own quotes.
pub(crate) fn shorten(text: &str) -> String {
    let (shown, is_whole) = beginning(text.as_bytes());
    if is_whole { shown } else { format!("{shown}…") }
}

/// As much as is shown, control characters escaped, and whether that is all.
fn beginning(bytes: &[u8]) -> (String, bool) {
    // Four bytes hold any character, so this much decides what is shown.
    let head = &bytes[..bytes.len().min(4 * MAX_CHARS)];
    let text = String::from_utf8_lossy(head);
    let mut shown = String::new();
    let mut chars = text.chars();
    for c in chars.by_ref().take(MAX_CHARS) {
        match c {
            '"' | '\'' => shown.push(c),
            c => shown.extend(c.escape_debug()),
        }
    }
    let is_whole = chars.next().is_none() && head.len() == bytes.len();
    (shown, is_whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_one_bounded_line() {
        assert_eq!(excerpt(b"a\nb\x1b[31m"), r#""a\nb\u{1b}[31m""#);
        let long = excerpt(&vec![b'x'; 100_000]);
        assert!(long.ends_with("… (of 100000 bytes)"), "{long}");
        assert!(long.len() < 250);
    }

    #[test]
    fn bytes_that_are_not_text_are_shown_as_such() {
        assert_eq!(excerpt(&[0xff, b'a']), "\"\u{fffd}a\"");
    }
}

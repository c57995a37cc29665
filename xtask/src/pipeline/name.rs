//! File names as text that loses nothing and fits on a line.
//!
//! A name is bytes. As text, a backslash is doubled, and every control character and every byte
//! that is not UTF-8 is written `\xNN`.

use std::fmt::Write;

/// A name as text.
pub fn show(name: &[u8]) -> String {
    let mut text = String::with_capacity(name.len());
    for chunk in name.utf8_chunks() {
        for char in chunk.valid().chars() {
            match char {
                '\\' => text.push_str("\\\\"),
                char if char.is_ascii_control() => escape(&mut text, char as u8),
                char => text.push(char),
            }
        }
        chunk.invalid().iter().for_each(|byte| escape(&mut text, *byte));
    }
    text
}

fn escape(text: &mut String, byte: u8) {
    // Writing to a string cannot fail.
    let _ = write!(text, "\\x{byte:02x}");
}

/// The name that was shown as `text`; `None` when none was.
pub fn parse(text: &str) -> Option<Vec<u8>> {
    let mut name = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'\\' {
            name.push(*first);
        } else if let Some(after) = rest.strip_prefix(b"\\") {
            name.push(b'\\');
            rest = after;
        } else {
            let hex = rest.strip_prefix(b"x")?.get(..2)?;
            name.push(u8::from_str_radix(str::from_utf8(hex).ok()?, 16).ok()?);
            rest = &rest[3..];
        }
    }
    Some(name)
}

/// A step's name as the name of a file or folder: any byte that is not plain is written `%NN`, and
/// so is a leading dot.
pub fn file_name(step: &str) -> String {
    let mut text = String::with_capacity(step.len());
    for (at, byte) in step.bytes().enumerate() {
        if byte.is_ascii_alphanumeric() || b"-_".contains(&byte) || byte == b'.' && at > 0 {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02x}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_fits_on_a_line() {
        assert_eq!(show(b"a b\n\\caf\xc3\xa9\xff"), "a b\\x0a\\\\caf\u{e9}\\xff");
        assert_eq!(file_name("../a b"), "%2e.%2fa%20b");
    }

    proptest! {
        #[test]
        fn names_round_trip(name in prop::collection::vec(any::<u8>(), 0..40)) {
            prop_assert_eq!(parse(&show(&name)), Some(name));
        }
    }
}

//! Finding lines in text that people and tools read.

/// The 1-based line of a byte offset.
pub(crate) fn line_at(text: &str, offset: usize) -> u32 {
    let before = &text.as_bytes()[..offset.min(text.len())];
    line_number(before.iter().filter(|byte| **byte == b'\n').count())
}

/// The 1-based line on which a text first occurs.
pub(crate) fn line_of(text: &str, needle: &str) -> Option<u32> {
    text.find(needle).map(|offset| line_at(text, offset))
}

/// A 1-based line number from a 0-based index.
pub(crate) fn line_number(index: usize) -> u32 {
    u32::try_from(index).map_or(u32::MAX, |index| index.saturating_add(1))
}

/// The line of a conflict marker that version control left.
pub(crate) fn conflict_line(text: &str) -> Option<u32> {
    let markers = ["<<<<<<< ", ">>>>>>> ", "||||||| "];
    text.lines()
        .position(|line| markers.iter().any(|marker| line.starts_with(marker)) || line == "=======")
        .map(line_number)
}

/// `1 crate`, `2 crates`.
pub(crate) fn counted(count: usize, one: &str, many: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        count => format!("{count} {many}"),
    }
}

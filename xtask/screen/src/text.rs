//! Text made safe and measured: what a step printed may hold anything, what a terminal shows must
//! not.
//!
//! Everything foreign passes through [`line`] or [`block`] before it is shown: bytes that are not
//! UTF-8 become U+FFFD, and no control sequence but colour (and that only when asked for) survives,
//! so that nothing a step prints can move the cursor, set the title or forge other lines.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// One line for a place where only one line fits: the last non-empty line of `bytes` as a terminal
/// would leave it (after the last carriage return), without any control sequence, trimmed.
pub fn line(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let last = text
        .rsplit(['\n', '\r'])
        .map(|part| clean(part, false).replace(['\t', '\n'], " "))
        .find(|part| !part.trim().is_empty());
    last.map(|part| part.trim().to_owned()).unwrap_or_default()
}

/// A block of output, line ends made `\n` and nothing of it lost but control sequences; colours are
/// kept when `keep_color`. Ends with a line end unless it is empty.
pub fn block(bytes: &[u8], keep_color: bool) -> String {
    let mut text = clean(&String::from_utf8_lossy(bytes), keep_color);
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

/// `text` without control characters and control sequences, but for line ends, tabs and, when
/// `keep_color`, sequences that set colour (SGR, ECMA-48 8.3.117).
fn clean(text: &str, keep_color: bool) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    loop {
        // Most text is plain, and this runs without optimisation on every cached output.
        let mut plain = 0;
        while plain < rest.len() && matches!(rest.as_bytes()[plain], b' '..=b'~' | b'\n' | b'\t') {
            plain += 1;
        }
        clean.push_str(&rest[..plain]);
        rest = &rest[plain..];
        let Some(c) = rest.chars().next() else { return clean };
        let after = &rest[c.len_utf8()..];
        rest = match c {
            '\r' => {
                clean.push('\n');
                after.strip_prefix('\n').unwrap_or(after)
            }
            '\u{1b}' => {
                let (sequence, after) = escape_sequence(after);
                if keep_color && is_color(sequence) {
                    clean.push('\u{1b}');
                    clean.push_str(sequence);
                }
                after
            }
            '\u{9b}' => control_sequence(after).1,
            c if c.is_control() || is_bidirectional_control(c) => after,
            c => {
                clean.push(c);
                after
            }
        };
    }
}

/// Splits what follows an ESC into the sequence and the rest.
fn escape_sequence(text: &str) -> (&str, &str) {
    match text.as_bytes().first() {
        Some(b'[') => {
            let (sequence, rest) = control_sequence(&text[1..]);
            (&text[..1 + sequence.len()], rest)
        }
        // OSC, DCS, SOS, PM, APC: up to BEL or ST; an unterminated one costs its line at most.
        Some(b']' | b'P' | b'X' | b'^' | b'_') => {
            let end = text.find(['\u{7}', '\u{1b}', '\u{9c}', '\n']).unwrap_or(text.len());
            let rest = &text[end..];
            let rest = rest
                .strip_prefix("\u{1b}\\")
                .unwrap_or_else(|| rest.strip_prefix(['\u{7}', '\u{9c}']).unwrap_or(rest));
            ("", rest)
        }
        Some(byte) if (0x20..0x7f).contains(byte) => {
            let intermediates = text.bytes().take_while(|byte| (0x20..0x30).contains(byte)).count();
            let has_final =
                text.as_bytes().get(intermediates).is_some_and(|byte| (0x30..0x7f).contains(byte));
            text.split_at(intermediates + usize::from(has_final))
        }
        _ => ("", text),
    }
}

/// Splits what follows a CSI into parameters with their final byte, and the rest.
fn control_sequence(text: &str) -> (&str, &str) {
    let parameters = text.bytes().take_while(|byte| (0x20..0x40).contains(byte)).count();
    let has_final = text.as_bytes().get(parameters).is_some_and(|byte| (0x40..0x7f).contains(byte));
    text.split_at(parameters + usize::from(has_final))
}

fn is_color(sequence: &str) -> bool {
    sequence.strip_prefix('[').and_then(|rest| rest.strip_suffix('m')).is_some_and(|parameters| {
        parameters.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b';' | b':'))
    })
}

/// Characters that reorder what is shown (CVE-2021-42574).
fn is_bidirectional_control(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}')
}

/// Columns that `text` takes on a terminal.
pub fn width(text: &str) -> usize {
    text.width()
}

/// `text` in at most `columns` columns, cut between characters and marked with `ellipsis`.
pub fn truncate(text: &str, columns: usize, ellipsis: &str) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let (ellipsis, room) = match columns.checked_sub(width(ellipsis)) {
        Some(room) => (ellipsis, room),
        None => ("", columns),
    };
    let mut kept = String::new();
    let mut used = 0;
    for character in text.graphemes(true) {
        used += width(character);
        if used > room {
            break;
        }
        kept.push_str(character);
    }
    format!("{}{ellipsis}", kept.trim_end())
}

/// `text` followed by spaces up to `columns` columns.
pub fn pad(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

/// `text` broken between words into lines of at most `columns` columns; a longer word is cut.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && width(&line) + 1 + width(word) > columns {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        for character in word.graphemes(true) {
            if !line.is_empty() && width(&line) + width(character) > columns {
                lines.push(std::mem::take(&mut line));
            }
            line.push_str(character);
        }
    }
    lines.push(line);
    lines
}

/// A duration as a person reads it: `84ms`, `12.3s`, `2m 05s`, `1h 02m`.
pub fn duration(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms}ms"),
        1_000..59_950 => format!("{:.1}s", ms as f64 / 1_000.0),
        _ => {
            let seconds = (ms + 500) / 1_000;
            match seconds {
                0..3_600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
                _ => format!("{}h {:02}m", seconds / 3_600, seconds % 3_600 / 60),
            }
        }
    }
}

/// `1 error`, `2 errors`.
pub fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_last_line_is_what_a_terminal_would_leave() {
        assert_eq!(line(b"10%\r 50%\r100% \x1b[2Kdone\n\n"), "100% done");
        assert_eq!(line(b"\x1b]0;title\x07ready\x1b[?1049h"), "ready");
        assert_eq!(line(b"\xff\xfe"), "\u{fffd}\u{fffd}");
        assert_eq!(line(b""), "");
    }

    #[test]
    fn colours_survive_where_they_are_wanted() {
        let text = b"\x1b[1;31merror\x1b[0m\x1b[3A\r\nnext\x1b(B";
        assert_eq!(block(text, true), "\x1b[1;31merror\x1b[0m\nnext\n");
        assert_eq!(block(text, false), "error\nnext\n");
    }

    #[test]
    fn an_unterminated_sequence_costs_its_line_at_most() {
        assert_eq!(block(b"a\x1b]0;no end\nb\x1b[", false), "a\nb\n");
    }

    #[test]
    fn cuts_between_characters() {
        assert_eq!(truncate("日本語テキスト", 7, "…"), "日本語…");
        assert_eq!(truncate("e\u{301}e\u{301}e\u{301}e\u{301}", 3, "…"), "e\u{301}e\u{301}…");
        assert_eq!(truncate("fits", 4, "…"), "fits");
        assert_eq!(truncate("anything", 2, "..."), "an");
        assert_eq!(truncate("anything", 0, "…"), "");
    }

    #[test]
    fn durations_read_well() {
        let shown = [0, 84, 999, 1_000, 12_340, 59_949, 59_950, 125_000, 3_599_600, 3_725_000]
            .map(duration)
            .join(" | ");
        assert_eq!(
            shown,
            "0ms | 84ms | 999ms | 1.0s | 12.3s | 59.9s | 1m 00s | 2m 05s | 1h 00m | 1h 02m"
        );
    }

    proptest! {
        #[test]
        fn nothing_foreign_controls_the_terminal(bytes: Vec<u8>) {
            prop_assert!(!line(&bytes).chars().any(char::is_control));
            let block = block(&bytes, false);
            prop_assert!(!block.chars().any(|c| c.is_control() && c != '\n' && c != '\t'));
        }

        #[test]
        fn only_colour_survives(text in "[\u{1b}\u{9b}\\[\\]()0-9;?mAHJKhP\u{7}\\\\\n a]{0,40}") {
            let kept = block(text.as_bytes(), true);
            for sequence in kept.split('\u{1b}').skip(1) {
                let end = sequence.find('m').map_or(0, |end| end + 1);
                prop_assert!(is_color(&sequence[..end]), "{sequence:?}");
            }
        }

        #[test]
        fn never_wider_than_asked(text in "\\PC{0,60}", columns in 0usize..40) {
            prop_assert!(width(&truncate(&text, columns, "…")) <= columns.max(width("")));
        }

        #[test]
        fn wrapping_loses_no_word(text in "[a-z 日é]{0,80}", columns in 2usize..40) {
            let lines = wrap(&text, columns);
            for line in &lines {
                prop_assert!(width(line) <= columns);
            }
            let squeeze = |text: &str| text.split_whitespace().collect::<String>();
            prop_assert_eq!(squeeze(&lines.join(" ")), squeeze(&text));
        }
    }
}

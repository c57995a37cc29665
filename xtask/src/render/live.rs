//! The live lines at the bottom of a terminal: one for each running step.
//!
//! Invariants: never more lines than the screen has, none wider than it. A frame is written at once,
//! and the cursor is hidden only inside of it: however the process ends, the cursor is there.

use super::look::{Ink, Look};
use super::text;
use std::fmt::Write;
use std::time::Duration;

/// Cells of a progress bar.
const BAR_CELLS: usize = 12;
/// Columns of the elapsed time, as wide as `12m 05s`.
const TIME_COLUMNS: usize = 7;
/// A step's name is cut to this, so that its bar and its output still fit.
const NAME_COLUMNS: usize = 16;
/// A screen narrower than this shows no bar.
const BAR_FROM_COLUMNS: usize = 60;
/// Bytes of a line of output that are kept to be shown: more than any screen is wide.
const LAST_LINE_BYTES: usize = 1024;
/// How long a sign of the spinner stands.
const SPINNER_MS: u128 = 100;

/// A step that runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Running {
    pub step: usize,
    pub name: String,
    /// Since the start of the run.
    pub started: Duration,
    pub expected: Option<Duration>,
    pub attempt: u32,
    /// The end of its last line of output, as it came: made safe when it is drawn, because most
    /// lines never are.
    pub last_line: Vec<u8>,
}

impl Running {
    pub fn wrote(&mut self, line: &[u8]) {
        self.last_line.clear();
        self.last_line.extend_from_slice(&line[line.len().saturating_sub(LAST_LINE_BYTES)..]);
    }
}

/// The area of live lines.
#[derive(Debug, Default)]
pub struct Live {
    /// Widths of the lines that stand on the screen now.
    drawn: Vec<usize>,
}

impl Live {
    /// One write that takes the old lines away, adds `above` for good, and draws the steps anew.
    pub fn frame(
        &mut self,
        look: &Look,
        above: &str,
        running: &[Running],
        now: Duration,
    ) -> String {
        let lines = lines(look, running, now);
        if self.drawn.is_empty() && lines.is_empty() {
            return above.to_owned();
        }
        // Synchronized update (ignored where unknown), no cursor, no automatic wrapping.
        let mut frame = String::from("\u{1b}[?2026h\u{1b}[?25l\u{1b}[?7l");
        let rows: usize =
            self.drawn.iter().map(|width| width.div_ceil(look.columns.max(1)).max(1)).sum();
        if rows > 0 {
            let _ = write!(frame, "\u{1b}[{}A", rows.min(look.lines.saturating_sub(1)));
        }
        frame.push_str("\r\u{1b}[J\u{1b}[?7h");
        frame.push_str(above);
        frame.push_str("\u{1b}[?7l");
        for line in &lines {
            frame.push_str(line);
            frame.push('\n');
        }
        frame.push_str("\u{1b}[?7h\u{1b}[?25h\u{1b}[?2026l");
        self.drawn = lines.iter().map(|line| text::width(&text::line(line.as_bytes()))).collect();
        frame
    }
}

/// The live lines as they should stand now; the last screen line is left to the cursor.
pub fn lines(look: &Look, running: &[Running], now: Duration) -> Vec<String> {
    let most = look.lines.saturating_sub(1);
    let is_too_many = running.len() > most;
    let shown = if is_too_many { most.saturating_sub(1) } else { running.len() };
    let columns = running.iter().map(|step| text::width(&step.name)).max().unwrap_or(0);
    let columns = columns.min(NAME_COLUMNS);
    let mut lines: Vec<String> =
        running.iter().take(shown).map(|step| line(look, step, columns, now)).collect();
    if is_too_many && most > 0 {
        let more = format!("  and {} more", running.len() - shown);
        lines.push(text::truncate(&more, look.columns, ""));
    }
    lines
}

/// `⠹ test    ━━━━━━╌╌╌╌╌╌   12.3s of ~40.0s  Compiling serde v1.0`
fn line(look: &Look, step: &Running, columns: usize, now: Duration) -> String {
    let elapsed = now.saturating_sub(step.started);
    let name = text::truncate(&step.name, columns, look.ellipsis());
    let mut plain = format!("{} {}", spinner(look, elapsed), text::pad(&name, columns));
    let mut shown = format!(
        "{} {}",
        look.paint(Ink::Accent, spinner(look, elapsed)),
        text::pad(&name, columns)
    );
    if look.columns >= BAR_FROM_COLUMNS {
        let (done, rest) = bar(look, step.expected, elapsed);
        plain.push_str(&format!("  {done}{rest}"));
        shown.push_str(&format!(
            "  {}{}",
            look.paint(Ink::Accent, &done),
            look.paint(Ink::Quiet, &rest)
        ));
    }
    let mut tail = format!("  {:>TIME_COLUMNS$}", text::duration(tenths(elapsed)));
    if let Some(expected) = step.expected {
        tail.push_str(&format!(" of ~{}", text::duration(millis(expected))));
    }
    if step.attempt > 1 {
        tail.push_str(&format!("  attempt {}", step.attempt));
    }
    let room = look.columns.saturating_sub(text::width(&plain));
    let tail = text::truncate(&tail, room, "");
    let room = room.saturating_sub(text::width(&tail) + 2);
    let last = text::truncate(&text::line(&step.last_line), room, look.ellipsis());
    if room == 0 || last.is_empty() {
        return format!("{shown}{tail}");
    }
    format!("{shown}{tail}  {}", look.paint(Ink::Quiet, &last))
}

fn spinner(look: &Look, elapsed: Duration) -> &'static str {
    let signs: &[&str] = if look.unicode {
        &["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"]
    } else {
        &["|", "/", "-", "\\"]
    };
    signs[(elapsed.as_millis() / SPINNER_MS) as usize % signs.len()]
}

/// The done and the open part of a bar. It never claims to be full while the step runs; without
/// a remembered duration nothing is claimed at all.
fn bar(look: &Look, expected: Option<Duration>, elapsed: Duration) -> (String, String) {
    let (full, open) = if look.unicode { ("━", "╌") } else { ("=", ".") };
    let done = match expected {
        Some(expected) if !expected.is_zero() => {
            let share = elapsed.as_secs_f64() / expected.as_secs_f64();
            ((share * BAR_CELLS as f64) as usize).min(BAR_CELLS - 1)
        }
        _ => 0,
    };
    (full.repeat(done), open.repeat(BAR_CELLS - done))
}

/// Milliseconds with the hundredths cut, so that a live number does not flicker.
fn tenths(time: Duration) -> u64 {
    millis(time) / 100 * 100
}

pub fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;
    use proptest::prelude::*;

    fn running(step: usize, name: &str, expected_s: Option<u64>, last_line: &str) -> Running {
        Running {
            step,
            name: name.to_owned(),
            started: Duration::from_secs(2),
            expected: expected_s.map(Duration::from_secs),
            attempt: 1,
            last_line: last_line.as_bytes().to_vec(),
        }
    }

    fn steps() -> Vec<Running> {
        vec![
            running(
                0,
                "test",
                Some(40),
                "Compiling a-crate-with-a-long-name v12.34.56 (features: a, b)",
            ),
            running(1, "build", Some(3), ""),
            Running {
                attempt: 2, ..running(2, "licences of everything", None, "日本語テキスト")
            },
        ]
    }

    #[test]
    fn one_line_for_each_running_step() {
        let shown = |look: &Look| lines(look, &steps(), Duration::from_millis(14_380)).join("\n");
        let ascii = Look { unicode: false, columns: 50, ..fixture::look() };
        insta::assert_snapshot!(format!("{}\n\n{}", shown(&fixture::look()), shown(&ascii)));
    }

    #[test]
    fn a_frame_takes_away_what_the_last_one_drew_also_when_the_screen_shrank() {
        let mut live = Live::default();
        let wide = fixture::look();
        live.frame(&wide, "", &steps(), Duration::from_secs(3));
        let narrow = Look { columns: 40, ..wide };
        let frame = live.frame(&narrow, "done\n", &[], Duration::from_secs(4));
        // Three lines, of which the first was wider than 40 columns and the others too.
        assert!(
            frame.contains("\u{1b}[5A\r\u{1b}[J") || frame.contains("\u{1b}[6A\r\u{1b}[J"),
            "{frame:?}"
        );
        assert!(frame.ends_with("\u{1b}[?7h\u{1b}[?25h\u{1b}[?2026l"));
        assert_eq!(live.frame(&narrow, "next\n", &[], Duration::from_secs(5)), "next\n");
    }

    proptest! {
        #[test]
        fn never_more_than_the_screen_holds(
            names in prop::collection::vec("\\PC{0,30}", 0..12),
            last in "\\PC{0,120}",
            columns in 20usize..160,
            screen_lines in 1usize..12,
            elapsed_ms in 0u64..10_000_000,
        ) {
            let steps: Vec<Running> =
                names.iter().enumerate().map(|(i, name)| running(i, name, Some(9), &last)).collect();
            let look = Look { columns, lines: screen_lines, ..fixture::look() };
            let shown = lines(&look, &steps, Duration::from_millis(elapsed_ms));
            prop_assert!(shown.len() < screen_lines.max(1));
            for line in &shown {
                prop_assert!(text::width(line) <= columns, "{line:?}");
            }
        }
    }
}

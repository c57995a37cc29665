//! Words and numbers in the shape that fits a line.

use config::Gate;
use report::{Limit, Measure, Unit};
use std::time::Duration;

/// `09:15:02`, UTC.
pub fn clock(at: jiff::Timestamp) -> String {
    at.strftime("%H:%M:%S").to_string()
}

/// `84ms`, `12.3s`, `2m 05s`.
pub fn span(span: Duration) -> String {
    screen::text::duration(u64::try_from(span.as_millis()).unwrap_or(u64::MAX))
}

/// A span without tenths, as it counts: `12s`, `2m 05s`.
pub fn seconds(span: Duration) -> String {
    let seconds = span.as_secs();
    if seconds < 60 { format!("{seconds}s") } else { screen::text::duration(seconds * 1_000) }
}

/// `smoke, e2e`.
pub fn gates(gates: &[Gate]) -> String {
    gates.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

pub fn bytes(bytes: u64) -> String {
    Unit::Bytes.show(bytes as f64)
}

/// `1 file`, `2 files`.
pub fn count(number: usize, thing: &str) -> String {
    screen::text::count(number, thing)
}

/// The first lines of a text that others wrote, in so many columns; that there is more shows.
pub fn lines(words: &str, columns: usize, most: usize, ellipsis: &str) -> Vec<String> {
    let mut lines = screen::text::wrap(words, columns);
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            let room = columns.saturating_sub(screen::text::width(ellipsis));
            *last = screen::text::truncate(last, room, "") + ellipsis;
        }
    }
    lines
}

/// The first of some numbers, as many as say something at a glance; a candidate's beside those of
/// the live release: `latency-p95 84 ms (live 80 ms, max 300 ms)`.
pub fn numbers(numbers: &[Measure]) -> String {
    const SHOWN: usize = 4;
    let value_of = |name: &str| numbers.iter().find(|it| it.name == name);
    let mut shown: Vec<String> = Vec::new();
    for measure in numbers {
        let Some(metric) = measure.name.strip_suffix(".candidate") else {
            let is_part = measure.name.ends_with(".live") || measure.name.ends_with(".samples");
            if !is_part {
                shown.push(measure.to_string());
            }
            continue;
        };
        let live = value_of(&format!("{metric}.live"));
        let live = live.map(|live| format!("live {}", live.unit.show(live.value)));
        let max = measure.limit.map(|limit| match limit {
            Limit::Max(max) => format!("max {}", measure.unit.show(max)),
            Limit::Min(min) => format!("min {}", measure.unit.show(min)),
        });
        let beside: Vec<String> = live.into_iter().chain(max).collect();
        let beside =
            if beside.is_empty() { String::new() } else { format!(" ({})", beside.join(", ")) };
        shown.push(format!("{metric} {}{beside}", measure.unit.show(measure.value)));
    }
    let more = shown.len().saturating_sub(SHOWN);
    shown.truncate(SHOWN);
    if more > 0 {
        shown.push(format!("{more} more"));
    }
    shown.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_candidates_number_stands_beside_the_live_one() {
        let number = |name: &str, value| Measure::new(name, value, Unit::Ms);
        let numbers = super::numbers(&[
            number("latency-p95.candidate", 84.0).max(300.0),
            Measure::new("latency-p95.candidate.samples", 900.0, Unit::Count),
            number("latency-p95.live", 80.0),
            number("home", 12.0),
        ]);
        assert_eq!(numbers, "latency-p95 84 ms (live 80 ms, max 300 ms), home 12 ms");
    }
}

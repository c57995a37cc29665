//! The axis of time under a chart: where its labels stand, and what they say.

/// An axis has at most so many intervals, so that its labels fit a phone.
const MOST_TICKS: u64 = 5;

/// Intervals that read well, in milliseconds.
const INTERVALS_MS: [u64; 24] = [
    1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000,
    120_000, 300_000, 600_000, 900_000, 1_800_000, 3_600_000, 7_200_000, 21_600_000,
];

/// The interval between two labels, in milliseconds.
pub fn interval(total_ms: u64) -> u64 {
    let fits = |interval: &u64| total_ms / interval <= MOST_TICKS;
    INTERVALS_MS.into_iter().find(fits).unwrap_or_else(|| total_ms.div_ceil(MOST_TICKS))
}

/// A label: `0`, `200ms`, `15s`, `2:30`.
pub fn label(ms: u64) -> String {
    match ms {
        0 => "0".to_owned(),
        1..1_000 => format!("{ms}ms"),
        1_000..60_000 => format!("{}s", ms as f64 / 1_000.0),
        _ => format!("{}:{:02}", ms / 60_000, ms / 1_000 % 60),
    }
}

/// A part of the whole, in percent with two decimals.
pub fn share(part: u64, whole: u64) -> f64 {
    (part as f64 / whole.max(1) as f64 * 10_000.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_axis_reads_well() {
        let axis = |total: u64| {
            let tick = interval(total);
            (0..=total / tick).map(|number| label(number * tick)).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(axis(44_100), "0 10s 20s 30s 40s");
        assert_eq!(axis(380), "0 100ms 200ms 300ms");
        assert_eq!(axis(7_400), "0 2s 4s 6s");
        assert_eq!(axis(245_000), "0 1:00 2:00 3:00 4:00");
        assert_eq!(axis(1), "0 1ms");
        assert!(axis(90_000_000).split(' ').count() <= 6);
    }
}

//! Numbers as a person reads them.

use crate::distribution::Point;
use report::Unit;

/// 1,290
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// A share in percent, without its sign: `2.4`, `0.0503`.
pub(crate) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    let decimals = match percent.abs() {
        size if size >= 10.0 || size == 0.0 => 0,
        size if size >= 1.0 => 1,
        size if size >= 0.1 => 2,
        size if size >= 0.01 => 3,
        _ => 4,
    };
    let shown = format!("{percent:.decimals$}");
    let shown = if shown.contains('.') {
        shown.trim_end_matches('0').trim_end_matches('.')
    } else {
        &shown
    };
    if shown == "-0" { "0".to_owned() } else { shown.to_owned() }
}

/// A value in its unit. One that lies beyond the last bucket is above that bucket's lower edge.
pub(crate) fn point(unit: Unit, point: Point) -> String {
    if point.value.is_finite() {
        value(unit, point.value)
    } else {
        format!("above {}", value(unit, point.lower))
    }
}

/// A value in its unit.
pub(crate) fn value(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Share => format!("{}%", percent(value)),
        // Whole, when it is: limits are written so.
        Unit::Ms if value >= 1_000.0 && (value / 100.0).fract() == 0.0 => {
            format!("{} s", value / 1_000.0)
        }
        Unit::Ms if value < 1_000.0 && value.fract() == 0.0 => format!("{value} ms"),
        Unit::Score => {
            let shown = format!("{value:.3}");
            shown.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        Unit::Ms | Unit::Bytes | Unit::Count | Unit::PerSecond => unit.show(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(
            [0, 999, 1_290, 23_870, 1_000_000].map(count).join(" "),
            "0 999 1,290 23,870 1,000,000"
        );
        let shares = [0.0, 1.0, 0.0240, 0.001, 0.000_502_7, 0.000_001, 0.254, -0.000_000_1];
        assert_eq!(shares.map(percent).join(" "), "0 100 2.4 0.1 0.05 0.0001 25 0");
        let times = [0.4, 12.34, 300.0, 1_234.0, 2_500.0, 10_000.0];
        assert_eq!(
            times.map(|time| value(Unit::Ms, time)).join(", "),
            "0.4 ms, 12 ms, 300 ms, 1.23 s, 2.5 s, 10 s"
        );
        assert_eq!(value(Unit::Score, 0.1), "0.1");
        let beyond = Point { value: f64::INFINITY, lower: 10_000.0, upper: f64::INFINITY };
        assert_eq!(point(Unit::Ms, beyond), "above 10 s");
    }
}

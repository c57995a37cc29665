//! Values with a notation of their own: spans of time, shares, sizes, dates.

use std::fmt;
use std::str::FromStr;

/// A span of time, written `"300ms"`, `"2.5s"`, `"10m"`, `"1h"`. At least a millisecond, at most a week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration(pub std::time::Duration);

/// A share of a whole, written `"0.1%"`; between 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Share(pub f64);

/// A number of bytes, written `"512 MiB"` or `"5 GB"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(pub u64);

/// A day, written `"2027-01-31"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date(pub jiff::civil::Date);

/// No wait in a pipeline is meant to be longer: a longer one is a slip of the unit.
const MAX_DURATION_S: f64 = 7.0 * 24.0 * 3_600.0;

impl FromStr for Duration {
    type Err = String;

    fn from_str(text: &str) -> Result<Duration, String> {
        let (number, unit) = number_and_unit(text);
        let unit_s = match unit {
            "ms" => 0.001,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3_600.0,
            _ => f64::NAN,
        };
        let seconds = number.unwrap_or(f64::NAN) * unit_s;
        if (0.001..=MAX_DURATION_S).contains(&seconds) {
            Ok(Duration(std::time::Duration::from_secs_f64(seconds)))
        } else {
            Err(format!(
                "expected a span of time such as \"300ms\", \"2.5s\", \"10m\" or \"1h\", \
                 at least 1ms and at most a week, found {text:?}"
            ))
        }
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.0.as_millis();
        match ms {
            _ if ms.is_multiple_of(3_600_000) => write!(f, "{}h", ms / 3_600_000),
            _ if ms.is_multiple_of(60_000) => write!(f, "{}m", ms / 60_000),
            _ if ms.is_multiple_of(1_000) => write!(f, "{}s", ms / 1_000),
            _ => write!(f, "{ms}ms"),
        }
    }
}

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Share, String> {
        match number_and_unit(text) {
            (Some(percent), "%") if (0.0..=100.0).contains(&percent) => Ok(Share(percent / 100.0)),
            _ => Err(format!("expected a share such as \"0.1%\", from 0% to 100%, found {text:?}")),
        }
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Rounded so that 0.1% does not come back as 0.10000000000000001%.
        write!(f, "{}%", (self.0 * 100.0 * 1e9).round() / 1e9)
    }
}

impl FromStr for ByteSize {
    type Err = String;

    fn from_str(text: &str) -> Result<ByteSize, String> {
        let (number, unit) = number_and_unit(text);
        let unit_bytes = match unit {
            "B" => 1.0,
            "KB" => 1e3,
            "MB" => 1e6,
            "GB" => 1e9,
            "KiB" => 1024.0,
            "MiB" => 1024.0 * 1024.0,
            "GiB" => 1024.0 * 1024.0 * 1024.0,
            _ => f64::NAN,
        };
        let bytes = number.unwrap_or(f64::NAN) * unit_bytes;
        if (0.0..1e18).contains(&bytes) {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "checked to be between 0 and 1e18"
            )]
            Ok(ByteSize(bytes as u64))
        } else {
            Err(format!("expected a size such as \"512 MiB\" or \"5 GB\", found {text:?}"))
        }
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u64, &str); 6] = [
            (1 << 30, "GiB"),
            (1_000_000_000, "GB"),
            (1 << 20, "MiB"),
            (1_000_000, "MB"),
            (1 << 10, "KiB"),
            (1_000, "KB"),
        ];
        let unit = UNITS.iter().find(|(bytes, _)| self.0 > 0 && self.0.is_multiple_of(*bytes));
        match unit {
            Some((bytes, name)) => write!(f, "{} {name}", self.0 / bytes),
            None => write!(f, "{} B", self.0),
        }
    }
}

impl FromStr for Date {
    type Err = String;

    fn from_str(text: &str) -> Result<Date, String> {
        jiff::civil::Date::strptime("%Y-%m-%d", text)
            .map(Date)
            .map_err(|_| format!("expected a date such as \"2027-01-31\", found {text:?}"))
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

fn number_and_unit(text: &str) -> (Option<f64>, &str) {
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    (number.parse().ok(), unit.trim_start())
}

/// Reads a value from its notation, so that anything but text is told what was expected too.
pub(crate) struct Notation<T>(pub(crate) std::marker::PhantomData<T>);

impl<T: FromStr<Err = String>> serde::de::Visitor<'_> for Notation<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // As the refusal of any other text says it: `expected …, found …`.
        let refusal = "".parse::<T>().err().unwrap_or_default();
        let expected =
            refusal.strip_prefix("expected ").and_then(|rest| rest.split_once(", found"));
        f.write_str(expected.map_or("a string", |(expected, _)| expected))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

macro_rules! through_text {
    ($($type:ident),+) => {$(
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(
                &self,
                serializer: S,
            ) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(
                deserializer: D,
            ) -> Result<$type, D::Error> {
                deserializer.deserialize_str($crate::values::Notation(std::marker::PhantomData))
            }
        }

        #[cfg(test)]
        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string" })
            }
        }
    )+};
}

pub(crate) use through_text;

through_text!(Duration, Share, ByteSize, Date);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn slips_are_refused_with_what_was_found() {
        for text in ["", "10", "10 min", "-1s", "0s", "1e9h", "1.2.3s", "8d"] {
            let error = text.parse::<Duration>().unwrap_err();
            assert!(error.ends_with(&format!("found {text:?}")), "{error}");
        }
        assert!("101%".parse::<Share>().is_err());
        assert!("0.1".parse::<Share>().is_err());
        assert!("5 Gib".parse::<ByteSize>().is_err());
        assert!("2027-02-30".parse::<Date>().is_err());
    }

    #[test]
    fn notations_mean_what_they_say() {
        assert_eq!("2.5s".parse::<Duration>().unwrap().0.as_millis(), 2500);
        assert_eq!("1h".parse::<Duration>().unwrap().0.as_secs(), 3600);
        assert_eq!("0.1%".parse::<Share>().unwrap().to_string(), "0.1%");
        assert_eq!("5 GiB".parse::<ByteSize>().unwrap().0, 5 << 30);
        assert_eq!("512MB".parse::<ByteSize>().unwrap().0, 512_000_000);
    }

    proptest! {
        #[test]
        fn a_duration_round_trips(ms in 1_u64..=604_800_000) {
            let duration = Duration(std::time::Duration::from_millis(ms));
            let back: Duration = duration.to_string().parse().unwrap();
            prop_assert_eq!(back.0.as_millis(), duration.0.as_millis());
        }

        #[test]
        fn a_size_round_trips(bytes in 0_u64..1 << 50) {
            let back: ByteSize = ByteSize(bytes).to_string().parse().unwrap();
            prop_assert_eq!(back.0, bytes);
        }
    }
}

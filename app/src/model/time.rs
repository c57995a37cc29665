//! Moments as the database keeps them and as pages show them: always UTC, and said so.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use std::time::Duration;

/// A moment, in whole milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub i64);

impl Moment {
    #[must_use]
    pub fn now() -> Moment {
        Moment(Timestamp::now().as_millisecond())
    }

    /// The minute that this moment is in.
    #[must_use]
    pub fn minute(self) -> Moment {
        Moment(self.0 - self.0.rem_euclid(60_000))
    }

    #[must_use]
    pub fn before(self, span: Duration) -> Moment {
        Moment(self.0.saturating_sub(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
    }

    #[must_use]
    pub fn after(self, span: Duration) -> Moment {
        Moment(self.0.saturating_add(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
    }

    /// Zero when `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Moment) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    #[must_use]
    pub fn date(self) -> Date {
        self.zoned().date()
    }

    /// `2026-11-23T08:12:00Z`, for `<time datetime>`.
    #[must_use]
    pub fn machine(self) -> String {
        self.zoned().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    /// `20261123-081200`, as a part of a file's name.
    #[must_use]
    pub fn in_a_name(self) -> String {
        self.zoned().strftime("%Y%m%d-%H%M%S").to_string()
    }

    /// `23 Nov 2026, 08:12 UTC`.
    #[must_use]
    pub fn full(self) -> String {
        self.zoned().strftime("%-d %b %Y, %H:%M UTC").to_string()
    }

    fn zoned(self) -> jiff::Zoned {
        let timestamp = Timestamp::from_millisecond(self.0).unwrap_or(Timestamp::UNIX_EPOCH);
        timestamp.to_zoned(TimeZone::UTC)
    }
}

/// The first moment of a day in UTC.
#[must_use]
pub fn day_start(date: Date) -> Moment {
    let midnight = date.to_zoned(TimeZone::UTC);
    Moment(midnight.map_or(0, |zoned| zoned.timestamp().as_millisecond()))
}

impl ToSql for Moment {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.0.to_sql()
    }
}

impl FromSql for Moment {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Moment> {
        value.as_i64().map(Moment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_shown_in_utc() {
        let moment = Moment(1_795_421_520_000);
        assert_eq!(moment.machine(), "2026-11-23T08:12:00Z");
        assert_eq!(moment.full(), "23 Nov 2026, 08:12 UTC");
        assert_eq!(day_start(moment.date()).machine(), "2026-11-23T00:00:00Z");
    }
}

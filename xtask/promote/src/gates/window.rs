//! `window`: the hours in which a rollout may begin, by the clock on the wall of a place.

use super::Gates;
use crate::journal::Verdict;
use crate::rollout::Judgement;
use config::{TimeOfDay, Weekday, Window};
use jiff::civil::{self, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, ToSpan, Zoned};

impl Gates {
    pub(crate) fn window(&self, now: Timestamp) -> Judgement {
        let Some(window) = &self.environment.window else {
            let reason = format!("[environments.{}] has no `window`", self.name);
            return Judgement::new(Verdict::Inconclusive, reason);
        };
        judge(window, now)
    }
}

/// Whether a window is open.
fn judge(window: &Window, now: Timestamp) -> Judgement {
    let zone = match zone(window) {
        Ok(zone) => zone,
        Err(reason) => return Judgement::new(Verdict::Inconclusive, reason),
    };
    let now = now.to_zoned(zone);
    let hours = format!("{} to {}", window.from, window.to);
    if is_open(window, &now) {
        let reason = format!("open today from {hours}, and it is {}", shown(&now));
        return Judgement::new(Verdict::Pass, reason);
    }
    let next = match next_opening(window, &now) {
        Some(next) => format!("it opens at {}", shown(&next)),
        None => "it does not open within a week".to_owned(),
    };
    Judgement::new(Verdict::Fail, format!("closed at {}; {next}", shown(&now)))
}

fn zone(window: &Window) -> Result<TimeZone, String> {
    let Some(name) = &window.time_zone else { return Ok(TimeZone::UTC) };
    if name == "UTC" {
        return Ok(TimeZone::UTC);
    }
    if jiff::tz::db().is_definitively_empty() {
        return Err(format!(
            "this machine has no time zone database, so when it is {name} is not known: install \
             tzdata, or set TZDIR"
        ));
    }
    TimeZone::get(name).map_err(|_| {
        format!(
            "expected a time zone of the IANA database such as \"Europe/Berlin\", found {name:?}"
        )
    })
}

fn is_open(window: &Window, now: &Zoned) -> bool {
    let minute = i32::from(now.hour()) * 60 + i32::from(now.minute());
    is_day(window, now.date()) && minute >= minutes(window.from) && minute < minutes(window.to)
}

/// When it opens the next time: within a week, unless that day lacks those hours.
fn next_opening(window: &Window, now: &Zoned) -> Option<Zoned> {
    (0..=7).find_map(|days| {
        let date = now.date().checked_add(days.days()).ok()?;
        if !is_day(window, date) {
            return None;
        }
        let from = civil::time(i8::try_from(window.from.hour).ok()?, 0, 0, 0);
        let from =
            DateTime::from_parts(date, from).checked_add(i64::from(window.from.minute).minutes());
        let at = first_instant(now.time_zone(), from.ok()?)?;
        (at > *now && is_open(window, &at)).then_some(at)
    })
}

/// When a clock on the wall first shows this time, or a later one where it leaps over it.
fn first_instant(zone: &TimeZone, at: DateTime) -> Option<Zoned> {
    let ambiguous = zone.to_ambiguous_zoned(at);
    match ambiguous.offset() {
        AmbiguousOffset::Gap { .. } => {
            let after = ambiguous.later().ok()?;
            let leap = zone.preceding(after.timestamp()).next()?;
            Some(leap.timestamp().to_zoned(zone.clone()))
        }
        AmbiguousOffset::Fold { .. } => ambiguous.earlier().ok(),
        AmbiguousOffset::Unambiguous { .. } => ambiguous.unambiguous().ok(),
    }
}

fn is_day(window: &Window, date: civil::Date) -> bool {
    let day = match date.weekday() {
        civil::Weekday::Monday => Weekday::Mon,
        civil::Weekday::Tuesday => Weekday::Tue,
        civil::Weekday::Wednesday => Weekday::Wed,
        civil::Weekday::Thursday => Weekday::Thu,
        civil::Weekday::Friday => Weekday::Fri,
        civil::Weekday::Saturday => Weekday::Sat,
        civil::Weekday::Sunday => Weekday::Sun,
    };
    window.days.contains(&day)
}

fn minutes(time: TimeOfDay) -> i32 {
    i32::from(time.hour) * 60 + i32::from(time.minute)
}

/// `Fri 2026-11-27 18:30 CET`.
fn shown(at: &Zoned) -> String {
    at.strftime("%a %Y-%m-%d %H:%M %Z").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(days: &[Weekday], from: &str, to: &str, zone: Option<&str>) -> Window {
        Window {
            days: days.to_vec(),
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
            time_zone: zone.map(str::to_owned),
        }
    }

    fn at(window: &Window, now: &str) -> (Verdict, String) {
        let Judgement { verdict, reason, .. } = judge(window, now.parse().unwrap());
        (verdict, reason)
    }

    const WORKDAYS: [Weekday; 4] = [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu];

    #[test]
    fn a_window_is_open_on_its_days_in_its_hours() {
        let window = window(&WORKDAYS, "09:00", "16:30", None);
        for (now, expected) in [
            ("2026-11-26T08:59:59Z", Verdict::Fail),
            ("2026-11-26T09:00:00Z", Verdict::Pass),
            ("2026-11-26T16:29:59Z", Verdict::Pass),
            ("2026-11-26T16:30:00Z", Verdict::Fail),
            ("2026-11-27T10:00:00Z", Verdict::Fail),
        ] {
            assert_eq!(at(&window, now).0, expected, "{now}");
        }
        let (_, reason) = at(&window, "2026-11-27T18:30:00Z");
        assert_eq!(
            reason,
            "closed at Fri 2026-11-27 18:30 UTC; it opens at Mon 2026-11-30 09:00 UTC"
        );
        let (_, reason) = at(&window, "2026-11-26T09:30:00Z");
        assert_eq!(reason, "open today from 09:00 to 16:30, and it is Thu 2026-11-26 09:30 UTC");
    }

    #[test]
    fn a_day_may_be_open_to_its_end_and_once_a_week() {
        let window = window(&[Weekday::Sat], "20:00", "24:00", None);
        assert_eq!(at(&window, "2026-11-28T23:59:59Z").0, Verdict::Pass);
        let (verdict, reason) = at(&window, "2026-11-29T00:00:00Z");
        assert_eq!(verdict, Verdict::Fail);
        assert!(reason.ends_with("it opens at Sat 2026-12-05 20:00 UTC"), "{reason}");
    }

    #[test]
    fn hours_are_those_of_the_place_before_and_after_its_clocks_change() {
        let window = window(&WORKDAYS, "09:00", "16:00", Some("Europe/Berlin"));
        // Summer time ends on Sunday, 2026-10-25.
        let (_, reason) = at(&window, "2026-10-23T12:00:00Z");
        assert_eq!(
            reason,
            "closed at Fri 2026-10-23 14:00 CEST; it opens at Mon 2026-10-26 09:00 CET"
        );
        assert_eq!(at(&window, "2026-10-22T07:30:00Z").0, Verdict::Pass, "09:30 CEST");
        assert_eq!(at(&window, "2026-10-26T07:30:00Z").0, Verdict::Fail, "08:30 CET");
        assert_eq!(at(&window, "2026-10-26T08:00:00Z").0, Verdict::Pass, "09:00 CET");
    }

    #[test]
    fn an_hour_that_is_left_out_opens_when_the_clock_leaps_over_it() {
        // At 02:00 on 2027-03-28 it is 03:00.
        let night = window(&[Weekday::Sun], "02:30", "04:00", Some("Europe/Berlin"));
        let (_, reason) = at(&night, "2027-03-28T00:30:00Z");
        assert_eq!(
            reason,
            "closed at Sun 2027-03-28 01:30 CET; it opens at Sun 2027-03-28 03:00 CEST"
        );
        assert_eq!(at(&night, "2027-03-28T01:00:00Z").0, Verdict::Pass);
        // Hours that this day does not have at all.
        let short = window(&[Weekday::Sun], "02:15", "02:45", Some("Europe/Berlin"));
        let (_, reason) = at(&short, "2027-03-28T00:30:00Z");
        assert!(reason.ends_with("it opens at Sun 2027-04-04 02:15 CEST"), "{reason}");
        // An hour that comes twice is open both times.
        let autumn = "2026-10-25T00:30:00Z 2026-10-25T01:30:00Z";
        let twice = window(&[Weekday::Sun], "02:30", "02:45", Some("Europe/Berlin"));
        assert!(autumn.split(' ').all(|now| at(&twice, now).0 == Verdict::Pass));
    }

    #[test]
    fn a_place_that_is_not_known_is_inconclusive() {
        let window = window(&WORKDAYS, "09:00", "16:00", Some("Europe/Atlantis"));
        let (verdict, reason) = at(&window, "2026-11-26T10:00:00Z");
        assert_eq!(verdict, Verdict::Inconclusive);
        assert!(reason.contains("\"Europe/Atlantis\""), "{reason}");
    }
}

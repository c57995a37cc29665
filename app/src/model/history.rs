//! The last fortnight of a component, day by day.

use super::{Component, ComponentChange, ComponentState, Moment, day_start};
use jiff::{ToSpan, civil::Date};

/// Days shown, today included.
pub const DAYS: usize = 14;

/// The first of them.
#[must_use]
pub fn first_day(now: Moment) -> Date {
    let back = i64::try_from(DAYS).unwrap_or_default() - 1;
    now.date().saturating_sub(back.days())
}

/// The worst state of each day in UTC, oldest first; `None` for days before the component was
/// there. `changes` are in order of time, those of other components among them.
#[must_use]
pub fn daily_worst(
    component: &Component,
    changes: &[ComponentChange],
    now: Moment,
) -> Vec<(Date, Option<ComponentState>)> {
    let mut own = changes.iter().filter(|c| c.component == component.id).peekable();
    let mut state = None;
    first_day(now)
        .series(1.day())
        .take(DAYS)
        .map(|day| {
            let mut worst = None;
            let start = day_start(day);
            let end = day_start(day.saturating_add(1.day()));
            // What held when the day began counts, unless it ended that very moment.
            while let Some(change) = own.next_if(|c| c.at <= start) {
                state = Some(change.state);
            }
            worst = worst.max(state);
            while let Some(change) = own.next_if(|c| c.at < end) {
                state = Some(change.state);
                worst = worst.max(state);
            }
            (day, worst)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ComponentId;

    const DAY_MS: i64 = 86_400_000;

    #[test]
    fn each_day_shows_its_worst_state() {
        let now = Moment(20_000 * DAY_MS + 1_000);
        let day = |days_ago: i64, ms: i64| Moment((20_000 - days_ago) * DAY_MS + ms);
        let change = |id, state, at| ComponentChange { component: ComponentId(id), state, at };
        let component = Component {
            id: ComponentId(1),
            name: String::new(),
            description: String::new(),
            state: ComponentState::Operational,
            created: day(5, 9),
        };
        use ComponentState::{Degraded, MajorOutage, Operational};
        let changes = [
            change(1, Operational, day(5, 9)),
            change(2, MajorOutage, day(4, 0)),
            change(1, Degraded, day(3, 5)),
            change(1, MajorOutage, day(2, 5)),
            change(1, Operational, day(1, 5)),
        ];
        let days = daily_worst(&component, &changes, now);
        assert_eq!(days.len(), DAYS);
        assert_eq!(days[DAYS - 1].0, now.date());
        let states: Vec<_> = days.iter().rev().take(7).map(|(_, state)| *state).collect();
        assert_eq!(
            states,
            [
                Some(Operational),
                Some(MajorOutage),
                Some(MajorOutage),
                Some(Degraded),
                Some(Operational),
                Some(Operational),
                None
            ]
        );
    }
}

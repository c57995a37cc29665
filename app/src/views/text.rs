//! Small pieces of text that many pages show.

use super::icon;
use crate::model::{ComponentState, IncidentStatus, IncidentSummary, Moment};
use maud::{Markup, html};
use std::time::Duration;

/// A moment, for people and for programs.
pub(super) fn time(moment: Moment) -> Markup {
    html! { time datetime=(moment.machine()) { (moment.full()) } }
}

/// A component's state: shape, colour and words.
pub(super) fn state(state: ComponentState) -> Markup {
    html! { span class={ "state " (icon::tone(state)) } { (icon::state(state)) (state.label()) } }
}

/// How far an incident is.
pub(super) fn progress(status: IncidentStatus) -> Markup {
    html! {
        span class={ "state " (icon::progress_tone(status)) } { (icon::progress(status)) (status.label()) }
    }
}

/// Facts in one line where there is room. A line breaks between two of them, never inside one that
/// fits, and the stylesheet's dots stand between those of one line only.
pub(super) fn parts(parts: &[Markup]) -> Markup {
    html! { p .meta .parts { @for part in parts { span { (part) } " " } } }
}

/// How much an incident matters, as one of the [`parts`].
pub(super) fn impact(incident: &IncidentSummary) -> Markup {
    html! { (incident.impact.label()) " impact" }
}

/// When an incident began, as one of the [`parts`].
pub(super) fn began(incident: &IncidentSummary) -> Markup {
    html! { @if incident.resolved.is_none() { "Since " } (time(incident.opened)) }
}

/// Impact, beginning and, once it is over, how long it took.
pub(super) fn incident(incident: &IncidentSummary) -> Markup {
    let mut facts = vec![impact(incident), began(incident)];
    if let Some(resolved) = incident.resolved {
        facts.push(html! { "Resolved after " (duration(resolved.since(incident.opened))) });
    }
    parts(&facts)
}

/// How far an open incident is, its impact and beginning.
pub(super) fn open_incident(incident: &IncidentSummary) -> Markup {
    parts(&[progress(incident.status), impact(incident), began(incident)])
}

/// `2 h 5 min`; below a minute, that.
pub(super) fn duration(span: Duration) -> String {
    let minutes = span.as_secs() / 60;
    match (minutes / 1_440, minutes / 60 % 24, minutes % 60) {
        (0, 0, 0) => "less than a minute".to_owned(),
        (0, 0, m) => format!("{m} min"),
        (0, h, 0) => format!("{h} h"),
        (0, h, m) => format!("{h} h {m} min"),
        (1, 0, _) => "1 day".to_owned(),
        (1, h, _) => format!("1 day {h} h"),
        (d, 0, _) => format!("{d} days"),
        (d, h, _) => format!("{d} days {h} h"),
    }
}

/// Text that a person wrote: paragraphs at empty lines, line ends kept by the stylesheet.
pub(super) fn prose(text: &str) -> Markup {
    html! {
        div .prose {
            @for paragraph in text.split("\n\n").map(str::trim).filter(|p| !p.is_empty()) {
                p { (paragraph) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_said_shortly() {
        for (minutes, said) in [
            (0, "less than a minute"),
            (59, "59 min"),
            (60, "1 h"),
            (125, "2 h 5 min"),
            (1_440, "1 day"),
            (1_500, "1 day 1 h"),
            (4_330, "3 days"),
        ] {
            assert_eq!(duration(Duration::from_mins(minutes)), said);
        }
    }
}

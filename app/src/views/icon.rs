//! Icons, drawn in the page. Each state has a shape of its own, so that nobody has to tell colours
//! apart; all are decoration beside text that says the same.

use crate::model::{ComponentState, IncidentStatus};
use maud::{Markup, html};

/// The class that carries a state's colour.
pub(super) fn tone(state: ComponentState) -> &'static str {
    match state {
        ComponentState::Operational => "good",
        ComponentState::Maintenance => "planned",
        ComponentState::Degraded => "slow",
        ComponentState::PartialOutage => "partial",
        ComponentState::MajorOutage => "down",
    }
}

/// Disc with a tick, nut, triangle, half disc, octagon with a cross.
pub(super) fn state(state: ComponentState) -> Markup {
    html! {
        svg .icon viewBox="0 0 20 20" width="20" height="20" aria-hidden="true" focusable="false" {
            @match state {
                ComponentState::Operational => {
                    circle .fill cx="10" cy="10" r="9" {}
                    path .cut d="m5.8 10.4 2.8 2.8 5.6-6" {}
                }
                ComponentState::Maintenance => {
                    path .fill d="m10 .8 8 4.6v9.2l-8 4.6-8-4.6V5.4z" {}
                    circle .cut cx="10" cy="10" r="3.2" {}
                }
                ComponentState::Degraded => {
                    path .fill d="M10 1.4c.6 0 1.1.3 1.4.8l7.4 13.6c.6 1.1-.2 2.4-1.4 2.4H2.6c-1.2 0-2-1.3-1.4-2.4L8.6 2.2c.3-.5.8-.8 1.4-.8z" {}
                    path .cut d="M10 7v4.6m0 3v.1" {}
                }
                ComponentState::PartialOutage => {
                    circle .line cx="10" cy="10" r="8" {}
                    path .fill d="M10 2a8 8 0 0 1 0 16z" {}
                }
                ComponentState::MajorOutage => {
                    path .fill d="M6.3 1h7.4L19 6.3v7.4L13.7 19H6.3L1 13.7V6.3z" {}
                    path .cut d="m7 7 6 6m0-6-6 6" {}
                }
            }
        }
    }
}

/// Ring, ring with a dot, ring with a pulse, disc with a tick.
pub(super) fn progress(status: IncidentStatus) -> Markup {
    html! {
        svg .icon viewBox="0 0 20 20" width="20" height="20" aria-hidden="true" focusable="false" {
            @match status {
                IncidentStatus::Investigating => { circle .line cx="10" cy="10" r="7" {} }
                IncidentStatus::Identified => {
                    circle .line cx="10" cy="10" r="7" {}
                    circle .fill cx="10" cy="10" r="3" {}
                }
                IncidentStatus::Monitoring => {
                    circle .line cx="10" cy="10" r="8" {}
                    path .line d="M4.5 10.5H7l2-4 2.5 7 1.5-3h2.5" {}
                }
                IncidentStatus::Resolved => {
                    circle .fill cx="10" cy="10" r="9" {}
                    path .cut d="m5.8 10.4 2.8 2.8 5.6-6" {}
                }
            }
        }
    }
}

/// What a visitor set out to do is done.
pub(super) fn done() -> Markup {
    state(ComponentState::Operational)
}

/// The class that carries the colour of an incident's progress.
pub(super) fn progress_tone(status: IncidentStatus) -> &'static str {
    match status {
        IncidentStatus::Investigating => "down",
        IncidentStatus::Identified => "slow",
        IncidentStatus::Monitoring => "planned",
        IncidentStatus::Resolved => "good",
    }
}

/// Beacon's mark: a lamp, and its beam to both sides.
pub(super) fn mark() -> Markup {
    html! {
        svg .mark viewBox="0 0 32 32" width="32" height="32" aria-hidden="true" focusable="false" {
            rect .mark-field width="32" height="32" rx="9" {}
            path .mark-beam d="M16 13 3 8v10zM16 13l13-5v10z" {}
            path .mark-tower d="M13.5 16h5L20.5 26h-9z" {}
            circle .mark-lamp cx="16" cy="13" r="4" {}
        }
    }
}

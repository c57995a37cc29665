//! A made-up site, for a look around: what a fortnight of ordinary trouble leaves behind.

use super::{StoreResult, components, incidents};
use crate::model::{
    ComponentId, ComponentState, Impact, IncidentId, IncidentStatus, Moment, NewIncident,
};
use rusqlite::Connection;
use std::time::Duration;

const DAY: Duration = Duration::from_hours(24);
const HOUR: Duration = Duration::from_hours(1);

const COMPONENTS: [(&str, &str); 5] = [
    ("Website", "Pages, search and accounts"),
    ("API", "Requests at api.example.com"),
    ("Sign-in", "Passwords and single sign-on"),
    ("Payments", "Cards, invoices and refunds"),
    ("Email", "Receipts and notifications"),
];

/// An incident of the past: days ago, hours long, component, its state, impact, title, and what
/// was said, first to last.
type Past = (u32, u32, usize, ComponentState, Impact, &'static str, [&'static str; 3]);

const PAST: [Past; 3] = [
    (
        24,
        5,
        0,
        ComponentState::Maintenance,
        Impact::Minor,
        "Moving the website to new servers",
        [
            "The website is being moved to new servers. Pages may load slowly for a few minutes at a time.",
            "The move is done and all pages are served from the new servers.",
            "Everything has been normal for an hour.",
        ],
    ),
    (
        9,
        2,
        1,
        ComponentState::PartialOutage,
        Impact::Major,
        "One in five API requests failed",
        [
            "We see errors for about one in five API requests and are looking for the cause.",
            "A connection pool was exhausted by a slow query. We have raised its size.",
            "No request has failed for 30 minutes. We will add an alert on the pool's use.",
        ],
    ),
    (
        4,
        3,
        3,
        ComponentState::Degraded,
        Impact::Minor,
        "Card payments were slow",
        [
            "Card payments take up to 30 seconds. None are lost.",
            "Our payment provider has found a fault in one of its data centres.",
            "The provider has moved traffic away, and payments take the usual 2 seconds.",
        ],
    ),
];

/// Fills a database that never had a component. Whether it did.
pub fn demo(connection: &Connection, now: Moment) -> StoreResult<bool> {
    if connection.prepare("SELECT 1 FROM components LIMIT 1")?.exists([])? {
        return Ok(false);
    }
    let start = now.before(DAY * 30);
    let ids = COMPONENTS
        .iter()
        .map(|(name, description)| components::add(connection, name, description, start))
        .collect::<StoreResult<Vec<ComponentId>>>()?;
    for (days_ago, hours, component, state, impact, title, said) in PAST {
        let opened = now.before(DAY * days_ago + HOUR * 3);
        let id = open(connection, ids[component], state, impact, title, said[0], opened)?;
        let half = opened.after(HOUR * hours / 2);
        incidents::update(connection, id, IncidentStatus::Monitoring, said[1], false, half)?;
        let end = opened.after(HOUR * hours);
        incidents::update(connection, id, IncidentStatus::Resolved, said[2], true, end)?;
    }
    let opened = now.before(Duration::from_mins(47));
    let message =
        "Receipts and notifications leave about ten minutes late. We are looking for the cause.";
    let id = open(
        connection,
        ids[4],
        ComponentState::Degraded,
        Impact::Minor,
        "Emails arrive late",
        message,
        opened,
    )?;
    let found =
        "A worker that sends email had stopped. It runs again, and the queue is getting shorter.";
    let at = now.before(Duration::from_mins(12));
    incidents::update(connection, id, IncidentStatus::Identified, found, false, at)?;
    Ok(true)
}

fn open(
    connection: &Connection,
    component: ComponentId,
    component_state: ComponentState,
    impact: Impact,
    title: &str,
    message: &str,
    at: Moment,
) -> StoreResult<IncidentId> {
    let new = NewIncident {
        title: title.to_owned(),
        impact,
        status: IncidentStatus::Investigating,
        message: message.to_owned(),
        components: vec![component],
        component_state,
    };
    incidents::create(connection, &new, at)
}

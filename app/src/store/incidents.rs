//! Incidents, their updates, and the components they touch.

use super::{StoreError, StoreResult, components};
use crate::model::{
    ComponentState, Incident, IncidentId, IncidentStatus, IncidentSummary, IncidentUpdate, Moment,
    NewIncident,
};
use rusqlite::{Connection, Row};

/// A summary with its latest update: one row, one look into an index.
const SUMMARY: &str = "SELECT incidents.id, title, impact, incidents.status, opened_ms, resolved_ms,
        latest.status, latest.message, latest.at_ms
    FROM incidents LEFT JOIN incident_updates AS latest ON latest.id =
        (SELECT id FROM incident_updates WHERE incident_id = incidents.id ORDER BY at_ms DESC, id DESC LIMIT 1)";

/// Open incidents shown at once; more than these at the same time is one incident.
const OPEN_LIMIT: u32 = 50;

/// Those not resolved, latest first.
pub fn open(connection: &Connection) -> StoreResult<Vec<IncidentSummary>> {
    let sql = format!(
        "{SUMMARY} WHERE resolved_ms IS NULL ORDER BY opened_ms DESC, incidents.id DESC LIMIT {OPEN_LIMIT}"
    );
    let incidents =
        connection.prepare_cached(&sql)?.query_map([], summary)?.collect::<Result<_, _>>()?;
    Ok(incidents)
}

/// Those resolved that were opened since, latest first.
pub fn resolved_since(
    connection: &Connection,
    since: Moment,
    limit: u32,
) -> StoreResult<Vec<IncidentSummary>> {
    let sql = format!(
        "{SUMMARY} WHERE resolved_ms IS NOT NULL AND opened_ms >= ?1 ORDER BY opened_ms DESC, incidents.id DESC LIMIT ?2"
    );
    let incidents = connection
        .prepare_cached(&sql)?
        .query_map((since, limit), summary)?
        .collect::<Result<_, _>>()?;
    Ok(incidents)
}

/// All, latest first, from those opened before `before`; one more than `limit` when there are more.
pub fn before(
    connection: &Connection,
    before: Option<(Moment, IncidentId)>,
    limit: u32,
) -> StoreResult<Vec<IncidentSummary>> {
    let (moment, id) = before.unwrap_or((Moment(i64::MAX), IncidentId(i64::MAX)));
    let sql = format!(
        "{SUMMARY} WHERE (opened_ms, incidents.id) < (?1, ?2) ORDER BY opened_ms DESC, incidents.id DESC LIMIT ?3"
    );
    let incidents = connection
        .prepare_cached(&sql)?
        .query_map((moment, id, limit), summary)?
        .collect::<Result<_, _>>()?;
    Ok(incidents)
}

/// # Errors
/// [`StoreError::Missing`].
pub fn find(connection: &Connection, id: IncidentId) -> StoreResult<Incident> {
    let summary = connection
        .prepare_cached(&format!("{SUMMARY} WHERE incidents.id = ?1"))?
        .query_row([id], summary)?;
    let updates = connection
        .prepare_cached(
            "SELECT status, message, at_ms FROM incident_updates WHERE incident_id = ?1
             ORDER BY at_ms DESC, id DESC",
        )?
        .query_map([id], |row| {
            Ok(IncidentUpdate { status: row.get(0)?, message: row.get(1)?, at: row.get(2)? })
        })?
        .collect::<Result<_, _>>()?;
    let components = connection
        .prepare_cached(
            "SELECT components.id, name FROM incident_components
             JOIN components ON components.id = component_id
             WHERE incident_id = ?1 ORDER BY position, components.id",
        )?
        .query_map([id], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    Ok(Incident { summary, updates, components })
}

/// Opens an incident with its first update; the affected components enter its state.
///
/// # Errors
/// [`StoreError::Missing`] when a component does not exist.
pub fn create(connection: &Connection, new: &NewIncident, now: Moment) -> StoreResult<IncidentId> {
    let resolved = (new.status == IncidentStatus::Resolved).then_some(now);
    connection.execute(
        "INSERT INTO incidents (title, impact, status, opened_ms, resolved_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
        (&new.title, new.impact, new.status, now, resolved),
    )?;
    let id = IncidentId(connection.last_insert_rowid());
    insert_update(connection, id, new.status, &new.message, now)?;
    for component in &new.components {
        components::set_state(connection, *component, new.component_state, now)?;
        connection.execute(
            "INSERT INTO incident_components (incident_id, component_id) VALUES (?1, ?2)",
            (id, component),
        )?;
    }
    Ok(id)
}

/// Adds an update. `Resolved` closes the incident and, if asked, returns its components to
/// operational, except those that another open incident still holds; any other status opens it
/// again.
///
/// # Errors
/// [`StoreError::Missing`].
pub fn update(
    connection: &Connection,
    id: IncidentId,
    status: IncidentStatus,
    message: &str,
    restore_components: bool,
    now: Moment,
) -> StoreResult<()> {
    let is_resolved = status == IncidentStatus::Resolved;
    let changed = connection.execute(
        "UPDATE incidents SET status = ?2, resolved_ms = CASE WHEN ?3 THEN coalesce(resolved_ms, ?4) END
         WHERE id = ?1",
        (id, status, is_resolved, now),
    )?;
    if changed == 0 {
        return Err(StoreError::Missing);
    }
    insert_update(connection, id, status, message, now)?;
    if is_resolved && restore_components {
        let restored: Vec<_> = connection
            .prepare_cached(
                "SELECT component_id FROM incident_components AS mine
                 JOIN components ON components.id = component_id AND removed_ms IS NULL
                 WHERE incident_id = ?1 AND NOT EXISTS (
                     SELECT 1 FROM incident_components AS other
                     JOIN incidents ON incidents.id = other.incident_id AND resolved_ms IS NULL
                     WHERE other.component_id = mine.component_id)",
            )?
            .query_map([id], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        for component in restored {
            components::set_state(connection, component, ComponentState::Operational, now)?;
        }
    }
    Ok(())
}

/// How many are open.
pub fn open_count(connection: &Connection) -> StoreResult<u32> {
    let sql = "SELECT count(*) FROM incidents WHERE resolved_ms IS NULL";
    Ok(connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
}

fn insert_update(
    connection: &Connection,
    id: IncidentId,
    status: IncidentStatus,
    message: &str,
    now: Moment,
) -> StoreResult<()> {
    connection.execute(
        "INSERT INTO incident_updates (incident_id, status, message, at_ms) VALUES (?1, ?2, ?3, ?4)",
        (id, status, message, now),
    )?;
    Ok(())
}

fn summary(row: &Row<'_>) -> rusqlite::Result<IncidentSummary> {
    let latest = match row.get::<_, Option<IncidentStatus>>(6)? {
        Some(status) => Some(IncidentUpdate { status, message: row.get(7)?, at: row.get(8)? }),
        None => None,
    };
    Ok(IncidentSummary {
        id: row.get(0)?,
        title: row.get(1)?,
        impact: row.get(2)?,
        status: row.get(3)?,
        opened: row.get(4)?,
        resolved: row.get(5)?,
        latest,
    })
}

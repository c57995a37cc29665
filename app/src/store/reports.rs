//! Problems that visitors reported.

use super::{StoreError, StoreResult};
use crate::model::{Email, IncidentId, Moment, NewReport, Report, ReportId, Triage};
use rusqlite::{Connection, Row};

const REPORT: &str =
    "SELECT reports.id, components.name, summary, details, email, triage, incident_id, received_ms
    FROM reports LEFT JOIN components ON components.id = component_id";

/// # Errors
/// [`StoreError::Full`] when too many wait for triage.
pub fn add(connection: &Connection, new: &NewReport, now: Moment) -> StoreResult<ReportId> {
    if count(connection, Triage::New)? >= NewReport::WAITING_LIMIT {
        return Err(StoreError::Full);
    }
    connection.execute(
        "INSERT INTO reports (component_id, summary, details, email, triage, received_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        (
            new.component,
            &new.summary,
            &new.details,
            new.email.as_ref().map(Email::as_str),
            Triage::New,
            now,
        ),
    )?;
    Ok(ReportId(connection.last_insert_rowid()))
}

/// Those in a state of triage, latest first, from those before `before`.
pub fn list(
    connection: &Connection,
    triage: Triage,
    before: Option<ReportId>,
    limit: u32,
) -> StoreResult<Vec<Report>> {
    let sql =
        format!("{REPORT} WHERE triage = ?1 AND reports.id < ?2 ORDER BY reports.id DESC LIMIT ?3");
    let before = before.unwrap_or(ReportId(i64::MAX));
    let reports = connection
        .prepare_cached(&sql)?
        .query_map((triage, before, limit), report)?
        .collect::<Result<_, _>>()?;
    Ok(reports)
}

/// # Errors
/// [`StoreError::Missing`].
pub fn find(connection: &Connection, id: ReportId) -> StoreResult<Report> {
    let sql = format!("{REPORT} WHERE reports.id = ?1");
    Ok(connection.prepare_cached(&sql)?.query_row([id], report)?)
}

/// # Errors
/// [`StoreError::Missing`].
pub fn set_triage(connection: &Connection, id: ReportId, triage: Triage) -> StoreResult<()> {
    let changed =
        connection.execute("UPDATE reports SET triage = ?2 WHERE id = ?1", (id, triage))?;
    if changed == 0 { Err(StoreError::Missing) } else { Ok(()) }
}

/// Says which incident a report turned out to be part of, and takes it off the waiting list.
///
/// # Errors
/// [`StoreError::Missing`].
pub fn link(connection: &Connection, id: ReportId, incident: IncidentId) -> StoreResult<()> {
    let changed = connection.execute(
        "UPDATE reports SET incident_id = ?2, triage = ?3 WHERE id = ?1",
        (id, incident, Triage::Acknowledged),
    )?;
    if changed == 0 { Err(StoreError::Missing) } else { Ok(()) }
}

/// How many are in a state of triage.
pub fn count(connection: &Connection, triage: Triage) -> StoreResult<u32> {
    let sql = "SELECT count(*) FROM reports WHERE triage = ?1";
    Ok(connection.prepare_cached(sql)?.query_row([triage], |row| row.get(0))?)
}

fn report(row: &Row<'_>) -> rusqlite::Result<Report> {
    Ok(Report {
        id: row.get(0)?,
        component: row.get(1)?,
        summary: row.get(2)?,
        details: row.get(3)?,
        email: row.get(4)?,
        triage: row.get(5)?,
        incident: row.get(6)?,
        received: row.get(7)?,
    })
}

//! Components and the states they went through.

use super::{StoreError, StoreResult};
use crate::model::{Component, ComponentChange, ComponentId, ComponentState, Moment};
use rusqlite::{Connection, Row};

const COLUMNS: &str = "id, name, description, state, created_ms";

/// All that were not removed, in the order of the page.
pub fn all(connection: &Connection) -> StoreResult<Vec<Component>> {
    let sql =
        format!("SELECT {COLUMNS} FROM components WHERE removed_ms IS NULL ORDER BY position, id");
    let components =
        connection.prepare_cached(&sql)?.query_map([], component)?.collect::<Result<_, _>>()?;
    Ok(components)
}

/// # Errors
/// [`StoreError::Missing`] when it does not exist or was removed.
pub fn find(connection: &Connection, id: ComponentId) -> StoreResult<Component> {
    let sql = format!("SELECT {COLUMNS} FROM components WHERE id = ?1 AND removed_ms IS NULL");
    Ok(connection.prepare_cached(&sql)?.query_row([id], component)?)
}

/// Every change since `since`, oldest first, and for each component the last one before.
pub fn changes(connection: &Connection, since: Moment) -> StoreResult<Vec<ComponentChange>> {
    let sql = "SELECT component_id, state, at_ms FROM component_changes AS change
        WHERE at_ms >= coalesce((SELECT max(at_ms) FROM component_changes AS earlier
            WHERE earlier.component_id = change.component_id AND earlier.at_ms <= ?1), ?1)
        ORDER BY at_ms, id";
    let changes = connection
        .prepare_cached(sql)?
        .query_map([since], |row| {
            Ok(ComponentChange { component: row.get(0)?, state: row.get(1)?, at: row.get(2)? })
        })?
        .collect::<Result<_, _>>()?;
    Ok(changes)
}

/// Adds one at the end of the page, operational.
///
/// # Errors
/// [`StoreError::Taken`] for a name in use, [`StoreError::Full`] past the limit.
pub fn add(
    connection: &Connection,
    name: &str,
    description: &str,
    now: Moment,
) -> StoreResult<ComponentId> {
    if all(connection)?.len() >= Component::COUNT_LIMIT {
        return Err(StoreError::Full);
    }
    connection.execute(
        "INSERT INTO components (name, description, position, state, created_ms)
         VALUES (?1, ?2, (SELECT coalesce(max(position), 0) + 1 FROM components), ?3, ?4)",
        (name, description, ComponentState::Operational, now),
    )?;
    let id = ComponentId(connection.last_insert_rowid());
    record_change(connection, id, ComponentState::Operational, now)?;
    Ok(id)
}

/// # Errors
/// [`StoreError::Taken`] for a name in use, [`StoreError::Missing`].
pub fn describe(
    connection: &Connection,
    id: ComponentId,
    name: &str,
    description: &str,
) -> StoreResult<()> {
    let changed = connection.execute(
        "UPDATE components SET name = ?2, description = ?3 WHERE id = ?1 AND removed_ms IS NULL",
        (id, name, description),
    )?;
    if changed == 0 { Err(StoreError::Missing) } else { Ok(()) }
}

/// Whether the state was another before.
///
/// # Errors
/// [`StoreError::Missing`].
pub fn set_state(
    connection: &Connection,
    id: ComponentId,
    state: ComponentState,
    now: Moment,
) -> StoreResult<bool> {
    if find(connection, id)?.state == state {
        return Ok(false);
    }
    connection.execute("UPDATE components SET state = ?2 WHERE id = ?1", (id, state))?;
    record_change(connection, id, state, now)?;
    Ok(true)
}

/// Takes it off the pages; its history stays for the incidents it was part of.
///
/// # Errors
/// [`StoreError::Missing`].
pub fn remove(connection: &Connection, id: ComponentId, now: Moment) -> StoreResult<()> {
    let changed = connection.execute(
        "UPDATE components SET removed_ms = ?2 WHERE id = ?1 AND removed_ms IS NULL",
        (id, now),
    )?;
    if changed == 0 { Err(StoreError::Missing) } else { Ok(()) }
}

fn record_change(
    connection: &Connection,
    id: ComponentId,
    state: ComponentState,
    at: Moment,
) -> StoreResult<()> {
    connection.execute(
        "INSERT INTO component_changes (component_id, state, at_ms) VALUES (?1, ?2, ?3)",
        (id, state, at),
    )?;
    Ok(())
}

fn component(row: &Row<'_>) -> rusqlite::Result<Component> {
    Ok(Component {
        id: row.get(0)?,
        name: row.get(1)?,
        description: row.get(2)?,
        state: row.get(3)?,
        created: row.get(4)?,
    })
}

//! The accounts that may sign in.

use super::{StoreError, StoreResult};
use crate::model::{Email, Moment};
use rusqlite::{Connection, OptionalExtension};

/// An account as `beacon operator list` shows it.
#[derive(Debug, Clone)]
pub struct Operator {
    pub email: String,
    pub created: Moment,
    /// Last use of a session that has not ended.
    pub last_seen: Option<Moment>,
}

/// # Errors
/// [`StoreError::Taken`].
pub fn add(
    connection: &Connection,
    email: &Email,
    password_hash: &str,
    now: Moment,
) -> StoreResult<()> {
    connection.execute(
        "INSERT INTO operators (email, password_hash, created_ms) VALUES (?1, ?2, ?3)",
        (email.as_str(), password_hash, now),
    )?;
    Ok(())
}

pub fn all(connection: &Connection) -> StoreResult<Vec<Operator>> {
    let operators = connection
        .prepare(
            "SELECT email, created_ms, (SELECT max(last_seen_ms) FROM sessions WHERE operator_id = operators.id)
             FROM operators ORDER BY email",
        )?
        .query_map([], |row| {
            Ok(Operator { email: row.get(0)?, created: row.get(1)?, last_seen: row.get(2)? })
        })?
        .collect::<Result<_, _>>()?;
    Ok(operators)
}

/// Removes the account and ends its sessions.
///
/// # Errors
/// [`StoreError::Missing`].
pub fn remove(connection: &Connection, email: &Email) -> StoreResult<()> {
    let removed = connection.execute("DELETE FROM operators WHERE email = ?1", [email.as_str()])?;
    if removed == 0 { Err(StoreError::Missing) } else { Ok(()) }
}

/// Row and password hash of an account, if there is one.
pub fn credentials(connection: &Connection, email: &Email) -> StoreResult<Option<(i64, String)>> {
    let found = connection
        .prepare_cached("SELECT id, password_hash FROM operators WHERE email = ?1")?
        .query_row([email.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(found)
}

pub fn exist(connection: &Connection) -> StoreResult<bool> {
    Ok(connection.prepare("SELECT 1 FROM operators LIMIT 1")?.exists([])?)
}

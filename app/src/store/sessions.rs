//! Sessions: the digest of a token, whose it is, and when it was used.

use super::StoreResult;
use crate::model::Moment;
use crate::token::TokenHash;
use rusqlite::{Connection, OptionalExtension};
use std::time::Duration;

/// Without a request for this long, a session ends.
pub const IDLE_LIMIT: Duration = Duration::from_hours(12);
/// However busy, it ends after this long.
pub const ABSOLUTE_LIMIT: Duration = Duration::from_hours(7 * 24);
/// Sessions of one operator; the ones unused for longest make room.
const PER_OPERATOR_LIMIT: u32 = 20;

/// A session that holds.
#[derive(Debug, Clone)]
pub struct Session {
    pub email: String,
    pub last_seen: Moment,
    pub flash: Option<String>,
}

/// Starts a session and ends those that ran out.
pub fn start(
    connection: &Connection,
    token: TokenHash,
    operator: i64,
    now: Moment,
) -> StoreResult<()> {
    connection.execute(
        "DELETE FROM sessions WHERE last_seen_ms < ?1 OR created_ms < ?2",
        (now.before(IDLE_LIMIT), now.before(ABSOLUTE_LIMIT)),
    )?;
    connection.execute(
        "DELETE FROM sessions WHERE token_hash IN (SELECT token_hash FROM sessions
         WHERE operator_id = ?1 ORDER BY last_seen_ms DESC LIMIT -1 OFFSET ?2)",
        (operator, PER_OPERATOR_LIMIT - 1),
    )?;
    connection.execute(
        "INSERT INTO sessions (token_hash, operator_id, created_ms, last_seen_ms) VALUES (?1, ?2, ?3, ?3)",
        (token.0, operator, now),
    )?;
    Ok(())
}

/// The session of a token, unless it ran out.
pub fn find(
    connection: &Connection,
    token: TokenHash,
    now: Moment,
) -> StoreResult<Option<Session>> {
    let session = connection
        .prepare_cached(
            "SELECT email, last_seen_ms, flash FROM sessions
             JOIN operators ON operators.id = operator_id
             WHERE token_hash = ?1 AND last_seen_ms >= ?2 AND sessions.created_ms >= ?3",
        )?
        .query_row((token.0, now.before(IDLE_LIMIT), now.before(ABSOLUTE_LIMIT)), |row| {
            Ok(Session { email: row.get(0)?, last_seen: row.get(1)?, flash: row.get(2)? })
        })
        .optional()?;
    Ok(session)
}

pub fn touch(connection: &Connection, token: TokenHash, now: Moment) -> StoreResult<()> {
    connection
        .execute("UPDATE sessions SET last_seen_ms = ?2 WHERE token_hash = ?1", (token.0, now))?;
    Ok(())
}

/// Leaves a sentence for the session's next page, or takes it away.
pub fn set_flash(
    connection: &Connection,
    token: TokenHash,
    flash: Option<&str>,
) -> StoreResult<()> {
    connection.execute("UPDATE sessions SET flash = ?2 WHERE token_hash = ?1", (token.0, flash))?;
    Ok(())
}

pub fn end(connection: &Connection, token: TokenHash) -> StoreResult<()> {
    connection.execute("DELETE FROM sessions WHERE token_hash = ?1", [token.0])?;
    Ok(())
}

/// How many hold.
pub fn count(connection: &Connection, now: Moment) -> StoreResult<u32> {
    let sql = "SELECT count(*) FROM sessions WHERE last_seen_ms >= ?1 AND created_ms >= ?2";
    let since = (now.before(IDLE_LIMIT), now.before(ABSOLUTE_LIMIT));
    Ok(connection.prepare_cached(sql)?.query_row(since, |row| row.get(0))?)
}

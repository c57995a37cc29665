//! Migrations: forward only, each in a transaction, each remembered with the digest of its text.
//! A database that a newer Beacon wrote, or whose history differs from ours, is not touched.

use crate::token::hex;
use anyhow::{bail, ensure};
use rusqlite::{Connection, TransactionBehavior};
use sha2::{Digest, Sha256};

const MIGRATIONS: [(&str, &str); 1] =
    [("0001_status_page", include_str!("../../migrations/0001_status_page.sql"))];

/// Version of a database that this binary made.
#[expect(clippy::cast_possible_truncation, reason = "a handful of migrations")]
pub(super) const LATEST: u32 = MIGRATIONS.len() as u32;

/// Brings the database to `LATEST`.
pub(super) fn forward(connection: &mut Connection) -> anyhow::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(
        "CREATE TABLE IF NOT EXISTS migrations (
            version INTEGER PRIMARY KEY,
            name TEXT NOT NULL,
            sha256 TEXT NOT NULL,
            applied_ms INTEGER NOT NULL
        ) STRICT",
    )?;
    let applied: Vec<(u32, String, String)> = transaction
        .prepare("SELECT version, name, sha256 FROM migrations ORDER BY version")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<Result<_, _>>()?;
    for (version, name, digest) in &applied {
        let Some((known, sql)) = MIGRATIONS.get(*version as usize - 1) else {
            bail!(
                "the database is at version {version} ({name}) and this is Beacon {}, which knows \
                 {LATEST}; start the newer Beacon that wrote it, or restore a backup",
                env!("CARGO_PKG_VERSION")
            );
        };
        ensure!(
            *known == name && *digest == digest_of(sql),
            "migration {version} was applied as {name} with another text than {known} has now"
        );
    }
    for (version, (name, sql)) in (1_u32..).zip(MIGRATIONS).skip(applied.len()) {
        transaction.execute_batch(sql)?;
        transaction.execute(
            "INSERT INTO migrations (version, name, sha256, applied_ms) VALUES (?1, ?2, ?3, ?4)",
            (version, name, digest_of(sql), crate::model::Moment::now()),
        )?;
    }
    let has_orphans = transaction.prepare("PRAGMA foreign_key_check")?.exists([])?;
    ensure!(!has_orphans, "the migrated database has rows that refer to missing ones");
    transaction.commit()?;
    Ok(())
}

fn digest_of(sql: &str) -> String {
    hex(&Sha256::digest(sql.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrating_twice_changes_nothing() {
        let mut connection = Connection::open_in_memory().unwrap();
        forward(&mut connection).unwrap();
        forward(&mut connection).unwrap();
        let count: u32 =
            connection.query_row("SELECT count(*) FROM migrations", [], |r| r.get(0)).unwrap();
        assert_eq!(count, LATEST);
    }

    #[test]
    fn a_newer_or_different_database_is_refused() {
        let mut connection = Connection::open_in_memory().unwrap();
        forward(&mut connection).unwrap();
        connection.execute("UPDATE migrations SET sha256 = 'x'", []).unwrap();
        assert!(forward(&mut connection).unwrap_err().to_string().contains("another text"));
        connection
            .execute("UPDATE migrations SET version = 99, name = 'future' WHERE version = 1", [])
            .unwrap();
        assert!(forward(&mut connection).unwrap_err().to_string().contains("version 99 (future)"));
    }
}

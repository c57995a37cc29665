//! Migrations: forward only, each in a transaction, each remembered with the digest of its text and
//! with how far back it can be used. A database that a newer Beacon wrote is used as it is, when the
//! newer one says that this one can; one whose history differs from ours is not touched.

use crate::token::hex;
use anyhow::ensure;
use rusqlite::{Connection, TransactionBehavior};
use sha2::{Digest, Sha256};

struct Migration {
    name: &'static str,
    sql: &'static str,
    /// The oldest version whose Beacon can use the database afterwards. What is added keeps the one
    /// before; what takes something away keeps none that still asked for it.
    keeps: u32,
}

const MIGRATIONS: [Migration; 1] = [Migration {
    name: "0001_status_page",
    sql: include_str!("../../migrations/0001_status_page.sql"),
    keeps: 1,
}];

/// Version of a database that this binary made.
#[expect(clippy::cast_possible_truncation, reason = "a handful of migrations")]
pub(super) const LATEST: u32 = MIGRATIONS.len() as u32;

/// The oldest version whose Beacon can use such a database.
#[cfg(test)]
const KEEPS: u32 = MIGRATIONS[MIGRATIONS.len() - 1].keeps;

/// Brings the database to `LATEST`.
pub(super) fn forward(connection: &mut Connection) -> anyhow::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(
        "CREATE TABLE IF NOT EXISTS migrations (
            version INTEGER PRIMARY KEY,
            name TEXT NOT NULL,
            sha256 TEXT NOT NULL,
            applied_ms INTEGER NOT NULL,
            keeps INTEGER NOT NULL DEFAULT 1
        ) STRICT",
    )?;
    let mut keeps = transaction
        .prepare("SELECT 1 FROM pragma_table_info('migrations') WHERE name = 'keeps'")?;
    if !keeps.exists([])? {
        // Made before it was remembered how far back a version can be used.
        transaction
            .execute_batch("ALTER TABLE migrations ADD COLUMN keeps INTEGER NOT NULL DEFAULT 1")?;
    }
    drop(keeps);
    let applied: Vec<(u32, String, String, u32)> = transaction
        .prepare("SELECT version, name, sha256, keeps FROM migrations ORDER BY version")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?
        .collect::<Result<_, _>>()?;
    for (version, name, digest, keeps) in &applied {
        let Some(known) = MIGRATIONS.get((*version as usize).saturating_sub(1)) else {
            ensure!(
                *keeps <= LATEST,
                "the database is at version {version} ({name}), which Beacon can use from version \
                 {keeps} on, and this is Beacon {}, which knows {LATEST}; start the newer Beacon that \
                 wrote it, or restore a backup",
                env!("CARGO_PKG_VERSION")
            );
            continue;
        };
        ensure!(
            known.name == name && *digest == digest_of(known.sql),
            "migration {version} was applied as {name} with another text than {} has now",
            known.name
        );
    }
    for (version, migration) in (1_u32..).zip(&MIGRATIONS).skip(applied.len()) {
        transaction.execute_batch(migration.sql)?;
        transaction.execute(
            "INSERT INTO migrations (version, name, sha256, applied_ms, keeps) \
             VALUES (?1, ?2, ?3, ?4, ?5)",
            (
                version,
                migration.name,
                digest_of(migration.sql),
                crate::model::Moment::now(),
                migration.keeps,
            ),
        )?;
    }
    let has_orphans = transaction.prepare("PRAGMA foreign_key_check")?.exists([])?;
    ensure!(!has_orphans, "the migrated database has rows that refer to missing ones");
    transaction.commit()?;
    Ok(())
}

/// Whether a database can be used by this binary: it was brought this far, and no newer one has taken
/// away what this one asks for.
pub(super) fn is_usable(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row(
        "SELECT max(version) >= ?1 AND max(keeps) <= ?1 FROM migrations",
        [LATEST],
        |row| row.get(0),
    )
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
    fn a_different_database_is_refused() {
        let mut connection = Connection::open_in_memory().unwrap();
        forward(&mut connection).unwrap();
        connection.execute("UPDATE migrations SET sha256 = 'x'", []).unwrap();
        assert!(forward(&mut connection).unwrap_err().to_string().contains("another text"));
    }

    /// A database that a Beacon to come has migrated further.
    fn of_the_future(keeps: u32) -> Connection {
        let mut connection = Connection::open_in_memory().unwrap();
        forward(&mut connection).unwrap();
        connection
            .execute(
                "INSERT INTO migrations (version, name, sha256, applied_ms, keeps) \
                 VALUES (?1, 'future', 'x', 0, ?2)",
                (LATEST + 1, keeps),
            )
            .unwrap();
        connection
    }

    #[test]
    fn a_newer_database_is_used_as_long_as_it_keeps_what_is_asked_for() {
        let mut usable = of_the_future(LATEST);
        forward(&mut usable).unwrap();
        assert!(is_usable(&usable).unwrap(), "the release before goes on beside the new one");
        let mut contracted = of_the_future(LATEST + 1);
        let error = forward(&mut contracted).unwrap_err().to_string();
        assert!(error.contains(&format!("from version {} on", LATEST + 1)), "{error}");
        assert!(!is_usable(&contracted).unwrap());
    }

    #[test]
    fn a_database_that_does_not_say_how_far_back_it_can_be_used_is_told() {
        let mut connection = Connection::open_in_memory().unwrap();
        forward(&mut connection).unwrap();
        connection.execute_batch("ALTER TABLE migrations DROP COLUMN keeps").unwrap();
        forward(&mut connection).unwrap();
        assert!(is_usable(&connection).unwrap());
    }

    #[test]
    fn the_pipeline_is_told_the_same() {
        let toml = include_str!("../../../xtask.toml");
        let stated = format!("[build.server.schema]\nversion = {LATEST}\nkeeps   = {KEEPS}\n");
        assert!(toml.contains(&stated), "expected in xtask.toml:\n{stated}");
    }
}

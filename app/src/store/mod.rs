//! The database: SQLite in one file, reached through threads of its own so that no async thread
//! ever waits for a disk.
//!
//! One thread writes, each job in a transaction of its own that is durable before the caller hears
//! of it; a few threads read, beside the writer (WAL). Both queues are bounded: when one is full
//! the caller is told so at once.

pub mod components;
mod copy;
pub mod incidents;
mod migrate;
pub mod operators;
mod queue;
pub mod reports;
pub mod seed;
pub mod sessions;

pub use copy::copy;

use anyhow::Context;
use queue::Queue;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Name of the database's file in its folder.
const FILE: &str = "beacon.db";

/// Threads that read: pages take well under a millisecond each.
const READERS: usize = 4;
/// Jobs that wait in each queue; at a millisecond each, a wait of half a second.
const QUEUE_LIMIT: usize = 512;
/// How long a statement waits for another process (`beacon operator add`) to finish writing.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Pages of 4 KiB after which the write-ahead log is folded back: keeps it near 4 MB.
const CHECKPOINT_PAGES: u32 = 1_000;

/// Why the database did not answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("too many requests wait for the database")]
    Busy,
    #[error("the database thread gave no answer")]
    Lost,
    #[error("no such row")]
    Missing,
    #[error("that name is taken")]
    Taken,
    #[error("there is no room for more")]
    Full,
    #[error("database: {0}")]
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> StoreError {
        match &error {
            rusqlite::Error::QueryReturnedNoRows => StoreError::Missing,
            rusqlite::Error::SqliteFailure(failure, _)
                if failure.extended_code == rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE =>
            {
                StoreError::Taken
            }
            _ => StoreError::Sqlite(error),
        }
    }
}

pub type StoreResult<T> = Result<T, StoreError>;

/// A handle on the database; clones share its threads, which end with the last clone.
#[derive(Debug, Clone)]
pub struct Store {
    writer: Queue,
    readers: Queue,
    file: PathBuf,
}

impl Store {
    /// Opens the database in folder `data`, makes it when it is missing, and migrates it forward.
    ///
    /// # Errors
    /// The folder or file cannot be used, or was written by a newer Beacon.
    pub fn open(data: &Path) -> anyhow::Result<Store> {
        let file = data.join(FILE);
        let mut connection = open_for_writing(data, &file)?;
        migrate::forward(&mut connection)
            .with_context(|| format!("failed to migrate {}", file.display()))?;
        let writer = Queue::start("db-writer", QUEUE_LIMIT, vec![connection])?;
        let readers = (0..READERS)
            .map(|_| open_for_reading(&file))
            .collect::<Result<Vec<_>, _>>()
            .with_context(|| format!("failed to open {}", file.display()))?;
        let readers = Queue::start("db-reader", QUEUE_LIMIT, readers)?;
        Ok(Store { writer, readers, file })
    }

    /// Runs `job` on a connection that cannot write.
    ///
    /// # Errors
    /// The queue is full, or the job failed.
    pub async fn read<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> StoreResult<T> + Send + 'static,
    ) -> StoreResult<T> {
        self.readers.run(move |connection| job(connection)).await
    }

    /// Runs `job` in a transaction that is durable on disk when this returns `Ok`, and leaves no
    /// trace when it fails.
    ///
    /// # Errors
    /// The queue is full, or the job failed.
    pub async fn write<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Transaction<'_>) -> StoreResult<T> + Send + 'static,
    ) -> StoreResult<T> {
        self.writer
            .run(move |connection| {
                let transaction =
                    connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
                let value = job(&transaction)?;
                transaction.commit()?;
                Ok(value)
            })
            .await
    }

    /// Asks the database a real question: whether its schema is one that this binary can use.
    ///
    /// # Errors
    /// It does not answer, or the schema is another.
    pub async fn check(&self) -> StoreResult<()> {
        self.read(|connection| {
            connection.query_row("SELECT count(*) FROM components", [], |_| Ok(()))?;
            if migrate::is_usable(connection)? { Ok(()) } else { Err(StoreError::Missing) }
        })
        .await
    }

    /// Size of the database with its write-ahead log, in bytes.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        let wal = self.file.with_extension("db-wal");
        [&self.file, &wal].iter().filter_map(|f| std::fs::metadata(f).ok()).map(|m| m.len()).sum()
    }

    /// The database's file.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }
}

fn open_for_writing(data: &Path, file: &Path) -> anyhow::Result<Connection> {
    make_private_folder(data)
        .with_context(|| format!("failed to make the data folder {}", data.display()))?;
    let open = || -> rusqlite::Result<Connection> {
        let connection = Connection::open(file)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.pragma_update(None, "trusted_schema", false)?;
        connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
        Ok(connection)
    };
    open().with_context(|| format!("failed to open the database {}", file.display()))
}

fn open_for_reading(file: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    Ok(connection)
}

/// Reports hold what people wrote in confidence: the folder is for its owner alone.
fn make_private_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

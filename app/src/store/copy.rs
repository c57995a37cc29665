//! A copy of the database in one file, whole as of one instant.

use super::{FILE, make_private_folder};
use crate::model::Moment;
use anyhow::{Context, ensure};
use rusqlite::{Connection, OpenFlags};
use std::fs::{self, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// How long a writer may keep the copy waiting.
const BUSY_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(30);

/// Copies the database in folder `data` into a new file of `folder`, named after the moment, and reads
/// the copy back. The database itself is not migrated.
///
/// # Errors
/// There is no database, or the copy cannot be written, or is not whole.
pub fn copy(data: &Path, folder: &Path, now: Moment) -> anyhow::Result<PathBuf> {
    let file = data.join(FILE);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(&file, flags)
        .with_context(|| format!("failed to open the database {}", file.display()))?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    make_private_folder(folder)
        .with_context(|| format!("failed to make the folder {}", folder.display()))?;
    let copy = folder.join(format!("beacon-{}.db", now.in_a_name()));
    let partial = folder.join(format!(".beacon-{}.partial", std::process::id()));
    let result = write(&connection, &partial).and_then(|()| {
        ensure!(!copy.exists(), "{} is there already", copy.display());
        Ok(fs::rename(&partial, &copy)?)
    });
    if let Err(error) = result {
        // What is not whole is no backup; that it cannot be removed is not what went wrong.
        fs::remove_file(&partial).ok();
        return Err(error.context(format!("failed to write {}", copy.display())));
    }
    fs::File::open(folder)?.sync_all()?;
    Ok(copy)
}

fn write(connection: &Connection, partial: &Path) -> anyhow::Result<()> {
    // Made first, so that it is for its owner alone: SQLite takes an empty file.
    let empty =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(partial)?;
    let name = partial.to_str().context("expected a folder whose name is UTF-8")?;
    connection.execute("VACUUM INTO ?1", [name])?;
    empty.sync_all()?;
    let read = Connection::open_with_flags(partial, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let verdict: String = read.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    ensure!(verdict == "ok", "it reads back damaged: {verdict}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_copy_holds_all_of_it_while_it_is_served() {
        let folder = tempfile::tempdir().unwrap();
        let (data, copies) = (folder.path().join("data"), folder.path().join("copies"));
        assert!(copy(&data, &copies, Moment::now()).is_err(), "there is nothing to copy");
        let store = Store::open(&data).unwrap();
        let made = copy(&data, &copies, Moment::now()).unwrap();
        assert_eq!(fs::metadata(&made).unwrap().permissions().mode() & 0o777, 0o600);
        let restored = folder.path().join("restored");
        fs::create_dir(&restored).unwrap();
        fs::copy(&made, restored.join(FILE)).unwrap();
        Store::open(&restored).unwrap();
        drop(store);
        let left: Vec<_> = fs::read_dir(&copies).unwrap().collect();
        assert_eq!(left.len(), 1, "{left:?}");
    }
}

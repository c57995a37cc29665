//! The copy of the database in the user's cache: shared by all checkouts, refreshed once a day.
//!
//! Each state of the database has a folder of its own, unpacked beside and renamed into place;
//! `state.json` names the current one and is replaced by a rename too. So a reader never sees half
//! of one, and two audits at once only do the same work twice.

use super::fetch::{self, Fetched};
use super::{Database, Request};
use config::Date;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Age from which a copy is refreshed, in seconds: a day.
const REFRESH_AFTER_S: i64 = 24 * 60 * 60;

/// Time without another try after one that failed, in seconds: an audit without a network should
/// not wait for it every time.
const RETRY_AFTER_S: i64 = 10 * 60;

/// Age of a folder that an interrupted audit left behind, in seconds, from which it is removed.
const LEFTOVER_S: u64 = 60 * 60;

const STATE: &str = "state.json";

/// What the cache holds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct State {
    /// `None` when nothing was ever fetched.
    copy: Option<Copy>,
    /// When the last try failed, in Unix seconds, and why.
    failed_at: Option<i64>,
    failure: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Copy {
    /// Name of its folder.
    folder: String,
    etag: Option<String>,
    date: Option<Date>,
    advisories: usize,
    /// When it was last known to be current, in Unix seconds.
    checked_at: i64,
}

/// The cached database, fetched or refreshed when due. The error says why there is none.
pub(super) fn find(request: &Request) -> Result<Database, String> {
    let Some(dir) = folder() else {
        return Err("no cache folder is known: neither XDG_CACHE_HOME nor HOME is set".to_owned());
    };
    let mut state = read(&dir);
    let now = Timestamp::now().as_second();
    let is_recent = |at: i64, span: i64| (0..span).contains(&(now - at));
    let is_fresh =
        state.copy.as_ref().is_some_and(|copy| is_recent(copy.checked_at, REFRESH_AFTER_S));
    if is_fresh {
        return open(&dir, state, None);
    }
    if request.is_offline {
        let reason = format!(
            "there is no copy of the advisory database in {}, and --offline was given",
            dir.display()
        );
        return open(&dir, state, Some(reason));
    }
    if let Some(failed_at) =
        state.failed_at.filter(|at| !request.is_ci && is_recent(*at, RETRY_AFTER_S))
    {
        let minutes = (now - failed_at) / 60;
        let reason = format!(
            "{} (tried {minutes} min ago, tried again after {})",
            state.failure,
            RETRY_AFTER_S / 60
        );
        return open(&dir, state, Some(reason));
    }
    let failure = match refresh(&dir, &state, now) {
        Ok(copy) => {
            state = State { copy: Some(copy), ..State::default() };
            None
        }
        Err(reason) => {
            state = State { failed_at: Some(now), failure: reason.clone(), ..state };
            Some(reason)
        }
    };
    // A state that cannot be kept only costs the next audit another try.
    let _ = write(&dir, &state);
    open(&dir, state, failure)
}

/// The copy as it is; with the reason why it is not current, or why there is none.
fn open(dir: &Path, state: State, stale: Option<String>) -> Result<Database, String> {
    let Some(copy) = state.copy else {
        return Err(stale.unwrap_or_else(|| "there is no advisory database".to_owned()));
    };
    Ok(Database {
        dir: dir.join(copy.folder),
        advisories: copy.advisories,
        date: copy.date.map(|date| date.0),
        stale,
    })
}

fn refresh(dir: &Path, state: &State, now: i64) -> Result<Copy, String> {
    let kept = |error: std::io::Error| {
        format!("failed to keep the advisory database in {}: {error}", dir.display())
    };
    std::fs::create_dir_all(dir).map_err(kept)?;
    sweep(dir, state);
    let etag = state.copy.as_ref().and_then(|copy| copy.etag.as_deref());
    match (fetch::fetch(dir, etag)?, &state.copy) {
        (Fetched::Unchanged, Some(copy)) => Ok(Copy { checked_at: now, ..copy.clone() }),
        (Fetched::Unchanged, None) => {
            Err("the server says that nothing changed, but there is no copy".to_owned())
        }
        (Fetched::New(new), _) => {
            let folder = new.name.clone();
            match std::fs::rename(new.dir.path(), dir.join(&folder)) {
                Ok(()) => {}
                // Another audit was quicker, or the same state was fetched again.
                Err(_) if dir.join(&folder).join("crates").is_dir() => {}
                Err(error) => return Err(kept(error)),
            }
            Ok(Copy {
                folder,
                etag: new.etag,
                date: new.date.map(Date),
                advisories: new.advisories,
                checked_at: now,
            })
        }
    }
}

/// Removes folders that are neither the current copy nor being unpacked.
fn sweep(dir: &Path, state: &State) {
    let current = state.copy.as_ref().map(|copy| copy.folder.as_str());
    for entry in dir.read_dir().into_iter().flatten().flatten() {
        let is_current = current.is_some_and(|current| entry.file_name() == current);
        let age_s = entry.metadata().and_then(|metadata| metadata.modified()).ok();
        let age_s =
            age_s.and_then(|modified| modified.elapsed().ok()).map_or(0, |age| age.as_secs());
        if !is_current && age_s > LEFTOVER_S && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            // What cannot be removed only takes space.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// A state that is missing, damaged, or names a folder that is gone is none.
fn read(dir: &Path) -> State {
    let text = std::fs::read_to_string(dir.join(STATE)).unwrap_or_default();
    let mut state: State = serde_json::from_str(&text).unwrap_or_default();
    state.copy = state.copy.filter(|copy| {
        let is_plain = copy.folder.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        is_plain && dir.join(&copy.folder).join("crates").is_dir()
    });
    state
}

fn write(dir: &Path, state: &State) -> std::io::Result<()> {
    let json = serde_json::to_vec_pretty(state)?;
    std::fs::create_dir_all(dir)?;
    let file = tempfile::NamedTempFile::new_in(dir)?;
    std::fs::write(file.path(), json)?;
    file.persist(dir.join(STATE))?;
    Ok(())
}

/// The user's cache folder, by the XDG Base Directory Specification; `%LOCALAPPDATA%` on Windows.
fn folder() -> Option<PathBuf> {
    let of = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    of("XDG_CACHE_HOME")
        .or_else(|| of("LOCALAPPDATA"))
        .or_else(|| of("HOME").map(|home| home.join(".cache")))
        .map(|cache| cache.join("slipway").join("advisory-db"))
}

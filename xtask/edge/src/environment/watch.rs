//! Sees a new routing document soon after it was written.
//!
//! A thread of its own looks every few milliseconds, so that a busy runtime delays nothing.

use release::routing::{Routing, RoutingError};
use release::store::{Key, ROUTING, Store};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// Between two looks. With the switch itself, a new routing is in effect well within 100 ms.
const LOOK: Duration = Duration::from_millis(20);

/// After so many looks the document is read whether it looks changed or not: a file system with
/// coarse times may hide a change.
const READ_ANYWAY: u32 = 50;

/// What was found in the place of the last; `Err` is why that is not followed.
pub type Seen = Result<Option<Routing>, String>;

/// Tells of each new document, the present one first, until nobody listens any more.
pub fn start(store: Arc<dyn Store>, seen: mpsc::Sender<Seen>) -> std::io::Result<()> {
    std::thread::Builder::new().name("routing".into()).spawn(move || watch(&*store, &seen))?;
    Ok(())
}

fn watch(store: &dyn Store, told: &mpsc::Sender<Seen>) {
    let place = ROUTING.parse().ok().and_then(|key: Key| store.place(&key));
    let mut before = None;
    let mut last_told: Option<Seen> = None;
    for look in 0_u32.. {
        let now = place.as_deref().map(Stamp::of);
        if now.is_none() || now != before || look.is_multiple_of(READ_ANYWAY) {
            before = now;
            let seen = read(store);
            if last_told.as_ref() != Some(&seen) {
                if told.blocking_send(seen.clone()).is_err() {
                    return;
                }
                last_told = Some(seen);
            }
        }
        if told.is_closed() {
            return;
        }
        std::thread::sleep(LOOK);
    }
}

fn read(store: &dyn Store) -> Seen {
    Routing::read(store).map(|found| found.map(|(routing, _)| routing)).map_err(|error| match error
    {
        RoutingError::Malformed { .. } => error.to_string(),
        error => format!("{:#}", anyhow::Error::from(error)),
    })
}

/// What changes about a file when it is replaced or written.
#[derive(Debug, PartialEq, Eq)]
struct Stamp(Option<(u64, u64, i64, i64, i64, i64)>);

impl Stamp {
    fn of(path: &Path) -> Stamp {
        Stamp(fs::metadata(path).ok().map(|it| {
            (it.ino(), it.size(), it.mtime(), it.mtime_nsec(), it.ctime(), it.ctime_nsec())
        }))
    }
}

//! Says in the store that this edge is running, for as long as it is.

use crate::process_id::{ProcessId, is_running};
use anyhow::Context;
use release::store::{Store, edge_presence};
use release::{EdgePresence, PRESENCE_REFRESH_SECONDS};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

/// The presence of this process. `listen` and `admin` are URLs.
pub fn of_this_process(
    environment: &str,
    listen: String,
    admin: String,
) -> anyhow::Result<EdgePresence> {
    let process = ProcessId::of(std::process::id()).context("failed to read /proc/self/stat")?;
    let host = host();
    Ok(EdgePresence {
        // Unique on this machine, and with its name beyond.
        instance: format!("{host}-{}-{}", process.pid, process.start_ticks),
        host,
        pid: process.pid,
        start_ticks: process.start_ticks,
        listen,
        admin,
        environment: environment.to_owned(),
        seen_at: jiff::Timestamp::now().to_string(),
    })
}

/// The name of this machine, in characters that a store's key can have.
pub fn host() -> String {
    let name = rustix::system::uname();
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '-' };
    let name: String = name.nodename().to_string_lossy().chars().map(plain).collect();
    if name.is_empty() { "localhost".to_owned() } else { name }
}

/// Whether it is of a process of this machine that runs now.
pub fn is_here(presence: &EdgePresence) -> bool {
    let process = ProcessId { pid: presence.pid, start_ticks: presence.start_ticks };
    presence.host == host() && is_running(process)
}

/// Takes back what edges of this machine said that were killed.
///
/// # Errors
/// When the store cannot be read or written.
pub fn clear(store: &dyn Store) -> anyhow::Result<()> {
    let host = host();
    for presence in EdgePresence::all(store)? {
        if presence.host == host && !is_here(&presence) {
            presence.remove(store)?;
        }
    }
    Ok(())
}

/// Renews a presence until it is given up. A store that cannot be written is complained about once.
pub async fn renew(store: Arc<dyn Store>, mut presence: EdgePresence) {
    let pause = Duration::from_secs(PRESENCE_REFRESH_SECONDS);
    let mut ticks = interval_at(Instant::now() + pause, pause);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut was_written = true;
    loop {
        ticks.tick().await;
        presence.seen_at = jiff::Timestamp::now().to_string();
        let (store, written) = (Arc::clone(&store), presence.clone());
        let result = tokio::task::spawn_blocking(move || write_again(&*store, &written)).await;
        let error = match result {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(format!("{error:#}")),
            Err(error) => Some(error.to_string()),
        };
        if let Some(error) = error.as_ref().filter(|_| was_written) {
            say!("warning: failed to say in the store that this edge is running: {error}");
        }
        was_written = error.is_none();
    }
}

/// Never makes a store that is gone: in its place, one that is moved or mounted back would find another.
fn write_again(store: &dyn Store, presence: &EdgePresence) -> anyhow::Result<()> {
    let place = store.place(&edge_presence(&presence.instance));
    if let Some(folder) = place.as_deref().and_then(Path::parent)
        && !folder.is_dir()
    {
        anyhow::bail!("{} is gone", folder.display());
    }
    Ok(presence.write(store)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use release::store::Directory;
    use std::fs;

    #[test]
    fn a_store_that_is_away_finds_its_place_free_when_it_comes_back() {
        let root = tempfile::tempdir().unwrap();
        let (place, away) = (root.path().join("store"), root.path().join("away"));
        let store = Directory::new(&place);
        let presence =
            of_this_process("test", "http://a".to_owned(), "http://b".to_owned()).unwrap();
        presence.write(&store).unwrap();
        fs::rename(&place, &away).unwrap();
        let error = write_again(&store, &presence).unwrap_err().to_string();
        assert!(error.ends_with("store/edges is gone"), "{error}");
        presence.remove(&store).unwrap();
        assert!(!place.exists(), "it is nobody's to make");

        fs::rename(&away, &place).unwrap();
        presence.remove(&store).unwrap();
        write_again(&store, &presence).unwrap();
        assert_eq!(EdgePresence::all(&store).unwrap(), [presence]);
    }
}

//! Says in the store that this edge is running, for as long as it is.

use crate::process_id::{ProcessId, is_running};
use anyhow::Context;
use release::store::Store;
use release::{EdgePresence, PRESENCE_REFRESH_SECONDS};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

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
    let mut ticks = interval(Duration::from_secs(PRESENCE_REFRESH_SECONDS));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut was_written = true;
    loop {
        ticks.tick().await;
        presence.seen_at = jiff::Timestamp::now().to_string();
        let (store, written) = (Arc::clone(&store), presence.clone());
        let result = tokio::task::spawn_blocking(move || written.write(&*store)).await;
        let error = match result {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(format!("{:#}", anyhow::Error::from(error))),
            Err(error) => Some(error.to_string()),
        };
        if let Some(error) = error.as_ref().filter(|_| was_written) {
            eprintln!("warning: failed to say in the store that this edge is running: {error}");
        }
        was_written = error.is_none();
    }
}

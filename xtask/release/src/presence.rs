//! What a running edge says of itself in its environment's store, so that a promoter finds it.

use crate::store::{Key, Store, StoreError, edge_presence};
use serde::{Deserialize, Serialize};

/// Between two refreshments of a presence, in seconds.
pub const PRESENCE_REFRESH_SECONDS: u64 = 2;

/// A running edge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EdgePresence {
    /// Unique among all edges.
    pub instance: String,
    /// The machine that it runs on.
    pub host: String,
    pub pid: u32,
    /// When the process was started, in clock ticks since its machine was: with the pid, it names one
    /// process.
    pub start_ticks: u64,
    /// URL at which it serves.
    pub listen: String,
    /// URL at which it is asked for its state.
    pub admin: String,
    pub environment: String,
    /// RFC 3339, UTC; renewed every [`PRESENCE_REFRESH_SECONDS`].
    pub seen_at: String,
}

impl EdgePresence {
    /// All edges that said they are running; whether they still are, their `seen_at` tells.
    ///
    /// # Errors
    /// When the store cannot be read. What is no presence is passed over.
    pub fn all(store: &dyn Store) -> Result<Vec<EdgePresence>, StoreError> {
        let mut found = Vec::new();
        for key in store.list(&Key::plain("edges"))? {
            if let Some(stored) = store.read(&key)?
                && let Ok(presence) = serde_json::from_slice(&stored.bytes)
            {
                found.push(presence);
            }
        }
        Ok(found)
    }

    /// Writes it, in the place of what this instance said before.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn write(&self, store: &dyn Store) -> Result<(), StoreError> {
        let key = edge_presence(&self.instance);
        let json = serde_json::to_vec_pretty(self)
            .map_err(|error| StoreError::io("encode", key.as_str().as_ref())(error.into()))?;
        match store.read(&key)? {
            Some(stored) => store.replace(&key, &json, &stored.etag),
            None => store.create(&key, &json),
        }
        .map(|_| ())
    }

    /// Takes it back.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn remove(&self, store: &dyn Store) -> Result<(), StoreError> {
        store.delete(&edge_presence(&self.instance))
    }
}

//! What the edges of an environment say of themselves, for people.

use crate::edge_target::EdgeTarget;
use crate::http::Http;
use crate::places::Place;
use release::EdgePresence;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Longest wait for an edge's answer: it has all of it in memory.
const TIMEOUT: Duration = Duration::from_secs(2);

/// An edge, and what it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EdgeView {
    pub instance: String,
    pub host: String,
    pub pid: u32,
    /// Where it serves.
    pub listen: String,
    /// Of the routing that it follows.
    pub generation: Option<u64>,
    pub releases: BTreeMap<String, ReleaseView>,
    /// Why it could not be asked.
    pub problem: Option<String>,
}

/// A release at an edge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseView {
    /// `loading`, `ready`, `failed`, `draining`.
    pub state: String,
    #[serde(default)]
    pub reason: Option<String>,
    /// `live`, `candidate`, `previous`.
    #[serde(default)]
    pub role: Option<String>,
    /// How often its server was started anew.
    #[serde(default)]
    pub restarts: u64,
}

#[derive(Debug, Deserialize)]
struct Status {
    generation: Option<u64>,
    #[serde(default)]
    releases: BTreeMap<String, ReleaseView>,
}

/// The edges of an environment; none when nothing runs.
///
/// # Errors
/// When the store cannot be read.
pub fn look(root: &Path, place: &Place) -> anyhow::Result<Vec<EdgeView>> {
    let store = Arc::clone(&place.store);
    let target = EdgeTarget::new(store, &place.name, &place.settings, root);
    let http = Http::new(TIMEOUT);
    Ok(target.edges()?.into_iter().map(|edge| ask(&http, edge)).collect())
}

/// The oldest generation of the routing that an edge follows; `None` when there is no edge to ask.
///
/// # Errors
/// When the store cannot be read.
pub fn generation(root: &Path, place: &Place) -> anyhow::Result<Option<u64>> {
    let edges = look(root, place)?;
    Ok(edges
        .iter()
        .filter(|edge| edge.problem.is_none())
        .map(|it| it.generation.unwrap_or(0))
        .min())
}

fn ask(http: &Http, edge: EdgePresence) -> EdgeView {
    let url = format!("{}/status", edge.admin.trim_end_matches('/'));
    let status = http.get(&url, &[], None).map_err(|error| error.to_string());
    let status = status.and_then(|bytes| {
        serde_json::from_slice::<Status>(&bytes).map_err(|error| error.to_string())
    });
    let (generation, releases, problem) = match status {
        Ok(status) => (status.generation, status.releases, None),
        Err(problem) => (None, BTreeMap::new(), Some(problem)),
    };
    let EdgePresence { instance, host, pid, listen, .. } = edge;
    EdgeView { instance, host, pid, listen, generation, releases, problem }
}

//! What the edges of an environment say of themselves, for people.

use crate::edge_target::EdgeTarget;
use crate::http::Http;
use crate::places::Place;
use release::{EdgePresence, ReleaseId};
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
    /// What it gives the live traffic to: not what is live while that is loaded, or cannot be.
    pub serving: Option<String>,
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

/// Whether the edges do what a routing asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Following {
    NoEdge,
    All,
    /// One does not, for this reason.
    NotYet(String),
}

#[derive(Debug, Default, Deserialize)]
struct Status {
    generation: Option<u64>,
    #[serde(default)]
    serving: Option<String>,
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

/// Whether the edges give the live traffic to a release, by this generation of the routing or a later
/// one.
///
/// # Errors
/// When the store cannot be read.
pub fn following(
    root: &Path,
    place: &Place,
    generation: u64,
    live: Option<&ReleaseId>,
) -> anyhow::Result<Following> {
    let edges = look(root, place)?;
    if edges.is_empty() {
        return Ok(Following::NoEdge);
    }
    let behind = edges.iter().find_map(|edge| edge.behind(generation, live));
    Ok(behind.map_or(Following::All, Following::NotYet))
}

impl EdgeView {
    /// Why it does not give the live traffic to a release.
    fn behind(&self, generation: u64, live: Option<&ReleaseId>) -> Option<String> {
        let EdgeView { instance, pid, .. } = self;
        let who = format!("edge {instance} (process {pid})");
        if let Some(problem) = &self.problem {
            return Some(format!("{who} does not answer: {problem}"));
        }
        let seen = self.generation.unwrap_or(0);
        if seen < generation {
            return Some(format!("{who}: expected generation {generation}, found {seen}"));
        }
        let live = live?;
        if self.serving.as_deref() == Some(live.as_str()) {
            return None;
        }
        let serving = self.serving.as_deref().unwrap_or("nothing");
        let known = self.releases.get(live.as_str());
        let state = known.map_or("not there", |release| release.state.as_str());
        let reason = known.and_then(|release| release.reason.as_deref());
        let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
        Some(format!("{who} goes on serving {serving}, because {live} is {state}{reason}"))
    }
}

fn ask(http: &Http, edge: EdgePresence) -> EdgeView {
    let url = format!("{}/status", edge.admin.trim_end_matches('/'));
    let status = http.get(&url, &[], None).map_err(|error| error.to_string());
    let status = status.and_then(|bytes| {
        serde_json::from_slice::<Status>(&bytes).map_err(|error| error.to_string())
    });
    let (Status { generation, serving, releases }, problem) = match status {
        Ok(status) => (status, None),
        Err(problem) => (Status::default(), Some(problem)),
    };
    let EdgePresence { instance, host, pid, listen, .. } = edge;
    EdgeView { instance, host, pid, listen, generation, serving, releases, problem }
}

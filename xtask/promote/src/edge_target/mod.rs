//! The edge as a rollout's target: found by what running edges say in the store, asked at their admin
//! addresses, started when none runs.

mod alive;
mod start;
mod status;

use crate::http::Http;
use crate::target::{LOAD_LIMIT, Readiness, Target, TargetError};
use crate::tool::Tools;
use analysis::Snapshot;
use config::Environment;
use release::store::Store;
use release::{EdgePresence, ReleaseId};
use status::EdgeStatus;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Longest wait for an edge's answer: it has all of it in memory.
const ADMIN_TIMEOUT: Duration = Duration::from_secs(3);

/// All edges that serve an environment.
#[derive(Debug)]
pub struct EdgeTarget {
    store: Arc<dyn Store>,
    environment: String,
    listen: SocketAddr,
    /// What a server has to be ready, where the environment says so.
    ready_within: Duration,
    root: PathBuf,
    http: Http,
    tools: Tools,
}

impl EdgeTarget {
    /// Of the environment `name` of the project at `root`, whose store is `store`.
    pub fn new(
        store: Arc<dyn Store>,
        name: &str,
        environment: &Environment,
        root: &Path,
    ) -> EdgeTarget {
        EdgeTarget {
            store,
            environment: name.to_owned(),
            listen: environment.listen.0,
            ready_within: environment.ready_within.map_or(Duration::ZERO, |within| within.0),
            root: root.to_path_buf(),
            http: Http::new(ADMIN_TIMEOUT),
            tools: Tools::of_this_program(),
        }
    }

    /// The same, with the edge's program from elsewhere.
    #[must_use]
    pub fn with_tools(self, tools: Tools) -> EdgeTarget {
        EdgeTarget { tools, ..self }
    }

    /// The edges that run, by instance.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn edges(&self) -> Result<Vec<EdgePresence>, TargetError> {
        let all = EdgePresence::all(&*self.store).map_err(|error| {
            let error = anyhow::Error::from(error);
            TargetError(format!("failed to look for edges in the store: {error:#}"))
        })?;
        let now = jiff::Timestamp::now();
        Ok(all.into_iter().filter(|edge| alive::is_alive(edge, now)).collect())
    }

    /// The address at which a release is reached on purpose, whatever its share; on this machine.
    ///
    /// # Errors
    /// When no edge of this machine offers one: it has not loaded the release, or none runs here.
    pub fn candidate_url(&self, release: &ReleaseId) -> Result<String, TargetError> {
        let edges = self.running()?;
        let mut problem = None;
        for edge in edges.iter().filter(|edge| alive::is_here(edge)) {
            match self.status(edge) {
                Ok(status) => {
                    let known = status.releases.get(release.as_str());
                    if let Some(url) = known.and_then(|known| known.url.clone()) {
                        return Ok(url);
                    }
                }
                Err(error) => problem = Some(error),
            }
        }
        Err(problem.unwrap_or_else(|| {
            TargetError(format!("no edge on this machine offers an address for release {release}"))
        }))
    }

    /// The folder of the servers' data on this machine: of an edge that runs here; the one that it
    /// would have when none runs at all. `None` when all run elsewhere.
    pub fn data_folder(&self) -> Option<PathBuf> {
        let edges = self.edges().ok()?;
        if edges.is_empty() {
            let folder = config::edge_folder(&self.root, &self.environment);
            return Some(folder.join(config::EDGE_DATA));
        }
        let mut here = edges.iter().filter(|edge| alive::is_here(edge));
        here.find_map(|edge| self.status(edge).ok()?.data)
    }

    /// What all edges have counted so far, by instance.
    ///
    /// # Errors
    /// When an edge cannot be asked.
    pub fn snapshots(&self) -> Result<Vec<(String, Snapshot)>, TargetError> {
        let ask = |edge: &EdgePresence| {
            let bytes = self.ask(edge, "/metrics.json")?;
            let snapshot = Snapshot::parse(&bytes)
                .map_err(|error| TargetError(format!("edge {}: {error}", edge.instance)))?;
            Ok((edge.instance.clone(), snapshot))
        };
        self.running()?.iter().map(ask).collect()
    }

    /// The edges that run; at least one.
    fn running(&self) -> Result<Vec<EdgePresence>, TargetError> {
        let edges = self.edges()?;
        if edges.is_empty() {
            let name = &self.environment;
            return Err(TargetError(format!(
                "no edge serves {name}; `cargo xtask edge --env {name}` starts one"
            )));
        }
        Ok(edges)
    }

    fn statuses(&self) -> Result<Vec<EdgeStatus>, TargetError> {
        self.running()?.iter().map(|edge| self.status(edge)).collect()
    }

    fn status(&self, edge: &EdgePresence) -> Result<EdgeStatus, TargetError> {
        let bytes = self.ask(edge, "/status")?;
        serde_json::from_slice(&bytes).map_err(|error| {
            TargetError(format!("expected the status of edge {}: {error}", edge.instance))
        })
    }

    fn ask(&self, edge: &EdgePresence, path: &str) -> Result<Vec<u8>, TargetError> {
        let url = format!("{}{path}", edge.admin.trim_end_matches('/'));
        self.http
            .get(&url, &[], None)
            .map_err(|error| TargetError(format!("edge {} at {url}: {error}", edge.instance)))
    }
}

impl Target for EdgeTarget {
    fn ensure_running(&self, is_stopped: &dyn Fn() -> bool) -> Result<(), TargetError> {
        if !self.edges()?.is_empty() {
            return Ok(());
        }
        // It loads what is live before it says that it runs.
        let limit = start::START_LIMIT + self.ready_within;
        start::start(&self.tools, &self.environment, self.listen, &self.root, limit, is_stopped)?;
        start::wait(|| Ok(!self.edges()?.is_empty()), &self.environment, limit, is_stopped)
    }

    fn readiness(&self, release: &ReleaseId) -> Result<Readiness, TargetError> {
        let all = self.statuses()?;
        let worst = all.iter().map(|status| status.readiness(release)).max_by_key(badness);
        Ok(worst.unwrap_or(Readiness::Unknown))
    }

    fn generation(&self) -> Result<u64, TargetError> {
        let all = self.statuses()?;
        Ok(all.iter().map(|status| status.generation.unwrap_or(0)).min().unwrap_or(0))
    }

    fn load_limit(&self) -> Duration {
        LOAD_LIMIT + self.ready_within
    }
}

fn badness(readiness: &Readiness) -> u8 {
    match readiness {
        Readiness::Ready => 0,
        Readiness::Loading => 1,
        Readiness::Unknown => 2,
        Readiness::Down(_) => 3,
        Readiness::Failed(_) => 4,
    }
}

//! An edge's `/status`, as far as a rollout looks at it.

use crate::target::Readiness;
use release::ReleaseId;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What an edge says of itself. Keys that are not known are left alone: an edge may be newer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct EdgeStatus {
    /// Of the routing that it follows; `None` before the first.
    pub generation: Option<u64>,
    /// Folder of the servers' data on the edge's machine.
    #[serde(default)]
    pub data: Option<PathBuf>,
    #[serde(default)]
    pub releases: BTreeMap<String, ReleaseStatus>,
}

/// What an edge says of a release.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ReleaseStatus {
    pub state: State,
    #[serde(default)]
    pub reason: Option<String>,
    /// A loopback address of the edge's machine that gives this release and no other.
    #[serde(default)]
    pub url: Option<String>,
}

/// Where a release is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Loading,
    Ready,
    Failed,
    Draining,
    /// What only a newer edge knows.
    #[serde(other)]
    Other,
}

impl EdgeStatus {
    pub fn readiness(&self, release: &ReleaseId) -> Readiness {
        let Some(status) = self.releases.get(release.as_str()) else { return Readiness::Unknown };
        match status.state {
            State::Ready => Readiness::Ready,
            // What was never ready has no reason yet.
            State::Loading => status.reason.clone().map_or(Readiness::Loading, Readiness::Down),
            State::Other => Readiness::Loading,
            State::Draining => Readiness::Unknown,
            State::Failed => {
                let reason = status.reason.clone();
                Readiness::Failed(reason.unwrap_or_else(|| "the edge does not say why".to_owned()))
            }
        }
    }
}

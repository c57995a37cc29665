//! One release that the edge has to do with, and where it is on its way.

use super::load::Loaded;
use crate::slot::Slot;
use crate::status::{Health, Known, Phase, Role};
use release::ReleaseId;
use release::routing::Routing;
use std::sync::Arc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// A release that the edge has to do with.
#[derive(Debug)]
pub struct Entry {
    pub state: State,
    pub health: Arc<Health>,
    /// How often loading it failed, one after the other.
    pub failures: u32,
}

/// Where a release is on its way, with what it has there.
#[derive(Debug)]
pub enum State {
    Loading(JoinHandle<()>),
    Ready(Box<Loaded>),
    Failed { reason: String, retry_at: Instant },
    Draining { loaded: Box<Loaded>, until: Instant },
}

impl Entry {
    /// Set when it may be routed to.
    pub fn slot(&self) -> Option<&Arc<Slot>> {
        match &self.state {
            State::Ready(loaded) => Some(&loaded.slot),
            State::Loading(_) | State::Failed { .. } | State::Draining { .. } => None,
        }
    }

    /// What is said of it to those who ask; `id` is its release.
    pub fn known(&self, id: &ReleaseId, routing: Option<&Routing>) -> Known {
        let (phase, loaded) = match &self.state {
            State::Loading(_) => (Phase::Loading, None),
            State::Ready(loaded) => (Phase::Ready, Some(loaded)),
            State::Failed { reason, .. } => (Phase::Failed(reason.clone()), None),
            State::Draining { loaded, .. } => (Phase::Draining, Some(loaded)),
        };
        Known {
            phase,
            role: routing.and_then(|routing| role(routing, id)),
            health: Arc::clone(&self.health),
            url: loaded.map(|loaded| loaded.pinned.url.clone()),
        }
    }
}

fn role(routing: &Routing, id: &ReleaseId) -> Option<Role> {
    if routing.live.as_ref() == Some(id) {
        Some(Role::Live)
    } else if routing.candidate.as_ref().is_some_and(|candidate| candidate.release == *id) {
        Some(Role::Candidate)
    } else if routing.previous.as_ref() == Some(id) {
        Some(Role::Previous)
    } else {
        None
    }
}

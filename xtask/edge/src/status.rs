//! What the edge says of itself: which release is in which state, and why.

use crate::slot::Slot;
use jiff::Timestamp;
use release::ReleaseId;
use release::routing::Routing;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Where the edge is with its releases; made anew with each change.
#[derive(Debug, Default)]
pub struct Report {
    pub routing: Option<Routing>,
    /// Why the routing document as it is now is not followed.
    pub routing_error: Option<String>,
    pub releases: BTreeMap<ReleaseId, Known>,
}

/// A release that the edge has to do with.
#[derive(Debug, Clone)]
pub struct Known {
    pub phase: Phase,
    pub role: Option<Role>,
    pub health: Arc<Health>,
    /// The address at which it is reached on purpose.
    pub url: Option<String>,
}

/// Where a release is on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    Loading,
    Ready,
    Failed(String),
    Draining,
}

/// What the routing says of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Live,
    Candidate,
    Previous,
}

/// How the server of a release fares.
#[derive(Debug, Default)]
pub struct Health {
    restarts: AtomicU32,
    /// Why it is down, and whether that has become too often.
    down: Mutex<Option<(String, bool)>>,
}

/// The JSON of `/status`.
#[derive(Debug, Serialize)]
pub struct Status<'a> {
    instance: &'a str,
    environment: &'a str,
    /// Folder of the servers' data.
    data: &'a Path,
    generation: Option<u64>,
    live: Option<&'a ReleaseId>,
    candidate: Option<&'a ReleaseId>,
    /// In per mille.
    candidate_share: Option<u16>,
    previous: Option<&'a ReleaseId>,
    /// The release that gets the live traffic now: not `live` while that one is being loaded, or when
    /// it failed.
    serving: Option<&'a ReleaseId>,
    routing_error: Option<&'a str>,
    /// What connections are shown; `null` without TLS.
    certificate: Option<CertificateStatus>,
    releases: BTreeMap<&'a ReleaseId, ReleaseStatus>,
}

#[derive(Debug, Serialize)]
struct CertificateStatus {
    /// RFC 3339.
    not_after: String,
}

#[derive(Debug, Serialize)]
struct ReleaseStatus {
    state: &'static str,
    reason: Option<String>,
    restarts: u32,
    role: Option<Role>,
    /// A loopback address that gives this release and no other.
    url: Option<String>,
}

impl Health {
    pub fn is_up(&self) {
        *self.down.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// `has_failed`: it will hardly come back by itself.
    pub fn is_down(&self, reason: String, has_failed: bool) {
        *self.down.lock().unwrap_or_else(PoisonError::into_inner) = Some((reason, has_failed));
    }

    pub fn has_failed(&self) -> bool {
        let down = self.down.lock().unwrap_or_else(PoisonError::into_inner);
        matches!(&*down, Some((_, true)))
    }

    pub fn count_restart(&self) {
        self.restarts.fetch_add(1, Ordering::Relaxed);
    }
}

impl Report {
    /// The JSON of `/status`; `serving` is who gets the live traffic.
    pub fn status<'a>(
        &'a self,
        instance: &'a str,
        environment: &'a str,
        data: &'a Path,
        serving: Option<&'a Arc<Slot>>,
    ) -> Status<'a> {
        let routing = self.routing.as_ref();
        let candidate = routing.and_then(|routing| routing.candidate.as_ref());
        Status {
            instance,
            environment,
            data,
            generation: routing.map(|routing| routing.generation),
            live: routing.and_then(|routing| routing.live.as_ref()),
            candidate: candidate.map(|candidate| &candidate.release),
            candidate_share: candidate.map(|candidate| candidate.share.per_mille()),
            previous: routing.and_then(|routing| routing.previous.as_ref()),
            serving: serving.map(|slot| &slot.id),
            routing_error: self.routing_error.as_deref(),
            certificate: None,
            releases: self.releases.iter().map(|(id, known)| (id, known.status())).collect(),
        }
    }
}

impl Status<'_> {
    /// Says when the certificate expires.
    pub fn with_certificate(self, not_after: Option<Timestamp>) -> Self {
        let certificate = not_after.map(|it| CertificateStatus { not_after: it.to_string() });
        Status { certificate, ..self }
    }
}

impl Known {
    fn status(&self) -> ReleaseStatus {
        let down = self.health.down.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (state, reason) = match (&self.phase, down) {
            (Phase::Loading, _) => ("loading", None),
            (Phase::Failed(reason), _) => ("failed", Some(reason.clone())),
            (Phase::Draining, _) => ("draining", None),
            (Phase::Ready, None) => ("ready", None),
            (Phase::Ready, Some((reason, true))) => ("failed", Some(reason)),
            // Its server is being started again.
            (Phase::Ready, Some((reason, false))) => ("loading", Some(reason)),
        };
        let restarts = self.health.restarts.load(Ordering::Relaxed);
        ReleaseStatus { state, reason, restarts, role: self.role, url: self.url.clone() }
    }
}

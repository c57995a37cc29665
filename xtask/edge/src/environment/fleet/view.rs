//! Who answers requests, as far as the releases are ready.

use super::Fleet;
use crate::environment::entry::{Entry, State};
use crate::site::Site;
use crate::slot::Slot;
use crate::status::Report;
use crate::traffic::Traffic;
use release::ReleaseId;
use std::sync::Arc;

impl Fleet {
    /// The live release when it is ready; else who had the traffic before; at a start with a live
    /// release that cannot be loaded, the one before it.
    pub(super) fn who_serves(&self) -> Option<ReleaseId> {
        let routing = self.routing.as_ref()?;
        let live = routing.live.as_ref()?;
        let is_ready = |id: &ReleaseId| self.slot(id).is_some();
        let has_failed = |id: &ReleaseId| {
            matches!(self.entries.get(id), Some(Entry { state: State::Failed { .. }, .. }))
        };
        if is_ready(live) {
            return Some(live.clone());
        }
        let before = self.serving.as_ref().filter(|id| is_ready(id));
        let previous = routing.previous.as_ref().filter(|id| has_failed(live) && is_ready(id));
        before.or(previous).cloned()
    }

    /// What requests look at from now on.
    pub(super) fn traffic(&self) -> Traffic {
        let candidate = self.routing.as_ref().and_then(|routing| {
            let candidate = routing.candidate.as_ref()?;
            // A candidate that does not come back by itself gets nobody; the gates see why.
            let entry =
                self.entries.get(&candidate.release).filter(|it| !it.health.has_failed())?;
            entry.slot().map(|slot| (Arc::clone(slot), candidate.share))
        });
        Traffic {
            live: self.serving.as_ref().and_then(|id| self.slot(id)).map(Arc::clone),
            candidate,
            slots: self.ready_slots(),
            retired: self.gone(),
            salt: self.routing.as_ref().map(|it| it.salt.clone()).unwrap_or_default(),
            report: Report {
                routing: self.routing.clone(),
                routing_error: self.routing_error.clone(),
                releases: self
                    .entries
                    .iter()
                    .map(|(id, it)| (id.clone(), it.known(id, self.routing.as_ref())))
                    .collect(),
            },
        }
    }

    /// The sites of releases that get no traffic any more, those that still drain first.
    fn gone(&self) -> Vec<Arc<Site>> {
        let draining = self.entries.values().filter_map(|entry| match &entry.state {
            State::Draining { loaded, .. } => Some(Arc::clone(&loaded.slot.answers.site)),
            State::Loading(_) | State::Ready(_) | State::Failed { .. } => None,
        });
        draining.chain(self.retired.sites()).collect()
    }

    fn ready_slots(&self) -> Vec<Arc<Slot>> {
        self.entries.values().filter_map(|entry| entry.slot().map(Arc::clone)).collect()
    }

    fn slot(&self, id: &ReleaseId) -> Option<&Arc<Slot>> {
        self.entries.get(id).and_then(Entry::slot)
    }
}

//! What is done with a release: loaded, let go, drained, ended.

use super::{Done, Fleet};
use crate::environment::entry::{Entry, State};
use crate::environment::load;
use crate::status::Health;
use release::ReleaseId;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How long requests that are under way may keep a release that is gone from the routing.
const DRAIN: Duration = Duration::from_secs(30);

impl Fleet {
    /// Sees to it that a release that the routing names is there or on its way.
    pub(super) fn want(&mut self, id: &ReleaseId) {
        match self.entries.remove(id) {
            None => {
                let entry = self.load(id, Arc::default(), 0);
                self.entries.insert(id.clone(), entry);
            }
            Some(Entry { state: State::Draining { loaded, .. }, health, failures }) => {
                let state = State::Ready(loaded);
                self.entries.insert(id.clone(), Entry { state, health, failures });
            }
            Some(Entry { state: State::Failed { retry_at, .. }, health, failures })
                if retry_at <= Instant::now() =>
            {
                let entry = self.load(id, health, failures);
                self.entries.insert(id.clone(), entry);
            }
            Some(entry) => {
                self.entries.insert(id.clone(), entry);
            }
        }
    }

    fn load(&self, id: &ReleaseId, health: Arc<Health>, failures: u32) -> Entry {
        let loading = load::load(
            Arc::clone(&self.store),
            id.clone(),
            self.launch.clone(),
            Arc::clone(&self.edge),
            Arc::clone(&health),
            Arc::clone(&self.news),
        );
        let (id, results) = (id.clone(), self.results.clone());
        let task = tokio::spawn(async move {
            let result = loading.await.map(Box::new).map_err(|error| format!("{error:#}"));
            // Fails when the fleet has ended: then nobody wants it any more.
            let _ = results.send(Done::Loaded(id, result)).await;
        });
        Entry { state: State::Loading(task), health, failures }
    }

    /// A release that nobody needs gets nothing new.
    pub(super) fn let_go(&mut self, id: &ReleaseId) {
        let Some(entry) = self.entries.remove(id) else { return };
        let until = Instant::now() + DRAIN;
        match entry.state {
            State::Loading(task) => task.abort(),
            // No page of it was ever seen, unless it was here before.
            State::Failed { .. } if !self.retired.has(id) => self.retired.delete(id),
            State::Failed { .. } => {}
            State::Ready(loaded) => {
                let entry = Entry { state: State::Draining { loaded, until }, ..entry };
                self.entries.insert(id.clone(), entry);
            }
            State::Draining { .. } => {
                self.entries.insert(id.clone(), entry);
            }
        }
    }

    /// Ends what no request is in any more, or has been drained for too long.
    pub(super) fn end_drained(&mut self) {
        let now = Instant::now();
        let is_over = |entry: &Entry| match &entry.state {
            // A request holds the slot until the end of its answer.
            State::Draining { loaded, until } => {
                Arc::strong_count(&loaded.slot) == 1 || *until <= now
            }
            _ => false,
        };
        let over: Vec<ReleaseId> = self
            .entries
            .iter()
            .filter(|(_, entry)| is_over(entry))
            .map(|(id, _)| id.clone())
            .collect();
        for id in over {
            let Some(Entry { state: State::Draining { loaded, .. }, .. }) =
                self.entries.remove(&id)
            else {
                continue;
            };
            if Arc::strong_count(&loaded.slot) > 1 {
                say!("warning: release {id} still had requests after {DRAIN:?}");
            }
            let is_wanted = |id: &ReleaseId| self.entries.contains_key(id);
            let unneeded = self.retired.add(&id, &loaded, is_wanted);
            if let Some(server) = loaded.server {
                tokio::spawn(server.stop());
            }
            let traffic = self.traffic();
            self.edge.route(traffic);
            // After the traffic: nobody looks there any more.
            unneeded.iter().for_each(|id| self.retired.delete(id));
        }
    }
}

//! The releases of an environment on one edge: loaded when the routing names them, routed to when
//! they are ready, drained and ended when it names them no more.
//!
//! Invariants: traffic goes only to releases that were proved and are ready; until a new live one is,
//! the one before keeps answering; no server is ended while a request is in it, within a bound.

mod moves;
mod view;

use super::entry::{Entry, State};
use super::load::Loaded;
use super::retired::{self, Retired};
use super::supervise::Launch;
use super::watch::Seen;
use crate::edge::Edge;
use crate::site::Site;
use release::ReleaseId;
use release::routing::Routing;
use release::store::Store;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior};

/// Between two looks at what is drained or to be tried again.
const TICK: Duration = Duration::from_millis(50);

/// The wait before a release is loaded again that failed to: doubled each time, up to a bound.
const FIRST_RETRY: Duration = Duration::from_secs(2);
const LAST_RETRY: Duration = Duration::from_secs(60);

/// Loads that are finished and not yet taken note of: there are three roles.
const QUEUE: usize = 16;

/// What was done beside.
#[derive(Debug)]
pub enum Done {
    Loaded(ReleaseId, Result<Box<Loaded>, String>),
    /// The files of the releases that an edge before this one had.
    Restored(Vec<(ReleaseId, Arc<Site>)>),
}

/// The releases of an environment on one edge.
#[derive(Debug)]
pub struct Fleet {
    edge: Arc<Edge>,
    store: Arc<dyn Store>,
    launch: Launch,
    routing: Option<Routing>,
    routing_error: Option<String>,
    /// Whether the store was asked for its routing.
    has_looked: bool,
    entries: BTreeMap<ReleaseId, Entry>,
    /// The release that gets the live traffic.
    serving: Option<ReleaseId>,
    retired: Retired,
    news: Arc<Notify>,
    results: mpsc::Sender<Done>,
    /// Becomes true when the first routing has been seen and its live release is ready or failed.
    settled: watch::Sender<bool>,
}

impl Fleet {
    /// `settled` becomes true when there is nothing left to wait for before clients are let in.
    pub fn new(
        edge: Arc<Edge>,
        store: Arc<dyn Store>,
        launch: Launch,
    ) -> (Fleet, mpsc::Receiver<Done>, watch::Receiver<bool>) {
        let (results, receiver) = mpsc::channel(QUEUE);
        let (settled, is_settled) = watch::channel(false);
        let retired = Retired::new(launch.folder.clone());
        let fleet = Fleet {
            edge,
            store,
            launch,
            routing: None,
            routing_error: None,
            has_looked: false,
            entries: BTreeMap::new(),
            serving: None,
            retired,
            news: Arc::default(),
            results,
            settled,
        };
        (fleet, receiver, is_settled)
    }

    /// Follows the routing until `stop`; then ends all servers.
    pub async fn run(
        mut self,
        mut seen: mpsc::Receiver<Seen>,
        mut results: mpsc::Receiver<Done>,
        stop: impl Future<Output = ()>,
    ) {
        let mut stop = std::pin::pin!(stop);
        let news = Arc::clone(&self.news);
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = &mut stop => break,
                Some(seen) = seen.recv() => self.take_routing(seen),
                Some(done) = results.recv() => self.take(done),
                () = news.notified() => {}
                _ = ticks.tick() => {
                    if !self.has_work() {
                        continue;
                    }
                }
            }
            self.go_on();
        }
        self.end().await;
    }

    /// Looks for what an edge before this one had, beside all else.
    fn restore(&self) {
        let (folder, results) = (self.launch.folder.clone(), self.results.clone());
        let wanted = self.wanted();
        tokio::task::spawn_blocking(move || match retired::restore(&folder, &wanted) {
            // Fails when the fleet has ended.
            Ok(restored) => drop(results.blocking_send(Done::Restored(restored))),
            Err(error) => say!("warning: {error:#}"),
        });
    }

    fn take_routing(&mut self, seen: Seen) {
        match seen {
            Ok(None) if self.routing.is_some() => {
                let error = "routing.json is gone".to_owned();
                say!("error: {error}; the routing before stays in effect");
                self.routing_error = Some(error);
            }
            Ok(routing) => {
                self.routing = routing;
                self.routing_error = None;
                // It was written by someone who may have mended the store.
                for entry in self.entries.values_mut() {
                    if let State::Failed { retry_at, .. } = &mut entry.state {
                        *retry_at = Instant::now();
                    }
                }
            }
            Err(error) => {
                say!("error: {error}; the routing before stays in effect");
                self.routing_error = Some(error);
            }
        }
        if !std::mem::replace(&mut self.has_looked, true) {
            self.restore();
        }
    }

    fn wanted(&self) -> Vec<ReleaseId> {
        self.routing.iter().flat_map(|routing| routing.releases().cloned()).collect()
    }

    fn take(&mut self, done: Done) {
        match done {
            Done::Loaded(id, result) => self.take_loaded(&id, result),
            Done::Restored(mut restored) => {
                restored.retain(|(id, _)| !self.entries.contains_key(id));
                self.retired.take_over(restored);
            }
        }
    }

    fn take_loaded(&mut self, id: &ReleaseId, result: Result<Box<Loaded>, String>) {
        // It may have been let go meanwhile, or been let go, wanted again and loaded already.
        let Some(entry) = self.entries.get_mut(id) else { return };
        let State::Loading(_) = entry.state else { return };
        match result {
            Ok(loaded) => {
                self.retired.forget(id);
                entry.failures = 0;
                entry.state = State::Ready(loaded);
            }
            Err(reason) => {
                say!("error: release {id} cannot be loaded: {reason}");
                let wait = FIRST_RETRY.saturating_mul(1 << entry.failures.min(8)).min(LAST_RETRY);
                entry.failures += 1;
                entry.state = State::Failed { reason, retry_at: Instant::now() + wait };
            }
        }
    }

    /// Whether time alone may change something.
    fn has_work(&self) -> bool {
        self.entries.values().any(|entry| match &entry.state {
            State::Draining { .. } => true,
            State::Failed { retry_at, .. } => *retry_at <= Instant::now(),
            State::Loading(_) | State::Ready(_) => false,
        })
    }

    /// Does what the routing asks for, as far as it can be done now.
    fn go_on(&mut self) {
        let wanted = self.wanted();
        for id in &wanted {
            self.want(id);
        }
        self.serving = self.who_serves();
        let unwanted: Vec<ReleaseId> = self
            .entries
            .keys()
            .filter(|id| !wanted.contains(id) && self.serving.as_ref() != Some(id))
            .cloned()
            .collect();
        for id in &unwanted {
            self.let_go(id);
        }
        let traffic = self.traffic();
        self.edge.route(traffic);
        // After the traffic: only now nothing new comes to what is drained.
        self.end_drained();
        self.settle();
    }

    fn settle(&self) {
        let is_loading = |entry: &Entry| matches!(entry.state, State::Loading(_));
        if !self.has_looked {
            return;
        }
        if self.serving.is_some() || !self.entries.values().any(is_loading) {
            self.settled.send_replace(true);
        }
    }

    async fn end(self) {
        let mut ends = Vec::new();
        for entry in self.entries.into_values() {
            match entry.state {
                State::Loading(task) => task.abort(),
                State::Failed { .. } => {}
                State::Ready(loaded) | State::Draining { loaded, .. } => {
                    if let Some(server) = loaded.server {
                        ends.push(tokio::spawn(server.stop()));
                    }
                }
            }
        }
        for end in ends {
            // A task that panicked has dropped its server, and so ended it.
            let _ = end.await;
        }
    }
}

//! The releases of an environment on one edge: loaded when the routing names them, routed to when
//! they are ready, drained and ended when it names them no more.
//!
//! Invariants: traffic goes only to releases that were proved and are ready; until a new live one is,
//! the one before keeps answering; no server is ended while a request is in it, within a bound.

use super::entry::{Entry, State};
use super::load::{self, Loaded};
use super::retired::{self, Retired};
use super::supervise::Launch;
use super::watch::Seen;
use crate::edge::Edge;
use crate::site::Site;
use crate::slot::Slot;
use crate::status::{Health, Report};
use crate::traffic::Traffic;
use release::ReleaseId;
use release::routing::Routing;
use release::store::Store;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior};

/// How long requests that are under way may keep a release that is gone from the routing.
const DRAIN: Duration = Duration::from_secs(30);

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
        self.restore();
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
        tokio::task::spawn_blocking(move || match retired::restore(&folder) {
            // Fails when the fleet has ended.
            Ok(restored) => drop(results.blocking_send(Done::Restored(restored))),
            Err(error) => eprintln!("warning: {error:#}"),
        });
    }

    fn take_routing(&mut self, seen: Seen) {
        self.has_looked = true;
        match seen {
            Ok(None) if self.routing.is_some() => {
                let error = "routing.json is gone".to_owned();
                eprintln!("error: {error}; the routing before stays in effect");
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
                eprintln!("error: {error}; the routing before stays in effect");
                self.routing_error = Some(error);
            }
        }
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
                eprintln!("error: release {id} cannot be loaded: {reason}");
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
        let wanted: Vec<ReleaseId> =
            self.routing.iter().flat_map(|routing| routing.releases().cloned()).collect();
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

    fn want(&mut self, id: &ReleaseId) {
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

    /// The live release when it is ready; else who had the traffic before; at a start with a live
    /// release that cannot be loaded, the one before it.
    fn who_serves(&self) -> Option<ReleaseId> {
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

    fn let_go(&mut self, id: &ReleaseId) {
        let Some(entry) = self.entries.remove(id) else { return };
        let until = Instant::now() + DRAIN;
        match entry.state {
            State::Loading(task) => task.abort(),
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
    fn end_drained(&mut self) {
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
                eprintln!("warning: release {id} still had requests after {DRAIN:?}");
            }
            self.retired.add(&id, &loaded);
            if let Some(server) = loaded.server {
                tokio::spawn(server.stop());
            }
            let traffic = self.traffic();
            self.edge.route(traffic);
        }
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

    fn traffic(&self) -> Traffic {
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

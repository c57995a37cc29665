//! Visitors who come at a constant rate, whatever becomes of those before them (an open loop): each
//! takes the page and all that belongs to it, and everything that goes wrong is remembered.

use crate::client::{Client, Failure};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Visitors a second; each asks for three or four things.
const RATE: u32 = 100;

/// So many are served at once. Were all of them busy, the next would come late, which is told.
const CLIENTS: usize = 12;

/// So many failures say enough.
const MAX_FAILURES: usize = 20;

/// The crowd. Dropped: nobody comes any more.
pub struct Visitors {
    shared: Arc<Shared>,
    clients: Vec<JoinHandle<()>>,
}

struct Shared {
    address: SocketAddr,
    /// Asked for after the page, of the release's server.
    server_path: Option<String>,
    began: Instant,
    next: AtomicU32,
    is_over: AtomicBool,
    seen: Mutex<Seen>,
}

/// What they saw.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    pub visits: u32,
    /// Good answers by release.
    pub answers: BTreeMap<String, u32>,
    /// Failed requests by release; empty where nothing says which.
    pub failed: BTreeMap<String, u32>,
    /// The first of them in full, those of each release apart.
    pub failures: BTreeMap<String, Vec<String>>,
    /// Pages whose parts were not of one release.
    pub mixtures: Vec<String>,
    /// The longest that a visitor had to wait for a client.
    pub most_late: Duration,
}

impl Visitors {
    /// Lets them come: half of them over connections that are kept, half over new ones.
    pub fn come(address: SocketAddr, server_path: Option<&str>) -> Visitors {
        let shared = Arc::new(Shared {
            address,
            server_path: server_path.map(str::to_owned),
            began: Instant::now(),
            next: AtomicU32::new(0),
            is_over: AtomicBool::new(false),
            seen: Mutex::default(),
        });
        let client = |number: usize| {
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || shared.serve(number.is_multiple_of(2)))
        };
        let clients = (0..CLIENTS).map(client).collect();
        Visitors { shared, clients }
    }

    pub fn seen(&self) -> Seen {
        self.shared.seen.lock().unwrap().clone()
    }

    /// Waits for this many more good answers of a release.
    pub fn wait_for_answers(&self, release: &str, more: u32) {
        let count = || self.seen().answers.get(release).copied().unwrap_or(0);
        let goal = count() + more;
        crate::project::wait(&format!("{goal} answers of {release}"), || count() >= goal);
    }

    /// Nobody comes any more; what all of them saw.
    pub fn end(mut self) -> Seen {
        self.shared.is_over.store(true, Ordering::Relaxed);
        for client in self.clients.drain(..) {
            client.join().unwrap();
        }
        self.seen()
    }
}

impl Drop for Visitors {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
    }
}

impl Shared {
    fn serve(&self, is_kept: bool) {
        let mut client = Client::new(self.address, is_kept);
        while !self.is_over.load(Ordering::Relaxed) {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let due = self.began + Duration::from_secs(1) * number / RATE;
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            let late = due.elapsed();
            client.forget();
            let visit = self.visit(&mut client);
            let mut seen = self.seen.lock().unwrap();
            seen.visits += 1;
            seen.most_late = seen.most_late.max(late);
            if let Err(failure) = visit {
                *seen.failed.entry(failure.release.clone()).or_default() += 1;
                let failures = seen.failures.entry(failure.release.clone()).or_default();
                if failures.len() < MAX_FAILURES {
                    failures.push(format!("{}: {}", failure.release, failure.why));
                }
            }
        }
    }

    /// The page, then what it names, each line a path and what must be there; then the server.
    fn visit(&self, client: &mut Client) -> Result<(), Failure> {
        let page = self.get(client, "/")?;
        for (path, expected) in page.lines().filter_map(|line| line.split_once(' ')) {
            let found = self.get(client, path)?;
            if found != expected {
                let mixture = format!("{path}: expected {expected:?}, found {found:?}");
                self.seen.lock().unwrap().mixtures.push(mixture);
            }
        }
        if let Some(path) = &self.server_path {
            self.get(client, path)?;
        }
        Ok(())
    }

    fn get(&self, client: &mut Client, path: &str) -> Result<String, Failure> {
        let answer = client.get(path)?;
        *self.seen.lock().unwrap().answers.entry(answer.release).or_default() += 1;
        Ok(String::from_utf8_lossy(&answer.body).into_owned())
    }
}

impl Seen {
    /// All that went wrong for those who did not get this release.
    pub fn failures_beside(&self, release: &str) -> Vec<String> {
        let beside = self.failures.iter().filter(|(of, _)| *of != release);
        beside.flat_map(|(_, failures)| failures.clone()).collect()
    }
}

//! How many connections there may be: in all, and from one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Most connections, when the limit of open files allows so many: each may need one to the server.
const MAX_CONNECTIONS: u64 = 8_192;

/// Files that are open besides connections.
const RESERVED_FILES: u64 = 64;

/// No address takes more than an eighth of all places: a browser needs six, an office behind one
/// address a few hundred, and nobody alone can shut the others out.
const SHARE_OF_ONE_ADDRESS: usize = 8;

/// The places that connections take.
#[derive(Debug)]
pub struct Places {
    all: Arc<Semaphore>,
    taken: Mutex<HashMap<Source, usize>>,
    max_per_source: usize,
}

/// A place that is kept for a connection to come.
#[derive(Debug)]
pub struct Free {
    _permit: OwnedSemaphorePermit,
}

/// A connection's place, given back when it is dropped.
#[derive(Debug)]
pub struct Place {
    _free: Free,
    counted: Option<(Arc<Places>, Source)>,
}

/// What counts as one address: of IPv6, the network that a subscriber gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Source {
    Host([u8; 4]),
    Network([u8; 8]),
}

impl Places {
    /// As many as the limit of open files allows, after raising it as far as one may.
    pub fn of_this_process() -> Arc<Places> {
        let all = max_connections();
        Places::new(all, (all / SHARE_OF_ONE_ADDRESS).max(1))
    }

    fn new(all: usize, max_per_source: usize) -> Arc<Places> {
        let all = Arc::new(Semaphore::new(all));
        Arc::new(Places { all, taken: Mutex::default(), max_per_source })
    }

    /// Waits until there is a place; meanwhile further connections wait in the system's queue.
    pub async fn free(&self) -> Free {
        match Arc::clone(&self.all).acquire_owned().await {
            Ok(permit) => Free { _permit: permit },
            // The semaphore is never closed.
            Err(_) => std::future::pending().await,
        }
    }

    /// A place, if there is one at this moment.
    pub fn free_now(&self) -> Option<Free> {
        Arc::clone(&self.all).try_acquire_owned().ok().map(|permit| Free { _permit: permit })
    }

    /// Gives the place to a connection from `address`; `None` when that has its share already.
    /// One that `is_many`, such as a load balancer, is not counted.
    pub fn take(self: &Arc<Places>, free: Free, address: IpAddr, is_many: bool) -> Option<Place> {
        if is_many {
            return Some(Place { _free: free, counted: None });
        }
        let source = Source::of(address);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(source).or_default();
        if *count >= self.max_per_source {
            return None;
        }
        *count += 1;
        Some(Place { _free: free, counted: Some((Arc::clone(self), source)) })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some((places, source)) = &self.counted else { return };
        let mut taken = places.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(source) {
            *count -= 1;
            if *count == 0 {
                taken.remove(source);
            }
        }
    }
}

impl Source {
    fn of(address: IpAddr) -> Source {
        match address.to_canonical() {
            IpAddr::V4(address) => Source::Host(address.octets()),
            IpAddr::V6(address) => {
                let mut network = [0; 8];
                network.copy_from_slice(&address.octets()[..8]);
                Source::Network(network)
            }
        }
    }
}

/// As many as the limit of open files allows, after raising it as far as one may.
pub fn max_connections() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let files = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    };
    let connections = files.map_or(MAX_CONNECTIONS, |files| {
        (files.saturating_sub(RESERVED_FILES) / 2).clamp(1, MAX_CONNECTIONS)
    });
    usize::try_from(connections).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[tokio::test]
    async fn one_address_gets_its_share_and_no_more() {
        let places = Places::new(10, 2);
        let mut held = Vec::new();
        for from in ["10.0.0.1", "::ffff:10.0.0.1", "2001:db8::1", "2001:db8::ffff:2"] {
            held.push(places.take(places.free().await, address(from), false).unwrap());
        }
        for from in ["10.0.0.1", "2001:db8::3"] {
            assert!(places.take(places.free().await, address(from), false).is_none(), "{from}");
        }
        for from in ["10.0.0.2", "2001:db8:0:1::1"] {
            held.push(places.take(places.free().await, address(from), false).unwrap());
        }
        held.push(places.take(places.free().await, address("10.0.0.1"), true).unwrap());
        held.remove(0);
        assert!(places.take(places.free().await, address("10.0.0.1"), false).is_some());
        held.clear();
        assert!(places.taken.lock().unwrap().is_empty(), "nothing is kept of who has gone");
        assert_eq!(places.all.available_permits(), 10);
    }
}

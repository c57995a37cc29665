//! Connections: taken, bounded, given to the workers, and drained at the end.

use crate::connection::Serving;
use crate::places::{Free, Places};
use crate::tls::Tls;
use crate::worker::{self, Accepted, DRAIN, Worker};
use anyhow::Context;
use std::convert::Infallible;
use std::future::Future;
use std::net::{SocketAddr, TcpStream};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// Between two attempts to take a connection when the system has nothing left to give.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(50);

/// Connections that are taken from the system's queue at the end: as many as it holds at most.
const MAX_LEFT: usize = 4_096;

/// Workers that wait for connections.
#[derive(Debug)]
pub struct Workers {
    serving: Arc<Serving>,
    workers: Vec<Worker>,
    /// Connections see its end when this is given up, too.
    stopping: watch::Sender<bool>,
}

impl Workers {
    /// Starts them: whoever is told that the edge serves must not find that it cannot.
    ///
    /// # Errors
    /// When the system has no threads or files left.
    pub fn start(serving: Serving) -> anyhow::Result<Workers> {
        let serving = Arc::new(serving);
        let (stopping, stopped) = watch::channel(false);
        // What is for one release alone is not for many; its thread keeps to itself what it has.
        let indices = if serving.pinned.is_some() { 0..=0 } else { 1..=worker::count() };
        let workers = indices
            .map(|index| Worker::start(index, Arc::clone(&serving), stopped.clone()))
            .collect::<Result<_, _>>()
            .context("failed to start a worker")?;
        Ok(Workers { serving, workers, stopping })
    }

    /// Serves until `stop` is done, then lets the requests under way end within a bound.
    pub async fn serve(self, listener: TcpListener, stop: impl Future<Output = ()>) {
        let Workers { serving, workers, stopping } = self;
        let mut stop = pin!(stop);
        let taker =
            Taker { places: Places::of_this_process(), serving: &serving, workers: &workers };
        tokio::select! {
            never = taker.take(&listener) => match never {},
            never = renew(serving.tls.as_ref()) => match never {},
            () = &mut stop => {}
        }
        taker.take_what_is_left(listener);
        stopping.send_replace(true);
        let mut is_drained = true;
        // They drain at the same time, each within the bound.
        for worker in workers {
            is_drained &= worker.end().await;
        }
        if !is_drained {
            say!("warning: requests were still under way after {DRAIN:?} and were cut off");
        }
    }
}

async fn renew(tls: Option<&Tls>) -> Infallible {
    match tls {
        Some(tls) => tls.renew().await,
        None => std::future::pending().await,
    }
}

/// Takes connections and gives them to the workers.
struct Taker<'a> {
    places: Arc<Places>,
    serving: &'a Serving,
    workers: &'a [Worker],
}

impl Taker<'_> {
    async fn take(&self, listener: &TcpListener) -> Infallible {
        loop {
            let free = self.places.free().await;
            match listener.accept().await {
                Ok((stream, peer)) => {
                    if let Ok(stream) = stream.into_std() {
                        self.give(free, stream, peer);
                    }
                }
                Err(error) => {
                    say!("error: failed to take a connection: {error}");
                    tokio::time::sleep(EXHAUSTED_PAUSE).await;
                }
            }
        }
    }

    /// Takes who is connected and still in the system's queue: they would be reset with the listener.
    fn take_what_is_left(&self, listener: TcpListener) {
        let Ok(listener) = listener.into_std() else { return };
        for _ in 0..MAX_LEFT {
            let Some(free) = self.places.free_now() else { return };
            // It does not block: the first error is that there is nobody left.
            let Ok((stream, peer)) = listener.accept() else { return };
            if stream.set_nonblocking(true).is_ok() {
                self.give(free, stream, peer);
            }
        }
    }

    fn give(&self, free: Free, stream: TcpStream, peer: SocketAddr) {
        let is_many = self.serving.trusted.contains(peer.ip());
        let Some(place) = self.places.take(free, peer.ip(), is_many) else { return };
        if let Some(worker) = self.workers.iter().min_by_key(|worker| worker.load()) {
            worker.give(Accepted { stream, peer, place });
        }
    }
}

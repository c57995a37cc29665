//! Threads that serve connections: one for each core, each with a runtime of its own, so that a
//! connection's work is never handed from core to core.

use crate::client::{Client, Scheme};
use crate::connection::{self, Serving};
use crate::places::Place;
use std::cell::Cell;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};

/// For the requests that are under way at the end. With what the server gets after, below 5 s.
pub const DRAIN: Duration = Duration::from_secs(3);

thread_local! {
    static INDEX: Cell<usize> = const { Cell::new(0) };
}

/// A thread that serves the connections given to it.
#[derive(Debug)]
pub struct Worker {
    connections: mpsc::UnboundedSender<Accepted>,
    busy: Arc<AtomicUsize>,
    ended: oneshot::Receiver<bool>,
}

/// A connection that was taken.
#[derive(Debug)]
pub struct Accepted {
    pub stream: TcpStream,
    pub peer: SocketAddr,
    pub place: Place,
}

/// Held as long as anything of a connection is left.
#[derive(Debug)]
pub struct Busy {
    count: Arc<AtomicUsize>,
    /// Never sent on: its end is the news.
    _alive: mpsc::Sender<()>,
}

/// How many workers there are.
pub fn count() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Which worker this thread is: from 1 to [`count`]; 0 for any other thread, that of a release's own
/// address among them.
pub fn index() -> usize {
    INDEX.get()
}

impl Worker {
    /// # Errors
    /// When there is no thread or no runtime to be had.
    pub fn start(
        index: usize,
        serving: Arc<Serving>,
        stop: watch::Receiver<bool>,
    ) -> std::io::Result<Worker> {
        let (connections, incoming) = mpsc::unbounded_channel();
        let (end, ended) = oneshot::channel();
        let busy = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&busy);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::Builder::new().name(format!("worker-{index}")).spawn(move || {
            INDEX.set(index);
            let is_drained = runtime.block_on(run(incoming, &serving, &stop, &count));
            runtime.shutdown_background();
            // Nobody waits any more when serving was given up.
            let _ = end.send(is_drained);
        })?;
        Ok(Worker { connections, busy, ended })
    }

    /// How many connections it has.
    pub fn load(&self) -> usize {
        self.busy.load(Ordering::Relaxed)
    }

    /// Gives it a connection. Their number is bounded by the places.
    pub fn give(&self, accepted: Accepted) {
        self.busy.fetch_add(1, Ordering::Relaxed);
        // Fails only when the worker died; then the connection ends with it.
        let _ = self.connections.send(accepted);
    }

    /// Waits for what is under way, within a bound; whether all of it came to its end.
    pub async fn end(self) -> bool {
        drop(self.connections);
        self.ended.await.unwrap_or(false)
    }
}

async fn run(
    mut incoming: mpsc::UnboundedReceiver<Accepted>,
    serving: &Arc<Serving>,
    stop: &watch::Receiver<bool>,
    count: &Arc<AtomicUsize>,
) -> bool {
    let (alive, mut all_gone) = mpsc::channel(1);
    let scheme = if serving.tls.is_some() { Scheme::Https } else { Scheme::Http };
    while let Some(Accepted { stream, peer, place }) = incoming.recv().await {
        let busy = Busy { count: Arc::clone(count), _alive: alive.clone() };
        let Ok(stream) = tokio::net::TcpStream::from_std(stream) else { continue };
        let client = Client::new(peer, scheme, &serving.trusted, place, busy);
        tokio::spawn(connection::serve(stream, client, Arc::clone(serving), stop.clone()));
    }
    drop(alive);
    tokio::time::timeout(DRAIN, all_gone.recv()).await.is_ok()
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
    }
}

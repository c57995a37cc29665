//! One connection: its handshake, its protocol, its bounds, and its end.

mod http1;
mod http2;
mod taken;

use crate::client::{Client, Trusted};
use crate::edge::Edge;
use crate::stall::{self, StallTimeout};
use crate::tls::Tls;
use release::ReleaseId;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::sync::watch;

/// How long a client may keep the edge waiting: for the rest of a request's head, for the next
/// request, for more of a body, for room to send to it.
pub const CLIENT_TIMEOUT: Duration = Duration::from_secs(30);

/// A handshake is two round trips and a signature; three lost packets in a row fit in. Less when the
/// client's time is less.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// Largest head of a request, and what is buffered of a connection beyond it. The number of headers
/// is bounded by hyper itself, to 100, without the cost of an allocation.
const MAX_HEAD_BYTES: usize = 64 * 1024;

/// After so many requests, or so long, a client connects anew, so that load spreads again over what
/// was added and nothing that a connection gathers stays for ever.
const MAX_REQUESTS_PER_CONNECTION: u32 = 10_000;
const MAX_CONNECTION_AGE: Duration = Duration::from_secs(3600);

/// For the first request of a connection that was just made when the edge ends: its client could not
/// know, and nothing tells it that its request was not read.
const FIRST_REQUEST: Duration = Duration::from_millis(500);
const FIRST_REQUEST_LOOK: Duration = Duration::from_millis(5);

/// What all connections share.
#[derive(Debug)]
pub struct Serving {
    pub edge: Arc<Edge>,
    /// Set when connections are to be encrypted.
    pub tls: Option<Tls>,
    pub trusted: Trusted,
    /// The release that answers all requests; without it, each request is routed.
    pub pinned: Option<ReleaseId>,
    /// See [`CLIENT_TIMEOUT`].
    pub client_timeout: Duration,
}

/// How much a connection was used.
#[derive(Debug)]
struct Usage {
    since: Instant,
    requests: AtomicU32,
}

/// Serves one connection to its end. How it ends is the client's affair: a reset, a timeout, a broken
/// request.
pub async fn serve(
    stream: TcpStream,
    client: Client,
    serving: Arc<Serving>,
    stop: watch::Receiver<bool>,
) {
    let client = Arc::new(client);
    // Without it, small answers wait for the client's acknowledgement; harmless where refused.
    let _ = stream.set_nodelay(true);
    stall::bound_unsent(&stream);
    let stream = StallTimeout::new(stream, serving.client_timeout);
    let Some(tls) = &serving.tls else {
        return http1::serve(stream, client, &serving, stop).await;
    };
    let patience = serving.client_timeout.min(HANDSHAKE_TIMEOUT);
    let handshake = tokio::time::timeout(patience, tls.accept(stream));
    let Ok(Ok(stream)) = handshake.await else { return };
    match Tls::is_http2(&stream) {
        true => http2::serve(stream, client, &serving, stop).await,
        false => http1::serve(stream, client, &serving, stop).await,
    }
}

impl Usage {
    fn new() -> Usage {
        Usage { since: Instant::now(), requests: AtomicU32::new(0) }
    }

    /// Waits until a request came, or the connection is old enough to have sent one.
    async fn first_request(&self) {
        while self.requests.load(Ordering::Relaxed) == 0 && self.since.elapsed() < FIRST_REQUEST {
            tokio::time::sleep(FIRST_REQUEST_LOOK).await;
        }
    }

    /// Counts a request; whether the client should connect anew for the next.
    fn is_last(&self) -> bool {
        self.requests.fetch_add(1, Ordering::Relaxed) + 1 >= MAX_REQUESTS_PER_CONNECTION
            || self.since.elapsed() >= MAX_CONNECTION_AGE
    }
}

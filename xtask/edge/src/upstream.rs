//! Connections to the release's server: made when needed, kept for a while, never shared between
//! workers.
//!
//! Invariant: a connection is given out again only after the answer before was read to its end.

use crate::body::RequestBody;
use crate::worker;
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::UPGRADE;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::collections::VecDeque;
use std::error::Error;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;

/// The server is on the same machine: it takes a connection at once or is overwhelmed.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// Idle connections that each worker keeps, and for how long: shorter than servers do, so that it is
/// the edge that closes them.
const MAX_IDLE: usize = 64;
const IDLE_TIMEOUT: Duration = Duration::from_secs(4);

/// The server's address and the connections to it.
#[derive(Debug, Clone)]
pub struct Upstream(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    address: SocketAddr,
    /// One for each worker, and one for whoever is none.
    pools: Box<[Mutex<Pool>]>,
}

#[derive(Debug, Default)]
struct Pool {
    /// The longest idle first.
    idle: VecDeque<Idle>,
    is_swept: bool,
}

#[derive(Debug)]
struct Idle {
    sender: SendRequest<RequestBody>,
    since: Instant,
}

/// A connection in use. It goes back by [`Lease::end`]; dropped, it is closed.
#[derive(Debug)]
pub struct Lease {
    upstream: Upstream,
    sender: SendRequest<RequestBody>,
}

/// Why there is no answer.
#[derive(Debug)]
pub enum UpstreamError {
    Connect(io::Error),
    Http(hyper::Error),
}

impl Upstream {
    pub fn new(address: SocketAddr) -> Upstream {
        let pools = (0..=worker::count()).map(|_| Mutex::default()).collect();
        Upstream(Arc::new(Inner { address, pools }))
    }

    /// Sends a request, over a connection that is there or a new one. A server may close a kept
    /// connection at the very moment: then what changes nothing is asked again, over a new one.
    ///
    /// # Errors
    /// When the server cannot be reached or gives no answer.
    pub async fn send(
        &self,
        mut request: Request<RequestBody>,
    ) -> Result<(Response<Incoming>, Lease), UpstreamError> {
        while let Some(mut sender) = self.idle() {
            let again = to_ask_again(&request);
            match sender.try_send_request(request).await {
                Ok(answer) => return Ok((answer, self.lease(sender))),
                Err(mut error) => match (error.take_message(), again) {
                    // The server closed it in the meantime: nothing was sent, so the next one will do.
                    (Some(unsent), _) => request = unsent,
                    (None, Some(again)) if was_closed(error.error()) => {
                        request = again;
                        break;
                    }
                    (None, _) => return Err(UpstreamError::Http(error.into_error())),
                },
            }
        }
        let mut sender = self.connect().await?;
        let answer = sender.send_request(request).await.map_err(UpstreamError::Http)?;
        Ok((answer, self.lease(sender)))
    }

    async fn connect(&self) -> Result<SendRequest<RequestBody>, UpstreamError> {
        let connect = TcpStream::connect(self.0.address);
        let stream = tokio::time::timeout(CONNECT_TIMEOUT, connect)
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
            .map_err(UpstreamError::Connect)?;
        // Harmless where refused.
        let _ = stream.set_nodelay(true);
        let (sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(UpstreamError::Http)?;
        tokio::spawn(async move {
            // What it ends with is told to the one who waits for the answer.
            let _ = connection.with_upgrades().await;
        });
        Ok(sender)
    }

    fn lease(&self, sender: SendRequest<RequestBody>) -> Lease {
        Lease { upstream: self.clone(), sender }
    }

    fn pool(&self) -> &Mutex<Pool> {
        self.0.pools.get(worker::index()).unwrap_or(&self.0.pools[0])
    }

    /// The connection that was used last, if it is ready.
    fn idle(&self) -> Option<SendRequest<RequestBody>> {
        let mut pool = self.pool().lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(last) = pool.idle.pop_back() {
            if last.sender.is_ready() {
                return Some(last.sender);
            }
            if !last.sender.is_closed() {
                // Its answer was read, and the rest of its request is still being sent.
                pool.idle.push_front(last);
                return None;
            }
        }
        None
    }

    fn keep(&self, sender: SendRequest<RequestBody>) {
        let mut pool = self.pool().lock().unwrap_or_else(PoisonError::into_inner);
        if sender.is_closed() || pool.idle.len() >= MAX_IDLE {
            return;
        }
        pool.idle.push_back(Idle { sender, since: Instant::now() });
        if !pool.is_swept
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            pool.is_swept = true;
            runtime.spawn(sweep(Arc::downgrade(&self.0), worker::index()));
        }
    }
}

/// The same request, when the server may get it twice (RFC 9110, section 9.2.2): one that is safe, and
/// has no body.
fn to_ask_again(request: &Request<RequestBody>) -> Option<Request<RequestBody>> {
    let is_plain = request.method().is_safe()
        && request.body().is_end_stream()
        && !request.headers().contains_key(UPGRADE);
    is_plain.then(|| {
        let mut again = Request::new(RequestBody::none());
        again.method_mut().clone_from(request.method());
        again.uri_mut().clone_from(request.uri());
        again.headers_mut().clone_from(request.headers());
        again
    })
}

/// Whether a connection ended before an answer.
fn was_closed(error: &hyper::Error) -> bool {
    error.is_incomplete_message()
        || error.is_closed()
        || error.is_canceled()
        || error.source().is_some_and(<dyn Error>::is::<io::Error>)
}

/// Closes what was idle for too long, until there is nothing left.
async fn sweep(upstream: std::sync::Weak<Inner>, index: usize) {
    loop {
        tokio::time::sleep(IDLE_TIMEOUT / 4).await;
        let Some(upstream) = upstream.upgrade() else { return };
        let Some(pool) = upstream.pools.get(index) else { return };
        let mut pool = pool.lock().unwrap_or_else(PoisonError::into_inner);
        pool.idle.retain(|idle| idle.since.elapsed() < IDLE_TIMEOUT && !idle.sender.is_closed());
        if pool.idle.is_empty() {
            pool.is_swept = false;
            return;
        }
    }
}

impl Lease {
    /// The answer was read to its end: others may have the connection.
    pub fn end(self) {
        self.upstream.keep(self.sender);
    }
}

impl fmt::Display for UpstreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            UpstreamError::Connect(_) => f.write_str("failed to connect to it"),
            UpstreamError::Http(_) => f.write_str("failed to exchange messages with it"),
        }
    }
}

impl std::error::Error for UpstreamError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            UpstreamError::Connect(error) => Some(error),
            UpstreamError::Http(error) => Some(error),
        }
    }
}

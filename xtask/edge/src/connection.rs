//! One connection: its handshake, its protocol, its bounds, and its end.

use crate::body::BodyError;
use crate::client::{Client, Trusted};
use crate::edge::Edge;
use crate::measured::Measured;
use crate::stall::{self, StallTimeout};
use crate::stop;
use crate::tls::Tls;
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::header::{CONNECTION, HeaderValue};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Request, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use release::ReleaseId;
use std::convert::Infallible;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Notify, watch};

/// How long a client may keep the edge waiting: for the rest of a request's head, for the next
/// request, for more of a body, for room to send to it.
pub const CLIENT_TIMEOUT: Duration = Duration::from_secs(30);

/// A handshake is two round trips and a signature; three lost packets in a row fit in.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// Largest head of a request, and what is buffered of a connection beyond it. The number of headers
/// is bounded by hyper itself, to 100, without the cost of an allocation.
const MAX_HEAD_BYTES: usize = 64 * 1024;

/// After so many requests, or so long, a client connects anew, so that load spreads again over what
/// was added and nothing that a connection gathers stays for ever.
const MAX_REQUESTS_PER_CONNECTION: u32 = 10_000;
const MAX_CONNECTION_AGE: Duration = Duration::from_secs(3600);

/// Requests at once on one HTTP/2 connection: as many as browsers make use of.
const MAX_STREAMS: u32 = 128;

/// Streams that a client resets before they were answered, until it is sent away: the answer to the
/// rapid reset attack (CVE-2023-44487). The default of h2, stated so that it stays.
const MAX_PENDING_RESETS: usize = 20;

/// Streams that are reset because of a client's errors, until it is sent away (hyper's default).
const MAX_ERROR_RESETS: usize = 1024;

/// What is buffered of one answer on HTTP/2, times the number of streams.
const MAX_STREAM_BUFFER_BYTES: usize = 128 * 1024;

/// A client on HTTP/2 that said nothing for so long is asked whether it is there, and has as long to
/// say so.
const PING: Duration = Duration::from_secs(20);

/// For what is said to a client at its end.
const LAST_WORDS: Duration = Duration::from_secs(1);

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
        return over_http1(stream, client, &serving, stop).await;
    };
    let handshake = tokio::time::timeout(HANDSHAKE_TIMEOUT, tls.accept(stream));
    let Ok(Ok(stream)) = handshake.await else { return };
    match Tls::is_http2(&stream) {
        true => over_http2(stream, client, &serving, stop).await,
        false => over_http1(stream, client, &serving, stop).await,
    }
}

async fn over_http1(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    client: Arc<Client>,
    serving: &Serving,
    stop: watch::Receiver<bool>,
) {
    let edge = Arc::clone(&serving.edge);
    let pinned = serving.pinned.clone();
    let usage = Arc::new(Usage::new());
    let service = service_fn(move |request: Request<Incoming>| {
        let (edge, client, usage) = (Arc::clone(&edge), Arc::clone(&client), Arc::clone(&usage));
        let pinned = pinned.clone();
        async move {
            let mut answer = edge.answer(request, &client, pinned.as_ref()).await;
            if usage.is_last() && answer.status() != StatusCode::SWITCHING_PROTOCOLS {
                answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, Infallible>(answer)
        }
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(serving.client_timeout)
        .max_header_size(MAX_HEAD_BYTES)
        .max_buf_size(2 * MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let result = tokio::select! {
        result = &mut connection => result,
        () = stop::asked(stop) => {
            Pin::new(&mut connection).graceful_shutdown();
            (&mut connection).await
        }
    };
    if let Err(error) = result
        && error.is_timeout()
        && let Some(parts) = connection.into_parts()
        && !parts.read_buf.is_empty()
    {
        // The start of a head came, and never its end. An idle connection just ends.
        let answer =
            b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
        let mut stream = parts.io.into_inner();
        let last_words = async {
            stream.write_all(answer).await?;
            stream.shutdown().await
        };
        let _ = tokio::time::timeout(LAST_WORDS, last_words).await;
    }
}

async fn over_http2(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    client: Arc<Client>,
    serving: &Serving,
    stop: watch::Receiver<bool>,
) {
    let edge = Arc::clone(&serving.edge);
    let pinned = serving.pinned.clone();
    let usage = Arc::new(Usage::new());
    let used_up = Arc::new(Notify::new());
    let open = Arc::new(());
    let service = {
        let (usage, used_up, open) = (Arc::clone(&usage), Arc::clone(&used_up), Arc::clone(&open));
        service_fn(move |request: Request<Incoming>| {
            let (edge, client, open) = (Arc::clone(&edge), Arc::clone(&client), Arc::clone(&open));
            let pinned = pinned.clone();
            if usage.is_last() {
                used_up.notify_one();
            }
            async move {
                let answer = edge.answer(request, &client, pinned.as_ref()).await;
                Ok::<_, Infallible>(answer.map(|body| Stream { body, _open: open }))
            }
        })
    };
    let mut connection = pin!(
        http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .max_concurrent_streams(MAX_STREAMS)
            .max_header_list_size(MAX_HEAD_BYTES as u32)
            .max_pending_accept_reset_streams(MAX_PENDING_RESETS)
            .max_local_error_reset_streams(MAX_ERROR_RESETS)
            .max_send_buf_size(MAX_STREAM_BUFFER_BYTES)
            .keep_alive_interval(PING)
            .keep_alive_timeout(PING)
            .serve_connection(TokioIo::new(stream), service)
    );
    // One reference is here, one in the service.
    let is_idle = || Arc::strong_count(&open) <= 2;
    let end = async {
        tokio::select! {
            () = stop::asked(stop) => {}
            () = used_up.notified() => {}
            () = idle(&usage, is_idle, serving.client_timeout) => {}
        }
    };
    tokio::select! {
        _ = &mut connection => return,
        () = end => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

/// Waits until no request came for `timeout`, nor was one under way.
async fn idle(usage: &Usage, is_idle: impl Fn() -> bool, timeout: Duration) {
    let mut before = None;
    loop {
        let requests = usage.requests.load(Ordering::Relaxed);
        if before == Some(requests) && is_idle() {
            return;
        }
        before = Some(requests);
        tokio::time::sleep(timeout).await;
    }
}

impl Usage {
    fn new() -> Usage {
        Usage { since: Instant::now(), requests: AtomicU32::new(0) }
    }

    /// Counts a request; whether the client should connect anew for the next.
    fn is_last(&self) -> bool {
        self.requests.fetch_add(1, Ordering::Relaxed) + 1 >= MAX_REQUESTS_PER_CONNECTION
            || self.since.elapsed() >= MAX_CONNECTION_AGE
    }
}

/// An answer on HTTP/2, known to be under way until it is dropped.
struct Stream {
    body: Measured,
    _open: Arc<()>,
}

impl Body for Stream {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

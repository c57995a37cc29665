//! Connections: taken, bounded, served, and drained at the end.

use crate::edge::Edge;
use crate::stall::StallTimeout;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// From a connection's start, or its last answer, to the end of the next request's head. Also what
/// an idle connection gets.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// A client that takes nothing of its answer for so long has gone.
const WRITE_STALL: Duration = Duration::from_secs(30);

/// Largest head of a request, and what is buffered of a connection beyond it. The number of headers
/// is bounded by hyper itself, to 100, without the cost of an allocation.
const MAX_HEAD_BYTES: usize = 64 * 1024;

/// Most connections, when the limit of open files allows so many: each may need one to the server.
const MAX_CONNECTIONS: u64 = 8_192;

/// Files that are open besides connections.
const RESERVED_FILES: u64 = 64;

/// For the requests that are under way at the end. With what the server gets after, below 5 s.
const DRAIN: Duration = Duration::from_secs(3);

/// Between two attempts to take a connection when the system has nothing left to give.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(50);

/// Serves until `stop` is done, then lets the requests under way end within a bound.
pub async fn serve(listener: TcpListener, edge: Arc<Edge>, stop: impl Future<Output = ()>) {
    let mut stop = pin!(stop);
    let graceful = GracefulShutdown::new();
    let connections = Arc::new(Semaphore::new(max_connections()));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_header_size(MAX_HEAD_BYTES)
        .max_buf_size(2 * MAX_HEAD_BYTES);
    loop {
        let next = async {
            // At the limit, further connections wait in the system's queue.
            let permit = Arc::clone(&connections).acquire_owned().await;
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            next = next => next,
            () = &mut stop => break,
        };
        let (stream, client): (TcpStream, _) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                eprintln!("error: failed to take a connection: {error}");
                tokio::time::sleep(EXHAUSTED_PAUSE).await;
                continue;
            }
        };
        // Without it, small answers wait for the client's acknowledgement; harmless where refused.
        let _ = stream.set_nodelay(true);
        let edge = Arc::clone(&edge);
        let service = service_fn(move |request| {
            let edge = Arc::clone(&edge);
            async move { Ok::<_, Infallible>(edge.answer(request, client).await) }
        });
        let io = TokioIo::new(StallTimeout::new(stream, WRITE_STALL));
        let connection = graceful.watch(http.serve_connection(io, service));
        tokio::spawn(async move {
            // How a connection ends is the client's affair: a reset, a timeout, a broken request.
            let _ = connection.await;
            drop(permit);
        });
    }
    drop(listener);
    if tokio::time::timeout(DRAIN, graceful.shutdown()).await.is_err() {
        eprintln!("warning: requests were still under way after {DRAIN:?} and were cut off");
    }
}

/// As many as the limit of open files allows, after raising it as far as one may.
fn max_connections() -> usize {
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

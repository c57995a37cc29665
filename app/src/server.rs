//! Accepting connections, and ending without cutting anyone off. `axum::serve` has no bounds on
//! connections or on the time that a head may take, so the loop is ours.

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::Service;

/// Connections held at once; further ones wait in the kernel's backlog.
const CONNECTION_LIMIT: usize = 1_024;
/// A head that takes longer than this is a client that holds a place on purpose.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// A head longer than this is none of a browser's.
const HEAD_LIMIT_BYTES: usize = 64 * 1024;
/// How long requests under way may take once the server was told to end.
pub const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);
/// Wait after `accept` failed, as it does when no file descriptors are left.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// Serves until `stop` completes, then finishes what is under way. Whether all of it was finished
/// within [`DRAIN_TIMEOUT`].
pub async fn serve(listener: TcpListener, router: Router, stop: impl Future<Output = ()>) -> bool {
    let places = Arc::new(Semaphore::new(CONNECTION_LIMIT));
    let graceful = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            (stream, peer, place) = accept(&listener, &places) => {
                spawn(stream, peer, place, router.clone(), &graceful);
            }
        }
    }
    drop(listener);
    tracing::info!(connections = graceful.count(), "ending");
    tokio::time::timeout(DRAIN_TIMEOUT, graceful.shutdown()).await.is_ok()
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> (TcpStream, SocketAddr, Option<OwnedSemaphorePermit>) {
    // The semaphore is never closed, so there is always a permit to wait for.
    let place = Arc::clone(places).acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => return (stream, peer, place),
            Err(error) => {
                tracing::warn!(%error, "failed to accept a connection");
                tokio::time::sleep(ACCEPT_RETRY).await;
            }
        }
    }
}

fn spawn(
    stream: TcpStream,
    peer: SocketAddr,
    place: Option<OwnedSemaphorePermit>,
    router: Router,
    graceful: &GracefulShutdown,
) {
    // An answer is small and whole: waiting to fill a packet only delays it.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_LIMIT_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    let connection = graceful.watch(connection);
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection ended early");
        }
        drop(place);
    });
}

/// Completes at the first TERM or INT.
///
/// # Errors
/// The handlers cannot be installed.
pub fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

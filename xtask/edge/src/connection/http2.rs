//! A connection over HTTP/2: many requests side by side.

use super::taken::{self, Taken};
use super::{MAX_HEAD_BYTES, Serving, Usage};
use crate::client::Client;
use crate::stop;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Notify, watch};

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

/// Serves a connection to its end.
pub async fn serve(
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
                Ok::<_, Infallible>(answer.map(|body| Taken::new(body, open)))
            }
        })
    };
    let mut connection = pin!(
        http2::Builder::new(taken::Executor { patience: serving.client_timeout })
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
    // Of answers that were handed over, a little may never be taken.
    tokio::select! {
        _ = &mut connection => {}
        () = idle(&usage, is_idle, serving.client_timeout) => {}
    }
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

//! A connection over HTTP/1: one request after the other.

use super::{MAX_HEAD_BYTES, Serving, Usage};
use crate::client::Client;
use crate::heads::{self, Heads};
use crate::stop;
use hyper::header::{CONNECTION, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, StatusCode, body::Incoming};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;

/// For what is said to a client at its end.
const LAST_WORDS: Duration = Duration::from_secs(1);

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
    let counting = Arc::clone(&usage);
    let service = service_fn(move |request: Request<Incoming>| {
        let (edge, client, usage) = (Arc::clone(&edge), Arc::clone(&client), Arc::clone(&counting));
        let pinned = pinned.clone();
        async move {
            let is_last = heads::ends_connection(request.headers()) | usage.is_last();
            let mut answer = edge.answer(request, &client, pinned.as_ref()).await;
            if is_last && answer.status() != StatusCode::SWITCHING_PROTOCOLS {
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
        .serve_connection(TokioIo::new(Heads::new(stream, MAX_HEAD_BYTES)), service)
        .with_upgrades();
    let end = async {
        stop::asked(stop).await;
        usage.first_request().await;
    };
    let result = tokio::select! {
        // In this order: what has come by now is answered.
        biased;
        result = &mut connection => result,
        () = end => {
            Pin::new(&mut connection).graceful_shutdown();
            (&mut connection).await
        }
    };
    if let Err(error) = result
        && error.is_timeout()
        && let Some(parts) = connection.into_parts()
        && let mut stream = parts.io.into_inner()
        && (stream.is_within_head() || !parts.read_buf.is_empty())
    {
        // The start of a head came, and never its end. An idle connection just ends.
        let answer =
            b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
        let last_words = async {
            stream.write_all(answer).await?;
            stream.shutdown().await
        };
        let _ = tokio::time::timeout(LAST_WORDS, last_words).await;
    }
}

//! A connection that became something else, such as a WebSocket: its bytes are copied both ways and
//! mean nothing to the edge.

use crate::client::Client;
use hyper::header::{HeaderMap, HeaderValue, UPGRADE};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};

/// Both sides have agreed when the tunnel is made; what is left is to flush a head.
const OPEN_TIMEOUT: Duration = Duration::from_secs(10);

/// When one side has closed its half, for what the other has still to say.
const GOODBYE: Duration = Duration::from_secs(1);

/// A connection from client to server, to be run beside the serving.
#[derive(Debug)]
pub struct Tunnel {
    client_side: OnUpgrade,
    server_side: OnUpgrade,
    /// After so long without a byte either way it is closed.
    idle: Duration,
    /// The connection counts as long as it is a tunnel.
    _client: Arc<Client>,
}

impl Tunnel {
    pub fn new(
        client_side: OnUpgrade,
        server_side: OnUpgrade,
        idle: Duration,
        client: Arc<Client>,
    ) -> Tunnel {
        Tunnel { client_side, server_side, idle, _client: client }
    }

    /// Copies until both sides have ended, one fails, or both are quiet for too long.
    pub async fn run(self) {
        let sides = async { tokio::try_join!(self.client_side, self.server_side) };
        let Ok(Ok((client, server))) = tokio::time::timeout(OPEN_TIMEOUT, sides).await else {
            return;
        };
        let bytes = AtomicU64::new(0);
        let side = |inner| tokio::io::split(Counted { inner: TokioIo::new(inner), bytes: &bytes });
        let (client_reads, client_writes) = side(client);
        let (server_reads, server_writes) = side(server);
        tokio::select! {
            () = both(copy(client_reads, server_writes), copy(server_reads, client_writes)) => {}
            () = quiet(&bytes, self.idle) => {}
        }
    }
}

/// Copies until one side ends or the other takes no more: whose affair it is how.
async fn copy(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin) {
    if tokio::io::copy(&mut from, &mut to).await.is_ok() {
        let _ = to.shutdown().await;
    }
}

/// Runs both directions; when one has ended, the other gets a moment more.
async fn both(one: impl Future<Output = ()> + Send, other: impl Future<Output = ()> + Send) {
    let (mut one, mut other) = (pin!(one), pin!(other));
    let rest: Pin<&mut (dyn Future<Output = ()> + Send)> = tokio::select! {
        () = &mut one => other,
        () = &mut other => one,
    };
    let _ = tokio::time::timeout(GOODBYE, rest).await;
}

/// Waits until nothing was read for `idle`, or up to twice as long.
async fn quiet(bytes: &AtomicU64, idle: Duration) {
    let mut before = None;
    loop {
        let now = Some(bytes.load(Ordering::Relaxed));
        if before == now {
            return;
        }
        before = now;
        tokio::time::sleep(idle).await;
    }
}

/// The protocol that a request asks to go on in, if the edge hands that on. Never `h2c`: behind it,
/// requests would reach the server that no rule of the edge has seen.
pub fn wanted(headers: &HeaderMap) -> Option<HeaderValue> {
    let value = headers.get(UPGRADE)?;
    let is_foreign = value.to_str().ok()?.split(',').map(str::trim).all(|protocol| {
        let name = protocol.split('/').next().unwrap_or_default();
        !name.is_empty()
            && !["h2c", "h2", "http", "tls"].iter().any(|it| name.eq_ignore_ascii_case(it))
    });
    is_foreign.then(|| value.clone())
}

struct Counted<'a, IO> {
    inner: IO,
    bytes: &'a AtomicU64,
}

impl<IO: AsyncRead + Unpin> AsyncRead for Counted<'_, IO> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = buffer.filled().len();
        let result = Pin::new(&mut self.inner).poll_read(cx, buffer);
        self.bytes.fetch_add((buffer.filled().len() - before) as u64, Ordering::Relaxed);
        result
    }
}

impl<IO: AsyncWrite + Unpin> AsyncWrite for Counted<'_, IO> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_pass_by_the_edges_rules_is_not_handed_on() {
        for (value, expected) in [
            ("websocket", true),
            ("irc/6.9, rta/x11", true),
            ("h2c", false),
            ("H2C", false),
            ("websocket, h2c", false),
            ("HTTP/2.0", false),
            ("TLS/1.2", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(UPGRADE, value.parse().unwrap());
            assert_eq!(wanted(&headers).is_some(), expected, "{value}");
        }
        assert_eq!(wanted(&HeaderMap::new()), None);
    }
}

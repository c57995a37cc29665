//! The heads of requests over HTTP/1, looked at before they are parsed: what two parsers on a
//! request's way may read in two ways is refused, so that no proxy before the edge and no server
//! behind it sees other requests than the edge does (request smuggling).
//!
//! Invariants: the parser gets no byte of a head before all of it was found good, and none beyond it
//! as long as that may be another head. RFC 9112 lets a server be more lenient (sections 2.2, 6.3); no
//! client needs that.

mod gate;

use gate::{Ambiguous, Gate};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What is read at a time of a head that did not come in one piece.
const CHUNK_BYTES: usize = 4 * 1024;

/// What the parser gets in the place of a head that is refused: no request begins so, which is a 400
/// and the connection's end.
const REFUSED: u8 = 0;

/// A connection that gives good heads only.
#[derive(Debug)]
pub struct Heads<IO> {
    inner: IO,
    gate: Gate,
    /// What was read and not given yet, from `given` on.
    held: Vec<u8>,
    given: usize,
    /// How much of that may be given.
    admitted: usize,
    /// After a head that was refused, nothing more is read.
    is_over: bool,
}

/// Whether a request with this header is the last on its connection, unless that becomes a tunnel:
/// where its body ends is for the parser alone to say.
pub fn ends_connection(headers: &hyper::HeaderMap) -> bool {
    use hyper::header::{TRANSFER_ENCODING, UPGRADE};
    headers.contains_key(TRANSFER_ENCODING) || headers.contains_key(UPGRADE)
}

impl<IO> Heads<IO> {
    /// Heads of more than `max_head_bytes` are for the parser to refuse.
    pub fn new(inner: IO, max_head_bytes: usize) -> Heads<IO> {
        let gate = Gate::new(max_head_bytes);
        Heads { inner, gate, held: Vec::new(), given: 0, admitted: 0, is_over: false }
    }

    /// Whether a head has begun and not ended.
    pub fn is_within_head(&self) -> bool {
        self.gate.is_at_head() && !self.held.is_empty()
    }

    fn give(&mut self, to: &mut ReadBuf<'_>) {
        let count = self.admitted.min(to.remaining());
        to.put_slice(&self.held[self.given..self.given + count]);
        self.given += count;
        self.admitted -= count;
        if self.given == self.held.len() {
            // An idle connection holds nothing.
            self.held = Vec::new();
            self.given = 0;
        }
    }

    fn refuse(&mut self) {
        self.held = vec![REFUSED];
        (self.given, self.admitted) = (0, 1);
        self.is_over = true;
    }
}

impl<IO: AsyncRead + Unpin> Heads<IO> {
    /// Reads right into `to`, and takes back what may not be given yet. Mostly that is nothing: one
    /// read, one head.
    fn poll_direct(&mut self, cx: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = to.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, to))?;
        let bytes = &to.filled()[before..];
        match self.gate.admit(bytes) {
            Ok(admitted) => {
                if admitted < bytes.len() {
                    self.held = bytes[admitted..].to_vec();
                }
                to.set_filled(before + admitted);
            }
            Err(Ambiguous) => {
                to.set_filled(before);
                self.refuse();
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Reads more of a head that has begun; whether there was more.
    fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let mut chunk = [0; CHUNK_BYTES];
        let mut buffer = ReadBuf::new(&mut chunk);
        ready!(Pin::new(&mut self.inner).poll_read(cx, &mut buffer))?;
        self.held.drain(..self.given);
        self.given = 0;
        self.held.extend_from_slice(buffer.filled());
        Poll::Ready(Ok(!buffer.filled().is_empty()))
    }
}

impl<IO: AsyncRead + Unpin> AsyncRead for Heads<IO> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            if this.admitted > 0 {
                this.give(to);
                return Poll::Ready(Ok(()));
            }
            if this.is_over {
                return Poll::Ready(Ok(()));
            }
            if this.held.is_empty() {
                let before = to.filled().len();
                ready!(this.poll_direct(cx, to))?;
                if to.filled().len() > before || this.held.is_empty() {
                    return Poll::Ready(Ok(()));
                }
                continue;
            }
            match this.gate.admit(&this.held[this.given..]) {
                Ok(0) => {
                    if !ready!(this.poll_more(cx))? {
                        this.gate.end();
                    }
                }
                Ok(admitted) => this.admitted = admitted,
                Err(Ambiguous) => this.refuse(),
            }
        }
    }
}

impl<IO: AsyncWrite + Unpin> AsyncWrite for Heads<IO> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    const MAX: usize = 200;

    /// What the parser gets of these pieces.
    async fn through(pieces: &[&[u8]]) -> Vec<u8> {
        let (mut client, server) = tokio::io::duplex(4096);
        let mut heads = Heads::new(server, MAX);
        let mut got = Vec::new();
        let sending = async {
            for piece in pieces {
                client.write_all(piece).await.unwrap();
                tokio::task::yield_now().await;
            }
            drop(client);
        };
        let reading = heads.read_to_end(&mut got);
        let _ = tokio::join!(sending, reading);
        got
    }

    fn got(pieces: &[&[u8]]) -> Vec<u8> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(through(pieces))
    }

    /// Requests one after the other, then one that is refused.
    const GOOD: &[u8] =
        b"GET / HTTP/1.1\r\nhost: a\r\n\r\nPOST / HTTP/1.1\r\nContent-Length: 5\r\n\
        \r\na\n\nb\n\r\nPUT / HTTP/1.1\r\ncontent-length: 0\r\n\r\n";
    const BARE: &[u8] = b"GET /x HTTP/1.1\nhost: a\r\n\r\n";

    proptest! {
        #[test]
        fn pieces_make_no_difference(cuts in prop::collection::vec(0..GOOD.len() + BARE.len(), 0..9)) {
            let all = [GOOD, BARE].concat();
            let mut cuts = cuts;
            cuts.extend([0, all.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &all[pair[0]..pair[1]]).collect();
            prop_assert_eq!(got(&pieces), [GOOD, &[REFUSED]].concat());
        }
    }

    #[test]
    fn what_may_be_read_in_two_ways_is_refused() {
        for fields in [
            "content-length: 1\r\ntransfer-encoding: chunked",
            "transfer-encoding: chunked\r\ncontent-length: 1",
            "content-length: 1\r\ncontent-length: 1",
            "content-length: 1\r\nContent-Length: 2",
            "content-length: 1, 1",
            "content-length: +1",
            "content-length:",
            "content-length: 18446744073709551616",
            "content-length : 1\r\ncontent-length: 2",
            "transfer-encoding: xchunked",
            "transfer-encoding: gzip, chunked",
            "transfer-encoding: chunked\r\ntransfer-encoding: chunked",
            "transfer-encoding: chunked, identity",
            "transfer-encoding:\x0bchunked",
            "transfer-encoding:",
            "x: 1\ny: 2",
        ] {
            let head = format!("POST / HTTP/1.1\r\nhost: a\r\n{fields}\r\n\r\n");
            assert_eq!(got(&[head.as_bytes()]), [REFUSED], "{fields}");
        }
    }

    #[test]
    fn what_ends_the_connection_is_passed_on_as_it_comes() {
        for fields in ["Transfer-Encoding: Chunked", "upgrade: websocket"] {
            let all = format!("POST / HTTP/1.1\r\n{fields}\r\n\r\n1\r\nx\n\n");
            assert_eq!(got(&[all.as_bytes()]), all.as_bytes());
        }
        let half = b"GET / HTTP/1.1\r\nhost";
        assert_eq!(got(&[half]), half, "half a head is told at the end");
        let large = [b"GET / HTTP/1.1\r\nx: ", &[b'x'; 2 * MAX][..]].concat();
        assert_eq!(got(&[&large, b"\n"]), [&large[..], b"\n"].concat(), "for the parser to refuse");
    }
}

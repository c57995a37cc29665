//! The heads of requests over HTTP/1, looked at before they are parsed: what two parsers on a
//! request's way may read in two ways is refused, so that no proxy before the edge and no server
//! behind it sees other requests than the edge does (request smuggling).
//!
//! Invariants: the parser gets no byte of a head before all of it was found good, and none beyond it
//! as long as that may be another head. RFC 9112 lets a server be more lenient (sections 2.2, 6.3); no
//! client needs that.

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
}

/// Where in the stream of bytes the connection is.
#[derive(Debug)]
struct Gate {
    state: State,
    /// How far the head was searched for its end.
    searched: usize,
    /// Beyond it the parser refuses a head, whatever comes.
    max_head_bytes: usize,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    Head,
    Body {
        left: u64,
    },
    /// No further head comes on this connection: see [`ends_connection`].
    Through,
    Refused {
        is_told: bool,
    },
}

/// A head that may be read in two ways.
#[derive(Debug, PartialEq, Eq)]
struct Ambiguous;

/// Whether a request with this header is the last on its connection, unless that becomes a tunnel:
/// where its body ends is for the parser alone to say.
pub fn ends_connection(headers: &hyper::HeaderMap) -> bool {
    use hyper::header::{TRANSFER_ENCODING, UPGRADE};
    headers.contains_key(TRANSFER_ENCODING) || headers.contains_key(UPGRADE)
}

impl<IO> Heads<IO> {
    /// Heads of more than `max_head_bytes` are for the parser to refuse.
    pub fn new(inner: IO, max_head_bytes: usize) -> Heads<IO> {
        let gate = Gate { state: State::Head, searched: 0, max_head_bytes };
        Heads { inner, gate, held: Vec::new(), given: 0, admitted: 0 }
    }

    /// Whether a head has begun and not ended.
    pub fn is_within_head(&self) -> bool {
        self.gate.state == State::Head && !self.held.is_empty()
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
        self.held = Vec::new();
        self.given = 0;
        self.gate.state = State::Refused { is_told: false };
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
            if let State::Refused { is_told } = &mut this.gate.state {
                if !std::mem::replace(is_told, true) {
                    to.put_slice(&[REFUSED]);
                }
                return Poll::Ready(Ok(()));
            }
            if this.admitted > 0 {
                this.give(to);
                return Poll::Ready(Ok(()));
            }
            if this.held.is_empty() {
                let before = to.filled().len();
                ready!(this.poll_direct(cx, to))?;
                let is_end = this.held.is_empty() && this.gate.is_open();
                if to.filled().len() > before || is_end {
                    return Poll::Ready(Ok(()));
                }
                continue;
            }
            match this.gate.admit(&this.held[this.given..]) {
                Ok(0) => {
                    if !ready!(this.poll_more(cx))? {
                        // The parser knows what to say of half a head.
                        this.gate.state = State::Through;
                    }
                }
                Ok(admitted) => this.admitted = admitted,
                Err(Ambiguous) => this.refuse(),
            }
        }
    }
}

impl Gate {
    fn is_open(&self) -> bool {
        !matches!(self.state, State::Refused { .. })
    }

    /// How many of these bytes, the next that came, the parser may have; 0 when more have to come
    /// first. What is not admitted is to be given again, with more behind it.
    fn admit(&mut self, bytes: &[u8]) -> Result<usize, Ambiguous> {
        match &mut self.state {
            State::Through | State::Refused { .. } => return Ok(bytes.len()),
            State::Body { left } => {
                let count = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                *left -= count as u64;
                if *left == 0 {
                    self.state = State::Head;
                }
                return Ok(count);
            }
            State::Head => {}
        }
        if bytes.starts_with(b"\r\n") {
            // Some clients end a body with it (RFC 9112, section 2.2).
            self.searched = 0;
            return Ok(2);
        }
        let start = self.searched;
        let ends = bytes.iter().enumerate().skip(start).filter(|(_, byte)| **byte == b'\n');
        for (at, _) in ends {
            let line = &bytes[..at];
            if !line.ends_with(b"\r") {
                return Err(Ambiguous);
            }
            if line.ends_with(b"\r\n\r") {
                self.searched = 0;
                self.state = after(line)?;
                return Ok(at + 1);
            }
        }
        self.searched = bytes.len();
        if bytes.len() > self.max_head_bytes {
            self.state = State::Through;
            return Ok(bytes.len());
        }
        Ok(0)
    }
}

/// What comes after this head.
fn after(head: &[u8]) -> Result<State, Ambiguous> {
    let mut length = None;
    let mut is_chunked = false;
    let mut is_upgrade = false;
    for line in head.split(|byte| *byte == b'\n').skip(1) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let (name, value) = (line[..colon].trim_ascii(), line[colon + 1..].trim_ascii());
        if name.eq_ignore_ascii_case(b"content-length") {
            // One and no more, be they equal or not.
            if length.replace(number(value).ok_or(Ambiguous)?).is_some() {
                return Err(Ambiguous);
            }
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            // No other coding would be undone on the way to the server.
            if is_chunked || !value.eq_ignore_ascii_case(b"chunked") {
                return Err(Ambiguous);
            }
            is_chunked = true;
        } else if name.eq_ignore_ascii_case(b"upgrade") {
            is_upgrade = true;
        }
    }
    match length {
        Some(_) if is_chunked => Err(Ambiguous),
        _ if is_chunked || is_upgrade => Ok(State::Through),
        None | Some(0) => Ok(State::Head),
        Some(left) => Ok(State::Body { left }),
    }
}

fn number(value: &[u8]) -> Option<u64> {
    let is_number = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    is_number.then(|| std::str::from_utf8(value).ok()?.parse().ok()).flatten()
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

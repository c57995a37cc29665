//! The bodies that pass through the edge.

use crate::proxy::Turn;
use crate::upstream::Lease;
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use std::fmt;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::fs::File;
use tokio::io::{AsyncRead, AsyncSeekExt, ReadBuf};
use tokio::time::{Instant, Sleep};

/// What is read at a time from a file that is not held in memory.
const CHUNK_BYTES: usize = 64 * 1024;

/// Slowest rate of a request's body on the whole, after as long as a client may be silent: slower than
/// any phone on the edge of its network, fast enough that the largest body is through within hours and
/// a trickle is not.
const MIN_BYTES_PER_SECOND: u64 = 1024;

/// The body of an answer.
#[derive(Debug)]
pub enum Answer {
    /// All of it, in memory.
    Whole(Bytes),
    File(FilePart),
    /// The release's server's.
    Passed(Passed),
}

/// A part of a file, read as it is sent.
#[derive(Debug)]
pub struct FilePart {
    file: File,
    left: u64,
    chunk: Box<[u8]>,
}

/// A request's body on its way to the server: bounded in size, in the time between its frames, and in
/// its rate.
#[derive(Debug)]
pub struct RequestBody {
    inner: Incoming,
    left: u64,
    idle: Patience,
    /// Set when the first of it came, with what came since.
    begun: Option<(Instant, u64)>,
    /// Cleared when all of it was passed on; the server's time for its answer begins then.
    is_under_way: Option<Arc<AtomicBool>>,
}

/// The server's answer on its way to the client, bounded in the time between its frames.
#[derive(Debug)]
pub struct Passed {
    inner: Incoming,
    idle: Patience,
    /// Given back at the end of the body.
    lease: Option<Lease>,
    _turn: Turn,
}

/// Waits for something so long and no longer.
#[derive(Debug)]
struct Patience {
    timeout: Duration,
    /// Set while it waits: mostly the next frame is there, and no timer is needed.
    deadline: Option<Pin<Box<Sleep>>>,
}

/// Why a body ended early.
#[derive(Debug)]
pub enum BodyError {
    TooLarge,
    Idle,
    File(io::Error),
    Peer(hyper::Error),
}

impl Answer {
    pub fn empty() -> Answer {
        Answer::Whole(Bytes::new())
    }
}

impl FilePart {
    /// `size` bytes of a file from `start` on.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub async fn open(path: &Path, start: u64, size: u64) -> io::Result<FilePart> {
        let mut file = File::open(path).await?;
        if start > 0 {
            file.seek(io::SeekFrom::Start(start)).await?;
        }
        Ok(FilePart { file, left: size, chunk: vec![0; CHUNK_BYTES].into_boxed_slice() })
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let wanted = usize::try_from(self.left).unwrap_or(usize::MAX).min(self.chunk.len());
        let mut buffer = ReadBuf::new(&mut self.chunk[..wanted]);
        if let Err(error) = ready!(Pin::new(&mut self.file).poll_read(cx, &mut buffer)) {
            return Poll::Ready(Some(Err(BodyError::File(error))));
        }
        let read = buffer.filled();
        if read.is_empty() {
            let error = io::Error::from(io::ErrorKind::UnexpectedEof);
            return Poll::Ready(Some(Err(BodyError::File(error))));
        }
        self.left -= read.len() as u64;
        Poll::Ready(Some(Ok(Frame::data(Bytes::copy_from_slice(read)))))
    }
}

impl RequestBody {
    /// Passes at most `max_bytes` on, and waits at most `idle` for each frame.
    pub fn new(inner: Incoming, max_bytes: u64, idle: Duration) -> RequestBody {
        let is_under_way = (!inner.is_end_stream()).then(|| Arc::new(AtomicBool::new(true)));
        RequestBody { inner, left: max_bytes, idle: Patience::new(idle), begun: None, is_under_way }
    }

    /// Whether there is more to pass on, if there is a body at all.
    pub fn is_under_way(&self) -> Option<Arc<AtomicBool>> {
        self.is_under_way.clone()
    }

    fn count(&mut self, frame: &Frame<Bytes>) -> Result<(), BodyError> {
        let size = frame.data_ref().map_or(0, |data| data.len() as u64);
        self.left = self.left.checked_sub(size).ok_or(BodyError::TooLarge)?;
        let (since, bytes) = self.begun.get_or_insert((Instant::now(), 0));
        *bytes += size;
        let allowed = self.idle.timeout + Duration::from_secs(*bytes / MIN_BYTES_PER_SECOND);
        if since.elapsed() > allowed { Err(BodyError::Idle) } else { Ok(()) }
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        if let Some(is_under_way) = &self.is_under_way {
            is_under_way.store(false, Ordering::Relaxed);
        }
    }
}

impl Passed {
    /// Waits at most `idle` for each frame; then the connection may be used again.
    pub fn new(inner: Incoming, idle: Duration, lease: Lease, turn: Turn) -> Passed {
        let mut passed =
            Passed { inner, idle: Patience::new(idle), lease: Some(lease), _turn: turn };
        passed.end();
        passed
    }

    fn end(&mut self) {
        if self.inner.is_end_stream()
            && let Some(lease) = self.lease.take()
        {
            lease.end();
        }
    }
}

impl Patience {
    fn new(timeout: Duration) -> Patience {
        Patience { timeout, deadline: None }
    }

    /// Passes on what is ready; [`BodyError::Idle`] when it was not for too long.
    fn poll<T>(
        &mut self,
        cx: &mut Context<'_>,
        result: Poll<Option<Result<T, hyper::Error>>>,
    ) -> Poll<Option<Result<T, BodyError>>> {
        if let Poll::Ready(result) = result {
            self.deadline = None;
            return Poll::Ready(result.map(|result| result.map_err(BodyError::Peer)));
        }
        let timeout = self.timeout;
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(tokio::time::sleep(timeout)));
        deadline.as_mut().poll(cx).map(|()| Some(Err(BodyError::Idle)))
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        let result = Pin::new(&mut this.inner).poll_frame(cx);
        let frame = ready!(this.idle.poll(cx, result));
        if frame.is_none() || this.inner.is_end_stream() {
            this.is_under_way.take().inspect(|it| it.store(false, Ordering::Relaxed));
        }
        Poll::Ready(frame.map(|frame| {
            let frame = frame?;
            this.count(&frame)?;
            Ok(frame)
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl Body for Passed {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        let result = Pin::new(&mut this.inner).poll_frame(cx);
        let frame = ready!(this.idle.poll(cx, result));
        this.end();
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match self.get_mut() {
            Answer::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Answer::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Answer::File(part) => part.poll(cx),
            Answer::Passed(passed) => Pin::new(passed).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Answer::Whole(bytes) => bytes.is_empty(),
            Answer::File(part) => part.left == 0,
            Answer::Passed(passed) => passed.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Answer::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Answer::File(part) => SizeHint::with_exact(part.left),
            Answer::Passed(passed) => passed.size_hint(),
        }
    }
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BodyError::TooLarge => f.write_str("the body is larger than the edge passes on"),
            BodyError::Idle => f.write_str("the body stopped coming"),
            BodyError::File(error) => write!(f, "failed to read the file: {error}"),
            BodyError::Peer(error) => write!(f, "the body ended early: {error}"),
        }
    }
}

impl std::error::Error for BodyError {}

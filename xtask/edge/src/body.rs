//! The bodies that pass through the edge.

use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use std::fmt;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::fs::File;
use tokio::io::{AsyncRead, AsyncSeekExt, ReadBuf};
use tokio::time::{Instant, Sleep};

/// What is read at a time from a file that is not held in memory.
const CHUNK_BYTES: usize = 64 * 1024;

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

/// A body that is passed on: bounded in size, and in the time between its frames.
#[derive(Debug)]
pub struct Passed {
    inner: Incoming,
    left: u64,
    idle: Duration,
    deadline: Pin<Box<Sleep>>,
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

impl Passed {
    /// Passes at most `max_bytes` on, and waits at most `idle` for each frame.
    pub fn new(inner: Incoming, max_bytes: u64, idle: Duration) -> Passed {
        Passed { inner, left: max_bytes, idle, deadline: Box::pin(tokio::time::sleep(idle)) }
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
        let Poll::Ready(frame) = Pin::new(&mut this.inner).poll_frame(cx) else {
            return this.deadline.as_mut().poll(cx).map(|()| Some(Err(BodyError::Idle)));
        };
        this.deadline.as_mut().reset(Instant::now() + this.idle);
        Poll::Ready(frame.map(|frame| {
            let frame = frame.map_err(BodyError::Peer)?;
            let size = frame.data_ref().map_or(0, |data| data.len() as u64);
            this.left = this.left.checked_sub(size).ok_or(BodyError::TooLarge)?;
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

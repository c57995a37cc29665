//! The bodies that pass through the edge.

mod file_part;
mod passed;

pub use file_part::FilePart;
pub use passed::{Passed, RequestBody};

use hyper::body::{Body, Bytes, Frame, SizeHint};
use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The body of an answer.
#[derive(Debug)]
pub enum Answer {
    /// All of it, in memory.
    Whole(Bytes),
    File(FilePart),
    /// The release's server's.
    Passed(Passed),
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
            Answer::File(part) => part.left() == 0,
            Answer::Passed(passed) => passed.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Answer::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Answer::File(part) => SizeHint::with_exact(part.left()),
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

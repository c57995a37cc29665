//! A part of a file as a body.

use super::BodyError;
use hyper::body::{Bytes, Frame};
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::fs::File;
use tokio::io::{AsyncRead, AsyncSeekExt, ReadBuf};

/// What is read at a time from a file that is not held in memory.
const CHUNK_BYTES: usize = 64 * 1024;

/// A part of a file, read as it is sent.
#[derive(Debug)]
pub struct FilePart {
    file: File,
    left: u64,
    chunk: Box<[u8]>,
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

    /// How many bytes are still to come.
    pub fn left(&self) -> u64 {
        self.left
    }

    /// The next of it.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
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

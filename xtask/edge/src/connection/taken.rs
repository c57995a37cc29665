//! Answers on HTTP/2 that the client does not take.
//!
//! The window of a stream is the client's to open. One that never does would keep its answers, the
//! server behind them and the release for ever, on a connection that is alive to all appearances.
//!
//! Invariant: an answer whose next piece waits for the client longer than the client's time is given up.
//! An answer that waits for the server is bounded elsewhere.

use crate::body::BodyError;
use crate::measured::Measured;
use hyper::body::{Body, Bytes, Frame, SizeHint};
use std::cell::Cell;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Sleep;

/// What is handed over at a time, and so what a client has to take within its time. A frame of HTTP/2
/// is no larger unless both sides want it.
const PIECE_BYTES: usize = 16 * 1024;

/// Who a stream waits for, as far as its answer knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waits {
    /// The answer was not asked for more.
    Unknown,
    ForServer,
    ForClient,
}

thread_local! {
    /// What the answer said while its stream was polled.
    static SAID: Cell<Waits> = const { Cell::new(Waits::Unknown) };
}

/// An answer in pieces, known to be under way until it is dropped.
pub struct Taken {
    body: Measured,
    /// What is left of a frame.
    rest: Bytes,
    _open: Arc<()>,
}

/// Runs what each stream is made of, until a client has let it wait for too long.
#[derive(Debug, Clone, Copy)]
pub struct Executor {
    pub patience: Duration,
}

impl Taken {
    /// `open` is dropped with it.
    pub fn new(body: Measured, open: Arc<()>) -> Taken {
        Taken { body, rest: Bytes::new(), _open: open }
    }
}

impl Body for Taken {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        SAID.set(Waits::ForServer);
        if self.rest.is_empty() {
            let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
            match frame.map(|frame| frame.map(Frame::into_data)) {
                Some(Ok(Ok(data))) => self.rest = data,
                Some(Ok(Err(trailers))) => return Poll::Ready(Some(Ok(trailers))),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
        SAID.set(Waits::ForClient);
        let size = self.rest.len().min(PIECE_BYTES);
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(size)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = self.body.size_hint();
        let rest = self.rest.len() as u64;
        let upper = hint.upper().map(|upper| upper + rest);
        hint.set_lower(hint.lower() + rest);
        if let Some(upper) = upper {
            hint.set_upper(upper);
        }
        hint
    }
}

impl<F> hyper::rt::Executor<F> for Executor
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn execute(&self, stream: F) {
        let patience = self.patience;
        tokio::spawn(async move {
            let mut stream = pin!(stream);
            let mut deadline = pin!(None::<Sleep>);
            poll_fn(|cx| {
                SAID.set(Waits::Unknown);
                if stream.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(());
                }
                match SAID.get() {
                    Waits::Unknown => {}
                    Waits::ForServer => deadline.set(None),
                    Waits::ForClient => deadline.set(Some(tokio::time::sleep(patience))),
                }
                match deadline.as_mut().as_pin_mut() {
                    // The stream is reset when it is dropped.
                    Some(deadline) => deadline.poll(cx),
                    None => Poll::Pending,
                }
            })
            .await;
        });
    }
}

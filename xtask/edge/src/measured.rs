//! An answer that is counted when it is over.

use crate::body::{Answer, BodyError};
use crate::metrics::ReleaseMetrics;
use crate::slot::Slot;
use hyper::body::{Body, Bytes, Frame, SizeHint};
use hyper::{Response, StatusCode};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

/// A request from its start to the last byte of its answer. Holds the release that answers, so that
/// none is taken down under it.
#[derive(Debug)]
pub struct Flight {
    started: Instant,
    counted: Counted,
    /// Once the answer has begun.
    status: Option<StatusCode>,
    first_byte: Option<Duration>,
    is_broken: bool,
}

/// Who counts a request.
#[derive(Debug)]
pub enum Counted {
    /// The release that answers it.
    Slot(Arc<Slot>),
    /// None could.
    None(Arc<ReleaseMetrics>),
}

/// The body of an answer that is counted when it is over.
#[derive(Debug)]
pub struct Measured {
    inner: Answer,
    flight: Flight,
}

impl Flight {
    /// A request that begins now.
    pub fn begin(counted: Counted) -> Flight {
        counted.metrics().begin();
        Flight {
            started: Instant::now(),
            counted,
            status: None,
            first_byte: None,
            is_broken: false,
        }
    }

    /// Goes on until the answer's body is over.
    pub fn carry(mut self, answer: Response<Answer>) -> Response<Measured> {
        self.status = Some(answer.status());
        answer.map(|inner| Measured { inner, flight: self })
    }
}

impl Counted {
    fn metrics(&self) -> &ReleaseMetrics {
        match self {
            Counted::Slot(slot) => &slot.metrics,
            Counted::None(metrics) => metrics,
        }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        let metrics = self.counted.metrics();
        let Some(status) = self.status else { return metrics.abandon() };
        let took = self.started.elapsed();
        metrics.end(status, self.is_broken, self.first_byte.unwrap_or(took), took);
    }
}

impl Body for Measured {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        let frame = ready!(Pin::new(&mut this.inner).poll_frame(cx));
        if this.flight.first_byte.is_none() {
            this.flight.first_byte = Some(this.flight.started.elapsed());
        }
        this.flight.is_broken |= matches!(frame, Some(Err(_)));
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

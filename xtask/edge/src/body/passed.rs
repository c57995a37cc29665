//! The bodies that go to the release's server and come back from it.

use super::BodyError;
use crate::proxy::Turn;
use crate::upstream::Lease;
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep};

/// Slowest rate of a request's body on the whole, after as long as a client may be silent: slower than
/// any phone on the edge of its network, fast enough that the largest body is through within hours and
/// a trickle is not.
const MIN_BYTES_PER_SECOND: u64 = 1024;

/// A request's body on its way to the server: bounded in size, in the time between its frames, and in
/// its rate.
#[derive(Debug)]
pub struct RequestBody {
    /// None of a request without a body that is sent again.
    inner: Option<Incoming>,
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

impl RequestBody {
    /// Passes at most `max_bytes` on, and waits at most `idle` for each frame.
    pub fn new(inner: Incoming, max_bytes: u64, idle: Duration) -> RequestBody {
        let is_under_way = (!inner.is_end_stream()).then(|| Arc::new(AtomicBool::new(true)));
        let idle = Patience::new(idle);
        RequestBody { inner: Some(inner), left: max_bytes, idle, begun: None, is_under_way }
    }

    /// No body.
    pub fn none() -> RequestBody {
        let idle = Patience::new(Duration::ZERO);
        RequestBody { inner: None, left: 0, idle, begun: None, is_under_way: None }
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
        let Some(inner) = &mut this.inner else { return Poll::Ready(None) };
        let result = Pin::new(&mut *inner).poll_frame(cx);
        let frame = ready!(this.idle.poll(cx, result));
        if frame.is_none() || inner.is_end_stream() {
            this.is_under_way.take().inspect(|it| it.store(false, Ordering::Relaxed));
        }
        Poll::Ready(frame.map(|frame| {
            let frame = frame?;
            this.count(&frame)?;
            Ok(frame)
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
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

//! The release's server behind the edge: requests go to it and answers come back, streamed both
//! ways, without what belongs to one connection only (RFC 9110, section 7.6.1).

mod head;
mod limits;

pub use limits::{Limits, TUNNEL_TIMEOUT};

use crate::body::{Answer, BodyError, Passed, RequestBody};
use crate::client::{Client, Who};
use crate::policy::Policy;
use crate::tunnel::{self, Tunnel};
use crate::upstream::{Upstream, UpstreamError};
use head::remove_hop_by_hop;
use hyper::body::{Body, Incoming};
use hyper::header::{
    CONNECTION, CONTENT_LENGTH, HeaderName, HeaderValue, TRANSFER_ENCODING, UPGRADE,
};
use hyper::upgrade::OnUpgrade;
use hyper::{Request, Response, StatusCode, Version};
use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Passes requests to the release's server.
#[derive(Debug)]
pub struct Proxy {
    upstream: Upstream,
    limits: Limits,
    /// Requests that the server has at this moment.
    under_way: Arc<AtomicUsize>,
}

/// What a request is passed on with.
#[derive(Debug, Clone, Copy)]
pub struct Introduction<'a> {
    pub client: &'a Arc<Client>,
    pub who: &'a Who,
    pub request_id: &'a HeaderValue,
}

/// The server's answer.
#[derive(Debug)]
pub struct Passage {
    pub answer: Response<Answer>,
    /// Set when the connection goes on as something else, a WebSocket for instance: to be run beside
    /// the serving, and in flight as long as it runs.
    pub tunnel: Option<Tunnel>,
}

impl Proxy {
    pub fn new(server: SocketAddr, limits: Limits) -> Proxy {
        Proxy { upstream: Upstream::new(server), limits, under_way: Arc::default() }
    }

    /// The server's answer, or the status to give in its stead.
    ///
    /// # Errors
    /// 413, 408, 502, 503, 504, or 400 for a request that cannot be passed on.
    pub async fn pass(
        &self,
        mut request: Request<Incoming>,
        introduction: Introduction<'_>,
        policy: &Policy,
    ) -> Result<Passage, StatusCode> {
        let limits = self.limits;
        if request.body().size_hint().lower() > limits.request_bytes {
            return Err(StatusCode::PAYLOAD_TOO_LARGE);
        }
        let turn = Turn::take(&self.under_way, limits.requests)?;
        let protocol = wanted_protocol(&request);
        let client_side = protocol.as_ref().map(|_| hyper::upgrade::on(&mut request));
        let (head, body) = request.into_parts();
        let head = head::of_server(head, introduction, protocol)?;
        let body = RequestBody::new(body, limits.request_bytes, limits.request_idle);
        let is_under_way = body.is_under_way();
        let answer = self.upstream.send(Request::from_parts(head, body));
        tokio::select! {
            answer = answer => match answer {
                Ok((answer, lease)) => {
                    let passed = |body| Passed::new(body, limits.answer_idle, lease, turn);
                    self.pass_back(answer, passed, client_side, introduction, policy)
                },
                Err(error) => Err(status_of(&error)),
            },
            () = give_up(limits.head, is_under_way) => {
                say!("error: the server gave no answer within {:?}", limits.head);
                Err(StatusCode::GATEWAY_TIMEOUT)
            }
        }
    }

    fn pass_back(
        &self,
        mut answer: Response<Incoming>,
        passed: impl FnOnce(Incoming) -> Passed,
        client_side: Option<OnUpgrade>,
        introduction: Introduction<'_>,
        policy: &Policy,
    ) -> Result<Passage, StatusCode> {
        if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
            let (mut head, body) = answer.into_parts();
            head.version = Version::HTTP_11;
            if head.headers.contains_key(TRANSFER_ENCODING) {
                // It is not the length of what was read (RFC 9112, section 6.3).
                head.headers.remove(CONTENT_LENGTH);
            }
            remove_hop_by_hop(&mut head.headers);
            policy.complete(&mut head.headers);
            let body = Answer::Passed(passed(body));
            return Ok(Passage { answer: Response::from_parts(head, body), tunnel: None });
        }
        let protocol = answer.headers_mut().remove(UPGRADE);
        let (Some(client_side), Some(protocol)) = (client_side, protocol) else {
            say!("error: the server switched to another protocol, which nobody had asked for");
            return Err(StatusCode::BAD_GATEWAY);
        };
        let server_side = hyper::upgrade::on(&mut answer);
        let client = Arc::clone(introduction.client);
        let tunnel = Tunnel::new(client_side, server_side, self.limits.tunnel_idle, client);
        let (mut head, _) = answer.into_parts();
        remove_hop_by_hop(&mut head.headers);
        head.headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        head.headers.insert(UPGRADE, protocol);
        let answer = Response::from_parts(head, Answer::empty());
        Ok(Passage { answer, tunnel: Some(tunnel) })
    }
}

/// A turn among the requests that the server has.
#[derive(Debug)]
pub struct Turn(Arc<AtomicUsize>);

impl Turn {
    fn take(under_way: &Arc<AtomicUsize>, max: usize) -> Result<Turn, StatusCode> {
        let turn = Turn(Arc::clone(under_way));
        if under_way.fetch_add(1, Ordering::Relaxed) >= max {
            return Err(StatusCode::SERVICE_UNAVAILABLE);
        }
        Ok(turn)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Waits until the server had `time` for its answer, which begins when it has the whole request.
async fn give_up(time: Duration, is_under_way: Option<Arc<AtomicBool>>) {
    loop {
        let was_under_way = is_under_way.as_ref().is_some_and(|it| it.load(Ordering::Relaxed));
        tokio::time::sleep(time).await;
        if !was_under_way {
            return;
        }
    }
}

/// The protocol that the client asks to go on in, on a connection that can.
fn wanted_protocol(request: &Request<Incoming>) -> Option<HeaderValue> {
    let headers = request.headers();
    let is_asked = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|field| field.split(','))
        .any(|name| name.trim().eq_ignore_ascii_case("upgrade"));
    if !is_asked || request.version() != Version::HTTP_11 {
        return None;
    }
    tunnel::wanted(headers)
}

/// The status that stands for a failure; a client's own fault is not the server's.
fn status_of(error: &UpstreamError) -> StatusCode {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        match error.downcast_ref::<BodyError>() {
            Some(BodyError::TooLarge) => return StatusCode::PAYLOAD_TOO_LARGE,
            Some(BodyError::Idle) => return StatusCode::REQUEST_TIMEOUT,
            Some(BodyError::Peer(_) | BodyError::File(_)) => return StatusCode::BAD_REQUEST,
            None => cause = error.source(),
        }
    }
    let mut causes = String::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        causes += &format!(": {error}");
        cause = error.source();
    }
    say!("error: the server gave no answer: {error}{causes}");
    StatusCode::BAD_GATEWAY
}

//! The release's server behind the edge: requests go to it and answers come back, streamed both
//! ways, without what belongs to one connection only (RFC 9110, section 7.6.1).

use crate::body::{Answer, BodyError, Passed, RequestBody};
use crate::client::{Client, Who};
use crate::connection::CLIENT_TIMEOUT;
use crate::places;
use crate::policy::Policy;
use crate::tunnel::{self, Tunnel};
use crate::upstream::{Upstream, UpstreamError};
use hyper::body::{Body, Incoming};
use hyper::header::{
    CONNECTION, CONTENT_LENGTH, COOKIE, EXPECT, HOST, HeaderName, HeaderValue, PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use hyper::http::request;
use hyper::http::uri::PathAndQuery;
use hyper::upgrade::OnUpgrade;
use hyper::{HeaderMap, Request, Response, StatusCode, Uri, Version};
use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// How long a tunnel may be quiet: those who use them send a ping at least every minute or two.
pub const TUNNEL_TIMEOUT: Duration = Duration::from_secs(300);

/// The bounds of what is passed on.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Largest body that is passed to the server.
    pub request_bytes: u64,
    /// How long a client may send nothing of its body.
    pub request_idle: Duration,
    /// From the request's end to the head of the answer; twice as long for one with a body.
    pub head: Duration,
    /// How long the server may send nothing of its answer.
    pub answer_idle: Duration,
    /// How long a WebSocket, or what else a connection became, may be quiet both ways.
    pub tunnel_idle: Duration,
    /// Requests that the server has at once; more are a 503.
    pub requests: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            // A form or an upload of a site, not a backup.
            request_bytes: 16 * 1024 * 1024,
            request_idle: CLIENT_TIMEOUT,
            // What takes longer than a minute belongs in the background.
            head: Duration::from_secs(60),
            // Event streams send a comment at least every half minute.
            answer_idle: Duration::from_secs(120),
            tunnel_idle: TUNNEL_TIMEOUT,
            // One for each connection; the many streams of HTTP/2 open no more than that.
            requests: places::max_connections(),
        }
    }
}

/// Headers that speak of who is asking through whom; the edge says it and believes nobody else.
const FORWARDED: [HeaderName; 8] = [
    HeaderName::from_static("forwarded"),
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-forwarded-port"),
    HeaderName::from_static("x-forwarded-prefix"),
    HeaderName::from_static("x-forwarded-proto"),
    HeaderName::from_static("x-forwarded-server"),
    HeaderName::from_static("x-real-ip"),
];

/// Headers that belong to one connection, besides those that `connection` names.
const HOP_BY_HOP: [HeaderName; 9] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

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
        let head = self::head(head, introduction, protocol)?;
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
                eprintln!("error: the server gave no answer within {:?}", limits.head);
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
            remove_hop_by_hop(&mut head.headers);
            policy.complete(&mut head.headers);
            let body = Answer::Passed(passed(body));
            return Ok(Passage { answer: Response::from_parts(head, body), tunnel: None });
        }
        let protocol = answer.headers_mut().remove(UPGRADE);
        let (Some(client_side), Some(protocol)) = (client_side, protocol) else {
            eprintln!("error: the server switched to another protocol, which nobody had asked for");
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

/// The head of a request as the server gets it.
fn head(
    mut head: request::Parts,
    introduction: Introduction<'_>,
    protocol: Option<HeaderValue>,
) -> Result<request::Parts, StatusCode> {
    // What the request line names counts more (RFC 9112, section 3.2.2).
    let host = host_of(&head.uri).or_else(|| head.headers.get(HOST).cloned());
    let path = head.uri.path_and_query().cloned().unwrap_or(PathAndQuery::from_static("/"));
    head.uri = Uri::from(path);
    if head.version == Version::HTTP_2 {
        join_cookies(&mut head.headers);
    }
    head.version = Version::HTTP_11;
    remove_hop_by_hop(&mut head.headers);
    // The edge itself answers `expect: 100-continue` when it reads the body.
    head.headers.remove(EXPECT);
    head.headers.remove("http2-settings");
    if let Some(protocol) = protocol {
        head.headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        head.headers.insert(UPGRADE, protocol);
    }
    introduce(&mut head.headers, introduction, host);
    Ok(head)
}

/// On HTTP/2 each cookie may come in a field of its own; HTTP/1.1 knows one (RFC 9113, section 8.2.3).
fn join_cookies(headers: &mut HeaderMap) {
    let cookies: Vec<&[u8]> = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if cookies.len() > 1
        && let Ok(cookies) = HeaderValue::from_bytes(&cookies.join(&b"; "[..]))
    {
        headers.insert(COOKIE, cookies);
    }
}

fn host_of(uri: &Uri) -> Option<HeaderValue> {
    let authority = uri.authority()?.as_str();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    HeaderValue::from_str(host).ok()
}

/// Says who is asking, and for which host.
fn introduce(headers: &mut HeaderMap, introduction: Introduction<'_>, host: Option<HeaderValue>) {
    for name in &FORWARDED {
        headers.remove(name);
    }
    let who = introduction.who;
    headers.insert("forwarded", who.forwarded.clone());
    headers.insert("x-forwarded-for", who.forwarded_for.clone());
    headers.insert("x-forwarded-proto", HeaderValue::from_static(who.scheme.as_str()));
    if let Some(host) = host {
        headers.insert("x-forwarded-host", host.clone());
        headers.insert(HOST, host);
    }
    headers.insert(X_REQUEST_ID, introduction.request_id.clone());
}

fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|field| field.split(','))
        .filter_map(|name| name.trim().parse().ok())
        // Nobody may have the edge drop what frames or addresses the message.
        .filter(|name| ![HOST, CONTENT_LENGTH].contains(name))
        .collect();
    for name in HOP_BY_HOP.iter().chain(&named) {
        headers.remove(name);
    }
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
    eprintln!("error: the server gave no answer: {error}{causes}");
    StatusCode::BAD_GATEWAY
}

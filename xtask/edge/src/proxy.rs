//! The release's server behind the edge: requests go to it and answers come back, streamed both
//! ways, without what belongs to one connection only (RFC 9110, section 7.6.1).

use crate::body::{Answer, BodyError, Passed};
use crate::policy::Policy;
use hyper::body::{Body, Incoming};
use hyper::header::{
    CONNECTION, CONTENT_LENGTH, EXPECT, HOST, HeaderName, HeaderValue, PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use hyper::http::uri::{Authority, PathAndQuery, Scheme};
use hyper::{HeaderMap, Request, Response, StatusCode, Uri, Version};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use std::error::Error;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// The server is on the same machine: it takes a connection at once or is overwhelmed.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// Idle connections to the server that are kept, and for how long: shorter than servers do, so that
/// it is the edge that closes them.
const MAX_IDLE_CONNECTIONS: usize = 64;
const IDLE_CONNECTION_TIMEOUT: Duration = Duration::from_secs(4);

/// The bounds of what is passed on.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Largest body that is passed to the server.
    pub request_bytes: u64,
    /// How long a client may send nothing of its body.
    pub request_idle: Duration,
    /// From the request's start to the head of the answer.
    pub head: Duration,
    /// How long the server may send nothing of its answer.
    pub answer_idle: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            // A form or an upload of a site, not a backup.
            request_bytes: 16 * 1024 * 1024,
            request_idle: Duration::from_secs(30),
            // An upload of the largest size fits in, at 3 Mbit/s.
            head: Duration::from_secs(60),
            // Event streams send a comment at least every half minute.
            answer_idle: Duration::from_secs(120),
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
    client: Client<HttpConnector, Passed>,
    authority: Authority,
    limits: Limits,
}

impl Proxy {
    pub fn new(server: SocketAddr, limits: Limits) -> anyhow::Result<Proxy> {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_max_idle_per_host(MAX_IDLE_CONNECTIONS)
            .pool_idle_timeout(IDLE_CONNECTION_TIMEOUT)
            .build(connector);
        Ok(Proxy { client, authority: server.to_string().parse()?, limits })
    }

    /// The server's answer, or the status to give in its stead.
    ///
    /// # Errors
    /// 413, 408, 502, 504, or 400 for a request that cannot be passed on.
    pub async fn pass(
        &self,
        request: Request<Incoming>,
        client: IpAddr,
        request_id: &HeaderValue,
        policy: &Policy,
    ) -> Result<Response<Answer>, StatusCode> {
        let (mut head, body) = request.into_parts();
        let limits = self.limits;
        if body.size_hint().lower() > limits.request_bytes {
            return Err(StatusCode::PAYLOAD_TOO_LARGE);
        }
        let asked = head.uri.path_and_query().cloned();
        let host = head.headers.get(HOST).cloned().or_else(|| host_of(&head.uri));
        head.uri = self.address(asked)?;
        head.version = Version::HTTP_11;
        remove_hop_by_hop(&mut head.headers);
        // The edge itself answers `expect: 100-continue` when it reads the body.
        head.headers.remove(EXPECT);
        introduce(&mut head.headers, client, host, request_id);
        let body = Passed::new(body, limits.request_bytes, limits.request_idle);
        let answer = self.client.request(Request::from_parts(head, body));
        match tokio::time::timeout(limits.head, answer).await {
            // Nobody asked for another protocol: `upgrade` is not passed on.
            Ok(Ok(answer)) if answer.status() == StatusCode::SWITCHING_PROTOCOLS => {
                Err(StatusCode::BAD_GATEWAY)
            }
            Ok(Ok(answer)) => Ok(passed_back(answer, policy, limits.answer_idle)),
            Ok(Err(error)) => Err(status_of(&error)),
            Err(_) => {
                eprintln!("error: the server gave no answer within {:?}", limits.head);
                Err(StatusCode::GATEWAY_TIMEOUT)
            }
        }
    }

    fn address(&self, path: Option<PathAndQuery>) -> Result<Uri, StatusCode> {
        Uri::builder()
            .scheme(Scheme::HTTP)
            .authority(self.authority.clone())
            .path_and_query(path.unwrap_or(PathAndQuery::from_static("/")))
            .build()
            .map_err(|_| StatusCode::BAD_REQUEST)
    }
}

fn host_of(uri: &Uri) -> Option<HeaderValue> {
    uri.authority().and_then(|authority| HeaderValue::from_str(authority.as_str()).ok())
}

/// Says who is asking, and for which host.
fn introduce(
    headers: &mut HeaderMap,
    client: IpAddr,
    host: Option<HeaderValue>,
    request_id: &HeaderValue,
) {
    for name in &FORWARDED {
        headers.remove(name);
    }
    if let Ok(client) = HeaderValue::from_str(&client.to_canonical().to_string()) {
        headers.insert("x-forwarded-for", client);
    }
    headers.insert("x-forwarded-proto", HeaderValue::from_static("http"));
    if let Some(host) = host {
        headers.insert("x-forwarded-host", host.clone());
        headers.insert(HOST, host);
    }
    headers.insert(X_REQUEST_ID, request_id.clone());
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

fn passed_back(answer: Response<Incoming>, policy: &Policy, idle: Duration) -> Response<Answer> {
    let (mut head, body) = answer.into_parts();
    head.version = Version::HTTP_11;
    remove_hop_by_hop(&mut head.headers);
    policy.complete(&mut head.headers);
    Response::from_parts(head, Answer::Passed(Passed::new(body, u64::MAX, idle)))
}

/// The status that stands for a failure; a client's own fault is not the server's.
fn status_of(error: &hyper_util::client::legacy::Error) -> StatusCode {
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

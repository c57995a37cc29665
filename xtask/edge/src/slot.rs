//! A release that is ready to answer: its site, and its server behind it.

use crate::answer::Answers;
use crate::body::Answer;
use crate::metrics::ReleaseMetrics;
use crate::proxy::{Introduction, Proxy};
use crate::request_path::{self, RequestPath};
use crate::site::{File, Route};
use crate::traffic::Traffic;
use arc_swap::ArcSwapOption;
use hyper::body::Incoming;
use hyper::header::{
    ACCEPT_ENCODING, ALLOW, CONNECTION, CONTENT_LENGTH, HOST, HeaderValue, RETRY_AFTER,
};
use hyper::{HeaderMap, Method, Request, Response, StatusCode, Version};
use release::{CacheClass, ReleaseId};
use std::sync::Arc;

/// When a client may try again that came while the server was being started again, or had as many
/// requests as it may, in seconds.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("1");

/// A release that is ready to answer.
#[derive(Debug)]
pub struct Slot {
    pub id: ReleaseId,
    /// The id, as answers carry it.
    pub name: HeaderValue,
    pub answers: Answers,
    pub server: Arc<Backend>,
    pub metrics: Arc<ReleaseMetrics>,
}

/// The server of a release.
#[derive(Debug)]
pub enum Backend {
    /// The release has none.
    None,
    /// Empty while it is being started again.
    Server(ArcSwapOption<Proxy>),
}

impl Backend {
    /// Of a server that is ready, or of a release without one.
    pub fn new(proxy: Option<Proxy>) -> Backend {
        proxy.map_or(Backend::None, |proxy| {
            Backend::Server(ArcSwapOption::from_pointee(Some(proxy)))
        })
    }

    /// The server is reached by this from now on; by nothing while it is being started again.
    pub fn replace(&self, proxy: Option<Proxy>) {
        if let Backend::Server(server) = self {
            server.store(proxy.map(Arc::new));
        }
    }
}

impl Slot {
    pub fn new(
        id: ReleaseId,
        answers: Answers,
        server: Backend,
        metrics: Arc<ReleaseMetrics>,
    ) -> Slot {
        // An id is made of characters that a header can carry.
        let name =
            HeaderValue::from_str(id.as_str()).unwrap_or(HeaderValue::from_static("unknown"));
        Slot { id, name, answers, server: Arc::new(server), metrics }
    }

    /// The answer to a request. `traffic` knows the files of the releases before and after this one,
    /// for pages that are still open.
    pub async fn answer(
        self: &Arc<Self>,
        request: Request<Incoming>,
        introduction: Introduction<'_>,
        traffic: &Traffic,
    ) -> Response<Answer> {
        let method = request.method().clone();
        let is_for_the_edge = method == Method::OPTIONS && request.uri().path() == "*";
        if is_for_the_edge {
            return self.answers.options();
        }
        if method == Method::CONNECT || method == Method::TRACE {
            return self.not_allowed(request.headers()).await;
        }
        if !is_addressed_and_framed_once(&request) {
            return self.malformed(request.headers()).await;
        }
        let path = match request_path::decode(request.uri().path()) {
            RequestPath::Decoded(path) => Some(path),
            RequestPath::Foreign => None,
            RequestPath::Malformed => return self.malformed(request.headers()).await,
        };
        let is_read = method == Method::GET || method == Method::HEAD;
        let mut is_asset = false;
        if is_read && let Some(path) = path.as_deref() {
            match self.answers.site.route(path) {
                Some(Route::File(file)) => return self.file(file, &request).await,
                Some(Route::Folder) => {
                    return self.answers.to_folder(request.uri().path(), request.uri().query());
                }
                None => {}
            }
            if let Some(file) = traffic.asset(path) {
                return self.file(file, &request).await;
            }
            is_asset = CacheClass::of(path) == CacheClass::Immutable;
        }
        match &*self.server {
            Backend::Server(proxy) => match proxy.load_full() {
                Some(proxy) => self.pass(&proxy, request, introduction, is_asset).await,
                None => self.unavailable(request.headers()).await,
            },
            Backend::None if method == Method::OPTIONS => self.answers.options(),
            Backend::None if is_asset => self.answers.no_asset(),
            Backend::None if is_read => {
                self.answers.error(StatusCode::NOT_FOUND, request.headers()).await
            }
            Backend::None => self.not_allowed(request.headers()).await,
        }
    }

    async fn file(&self, file: &File, request: &Request<Incoming>) -> Response<Answer> {
        match file.negotiate(request.headers()) {
            Some(representation) => {
                self.answers.file(representation, request.method(), request.headers()).await
            }
            None => self.answers.error(StatusCode::NOT_ACCEPTABLE, request.headers()).await,
        }
    }

    async fn pass(
        self: &Arc<Self>,
        proxy: &Proxy,
        request: Request<Incoming>,
        introduction: Introduction<'_>,
        is_asset: bool,
    ) -> Response<Answer> {
        let negotiated = what_is_negotiated(request.headers());
        let policy = &self.answers.policy;
        match proxy.pass(request, introduction, policy).await {
            Ok(passage) => {
                if let Some(tunnel) = passage.tunnel {
                    let slot = Arc::clone(self);
                    tokio::spawn(async move {
                        tunnel.run().await;
                        // Until here, the release was in use.
                        drop(slot);
                    });
                }
                // Many servers answer a path that they do not know with their front page.
                if is_asset && is_page(passage.answer.headers()) {
                    return self.answers.no_asset();
                }
                passage.answer
            }
            Err(status) => {
                if status == StatusCode::SERVICE_UNAVAILABLE {
                    return self.unavailable(&negotiated).await;
                }
                let mut answer = self.answers.error(status, &negotiated).await;
                // What is left of the request's body is not read.
                answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                answer
            }
        }
    }

    async fn unavailable(&self, request: &HeaderMap) -> Response<Answer> {
        let mut answer = self.answers.error(StatusCode::SERVICE_UNAVAILABLE, request).await;
        answer.headers_mut().insert(RETRY_AFTER, RETRY_AFTER_SECONDS);
        answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        answer
    }

    /// Who sends what is no request is not asked for another one.
    async fn malformed(&self, request: &HeaderMap) -> Response<Answer> {
        let mut answer = self.answers.error(StatusCode::BAD_REQUEST, request).await;
        answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        answer
    }

    async fn not_allowed(&self, request: &HeaderMap) -> Response<Answer> {
        let mut answer = self.answers.error(StatusCode::METHOD_NOT_ALLOWED, request).await;
        let allow = HeaderValue::from_static("GET, HEAD, OPTIONS");
        answer.headers_mut().insert(ALLOW, allow);
        answer
    }
}

/// Whether all who read a request find it for the same host, and its body of the same length: RFC 9112,
/// section 3.2; RFC 9113, section 8.3.1. Over HTTP/1, [`crate::heads`] has looked at the length.
fn is_addressed_and_framed_once(request: &Request<Incoming>) -> bool {
    let count = |name| request.headers().get_all(name).iter().count();
    let is_http2 = request.version() == Version::HTTP_2;
    let is_host_needed = request.version() == Version::HTTP_11;
    let hosts = count(HOST);
    if hosts > 1 || hosts == 0 && is_host_needed || count(CONTENT_LENGTH) > 1 {
        return false;
    }
    match (request.uri().authority(), request.headers().get(HOST)) {
        (Some(authority), Some(host)) if is_http2 => {
            host.as_bytes().eq_ignore_ascii_case(authority.as_str().as_bytes())
        }
        _ => true,
    }
}

/// What an error page needs to know of a request that was passed on: cheaper than all of its headers.
fn what_is_negotiated(request: &HeaderMap) -> HeaderMap {
    request.get_all(ACCEPT_ENCODING).iter().map(|it| (ACCEPT_ENCODING, it.clone())).collect()
}

fn is_page(headers: &HeaderMap) -> bool {
    let content_type = headers.get(hyper::header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    content_type
        .is_some_and(|it| it.get(..9).is_some_and(|it| it.eq_ignore_ascii_case(b"text/html")))
}

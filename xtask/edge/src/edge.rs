//! A request comes in, an answer goes out: which of the parts gives it.

use crate::answer::Answers;
use crate::body::Answer;
use crate::proxy::{Proxy, X_REQUEST_ID};
use crate::request_id::RequestIds;
use crate::request_path::{self, RequestPath};
use crate::site::Route;
use hyper::body::Incoming;
use hyper::header::{ALLOW, CONNECTION, HOST, HeaderValue};
use hyper::{HeaderMap, Method, Request, Response, StatusCode, Version};
use std::net::SocketAddr;

/// Answers requests for one release.
#[derive(Debug)]
pub struct Edge {
    pub answers: Answers,
    /// The release's server, if it has one.
    pub proxy: Option<Proxy>,
    pub request_ids: RequestIds,
}

impl Edge {
    pub async fn answer(&self, request: Request<Incoming>, client: SocketAddr) -> Response<Answer> {
        let request_id = self.request_ids.next();
        let is_head = *request.method() == Method::HEAD;
        let mut answer = self.route(request, client, &request_id).await;
        if is_head && !matches!(answer.body(), Answer::Passed(_)) {
            *answer.body_mut() = Answer::empty();
        }
        answer.headers_mut().insert(X_REQUEST_ID, request_id);
        answer
    }

    async fn route(
        &self,
        request: Request<Incoming>,
        client: SocketAddr,
        request_id: &HeaderValue,
    ) -> Response<Answer> {
        let method = request.method().clone();
        let is_for_the_edge = method == Method::OPTIONS && request.uri().path() == "*";
        if is_for_the_edge {
            return self.answers.options();
        }
        if method == Method::CONNECT || method == Method::TRACE {
            return self.not_allowed(request.headers()).await;
        }
        let hosts = request.headers().get_all(HOST).iter().count();
        // RFC 9112, section 3.2.
        if hosts > 1 || hosts == 0 && request.version() == Version::HTTP_11 {
            return self.answers.error(StatusCode::BAD_REQUEST, request.headers()).await;
        }
        let path = match request_path::decode(request.uri().path()) {
            RequestPath::Decoded(path) => Some(path),
            RequestPath::Foreign => None,
            RequestPath::Malformed => {
                return self.answers.error(StatusCode::BAD_REQUEST, request.headers()).await;
            }
        };
        if method == Method::GET || method == Method::HEAD {
            match path.as_deref().and_then(|path| self.answers.site.route(path)) {
                Some(Route::File(file)) => {
                    let Some(representation) = file.negotiate(request.headers()) else {
                        let status = StatusCode::NOT_ACCEPTABLE;
                        return self.answers.error(status, request.headers()).await;
                    };
                    return self.answers.file(representation, &method, request.headers()).await;
                }
                Some(Route::Folder) => {
                    return self.answers.to_folder(request.uri().path(), request.uri().query());
                }
                None => {}
            }
        }
        match &self.proxy {
            Some(proxy) => self.pass(proxy, request, client, request_id).await,
            None if method == Method::OPTIONS => self.answers.options(),
            None if method == Method::GET || method == Method::HEAD => {
                self.answers.error(StatusCode::NOT_FOUND, request.headers()).await
            }
            None => self.not_allowed(request.headers()).await,
        }
    }

    async fn pass(
        &self,
        proxy: &Proxy,
        request: Request<Incoming>,
        client: SocketAddr,
        request_id: &HeaderValue,
    ) -> Response<Answer> {
        let headers = request.headers().clone();
        let policy = &self.answers.policy;
        match proxy.pass(request, client.ip(), request_id, policy).await {
            Ok(answer) => answer,
            Err(status) => {
                let mut answer = self.answers.error(status, &headers).await;
                // What is left of the request's body is not read.
                answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                answer
            }
        }
    }

    async fn not_allowed(&self, request: &HeaderMap) -> Response<Answer> {
        let mut answer = self.answers.error(StatusCode::METHOD_NOT_ALLOWED, request).await;
        let allow = HeaderValue::from_static("GET, HEAD, OPTIONS");
        answer.headers_mut().insert(ALLOW, allow);
        answer
    }
}

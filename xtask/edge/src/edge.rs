//! A request comes in, an answer goes out: which of the parts gives it.

use crate::answer::Answers;
use crate::body::Answer;
use crate::client::{Client, Scheme};
use crate::proxy::{Introduction, Proxy, X_REQUEST_ID};
use crate::request_id::RequestIds;
use crate::request_path::{self, RequestPath};
use crate::site::Route;
use hyper::body::Incoming;
use hyper::header::{ALLOW, CONNECTION, HOST, HeaderValue, STRICT_TRANSPORT_SECURITY};
use hyper::{HeaderMap, Method, Request, Response, StatusCode, Version};
use std::sync::Arc;

/// Answers requests for one release.
#[derive(Debug)]
pub struct Edge {
    pub answers: Answers,
    /// The release's server, if it has one.
    pub proxy: Option<Proxy>,
    pub request_ids: RequestIds,
}

impl Edge {
    pub async fn answer(
        &self,
        request: Request<Incoming>,
        client: &Arc<Client>,
    ) -> Response<Answer> {
        let request_id = self.request_ids.next();
        let is_head = *request.method() == Method::HEAD;
        let who = client.who(request.headers());
        let introduction = Introduction { client, who: &who, request_id: &request_id };
        let mut answer = self.route(request, introduction).await;
        if is_head && !matches!(answer.body(), Answer::Passed(_)) {
            *answer.body_mut() = Answer::empty();
        }
        if who.scheme == Scheme::Http {
            // RFC 6797, section 7.2: never over a connection that anyone may have altered.
            answer.headers_mut().remove(STRICT_TRANSPORT_SECURITY);
        }
        answer.headers_mut().insert(X_REQUEST_ID, request_id);
        answer
    }

    async fn route(
        &self,
        request: Request<Incoming>,
        introduction: Introduction<'_>,
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
            Some(proxy) => self.pass(proxy, request, introduction).await,
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
        introduction: Introduction<'_>,
    ) -> Response<Answer> {
        let headers = request.headers().clone();
        let policy = &self.answers.policy;
        match proxy.pass(request, introduction, policy).await {
            Ok(passage) => {
                if let Some(tunnel) = passage.tunnel {
                    tokio::spawn(tunnel.run());
                }
                passage.answer
            }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Trusted;
    use crate::connection::{CLIENT_TIMEOUT, Serving};
    use crate::policy::Policy;
    use crate::proxy::Limits;
    use crate::site::Site;
    use std::time::Duration;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    const SHORT: Duration = Duration::from_millis(50);
    const LONG: Duration = Duration::from_secs(3600);

    /// Sends a request to an edge whose server takes it, gives the start of an answer, and then
    /// nothing more. Gives all that comes back.
    async fn answer(limits: Limits, request: &str, start_of_answer: &'static str) -> String {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let policy = Policy::new(&[("x-policy".to_owned(), "1".to_owned())].into()).unwrap();
        let proxy = Some(Proxy::new(server.local_addr().unwrap(), limits));
        let answers = Answers { site: Site::default(), policy };
        let edge = Arc::new(Edge { answers, proxy, request_ids: RequestIds::default() });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = server.accept().await.unwrap();
            stream.write_all(start_of_answer.as_bytes()).await.unwrap();
            std::future::pending::<()>().await;
        });
        let serving = Serving {
            edge,
            tls: None,
            trusted: Trusted::default(),
            client_timeout: CLIENT_TIMEOUT,
        };
        tokio::spawn(crate::listen::serve(listener, serving, std::future::pending()));
        client.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        answer
    }

    fn limits() -> Limits {
        Limits {
            request_bytes: 100,
            request_idle: LONG,
            head: LONG,
            answer_idle: LONG,
            tunnel_idle: LONG,
            requests: 10,
        }
    }

    #[tokio::test]
    async fn a_server_that_gives_no_answer_is_a_504() {
        let limits = Limits { head: SHORT, ..limits() };
        let answer = answer(limits, "GET /x HTTP/1.1\r\nhost: a\r\n\r\n", "").await;
        assert!(answer.starts_with("HTTP/1.1 504 "), "{answer}");
        assert!(answer.contains("x-policy: 1\r\n"), "{answer}");
    }

    #[tokio::test]
    async fn a_server_that_stops_in_its_answer_is_cut_off() {
        let limits = Limits { answer_idle: SHORT, ..limits() };
        let start = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf";
        let answer = answer(limits, "GET /x HTTP/1.1\r\nhost: a\r\n\r\n", start).await;
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("half"), "{answer}");
    }

    #[tokio::test]
    async fn a_client_that_stops_in_its_request_is_a_408() {
        let limits = Limits { request_idle: SHORT, ..limits() };
        let request = "POST /x HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nhalf";
        let answer = answer(limits, request, "").await;
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    }

    #[tokio::test]
    async fn a_body_beyond_the_limit_is_a_413_whether_announced_or_not() {
        let announced = "POST /x HTTP/1.1\r\nhost: a\r\ncontent-length: 101\r\n\r\n";
        let chunked = format!(
            "POST /x HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n65\r\n{}\r\n",
            "x".repeat(101)
        );
        for request in [announced, &chunked] {
            let answer = answer(limits(), request, "").await;
            assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
        }
    }
}

//! A request comes in, an answer goes out: which release gives it, and what is said around it.

use crate::body::Answer;
use crate::client::{Client, Scheme};
use crate::client_id::Signer;
use crate::measured::{Counted, Flight, Measured};
use crate::metrics::Metrics;
use crate::page;
use crate::proxy::{Introduction, X_REQUEST_ID};
use crate::request_id::RequestIds;
use crate::traffic::{self, Remember, Traffic, X_SLIPWAY_RELEASE};
use arc_swap::ArcSwap;
use hyper::body::Incoming;
use hyper::header::{
    CACHE_CONTROL, CONNECTION, HeaderValue, SET_COOKIE, STRICT_TRANSPORT_SECURITY,
};
use hyper::{HeaderMap, Method, Request, Response, Version};
use release::ReleaseId;
use std::sync::Arc;

/// Answers requests, each by one release.
#[derive(Debug)]
pub struct Edge {
    traffic: ArcSwap<Traffic>,
    pub metrics: Metrics,
    /// Set in an environment, where traffic is split.
    signer: Option<Signer>,
    request_ids: RequestIds,
}

impl Edge {
    /// An edge in which nothing is live yet.
    pub fn new(signer: Option<Signer>) -> Edge {
        Edge {
            traffic: ArcSwap::default(),
            metrics: Metrics::default(),
            signer,
            request_ids: RequestIds::default(),
        }
    }

    /// From now on, requests are answered by these releases.
    pub fn route(&self, traffic: Traffic) {
        self.traffic.store(Arc::new(traffic));
    }

    /// Which releases answer now.
    pub fn traffic(&self) -> Arc<Traffic> {
        self.traffic.load_full()
    }

    /// The answer to a request: by `pinned`, or by the release that the routing chooses.
    pub async fn answer(
        &self,
        mut request: Request<Incoming>,
        client: &Arc<Client>,
        pinned: Option<&ReleaseId>,
    ) -> Response<Measured> {
        let traffic = self.traffic.load();
        let request_id = self.request_ids.next();
        let is_head = *request.method() == Method::HEAD;
        let who = client.who(request.headers()).into_owned();
        let choice = match pinned {
            Some(id) => traffic.pinned(id),
            None => traffic.choose(request.headers(), request.uri(), self.signer.as_ref()),
        };
        let slot = choice.as_ref().ok().and_then(|choice| choice.slot);
        let counted = match slot {
            Some(slot) => Counted::Slot(Arc::clone(slot)),
            None => Counted::None(Arc::clone(&self.metrics.none)),
        };
        let flight = Flight::begin(counted);
        let mut answer = match (&choice, slot) {
            (_, Some(slot)) => {
                if self.signer.is_some() {
                    traffic::strip(&mut request);
                }
                let introduction = Introduction { client, who: &who, request_id: &request_id };
                slot.answer(request, introduction, &traffic).await
            }
            (Ok(_), None) => closing(page::nothing_live(), request.version()),
            (Err(_), None) => closing(page::not_loaded(), request.version()),
        };
        if is_head && !matches!(answer.body(), Answer::Passed(_)) {
            *answer.body_mut() = Answer::empty();
        }
        let headers = answer.headers_mut();
        if who.scheme == Scheme::Http {
            // RFC 6797, section 7.2: never over a connection that anyone may have altered.
            headers.remove(STRICT_TRANSPORT_SECURITY);
        }
        headers.insert(X_REQUEST_ID, request_id);
        headers.remove(X_SLIPWAY_RELEASE);
        if let Some(slot) = slot {
            headers.insert(X_SLIPWAY_RELEASE, slot.name.clone());
        }
        if let Ok(choice) = choice
            && choice.is_own
        {
            self.mark_as_own(headers, &choice.remember, who.scheme == Scheme::Https);
        }
        flight.carry(answer)
    }

    /// Another client might get another release's answer: no cache may share this one. What is
    /// immutable is the same from every release, and carries nothing about the client.
    fn mark_as_own(&self, headers: &mut HeaderMap, remember: &Remember, is_secure: bool) {
        if is_immutable(headers) {
            return;
        }
        make_private(headers);
        let cookie = match remember {
            Remember::Nothing => return,
            Remember::Id(id) => self.signer.as_ref().map(|signer| signer.cookie(*id, is_secure)),
            Remember::Wish(wish) => Some(traffic::wish_cookie(wish, is_secure)),
        };
        if let Some(cookie) = cookie.and_then(|cookie| HeaderValue::from_str(&cookie).ok()) {
            headers.append(SET_COOKIE, cookie);
        }
    }
}

/// What is left of the request's body is not read.
fn closing(mut answer: Response<Answer>, version: Version) -> Response<Answer> {
    if version < Version::HTTP_2 {
        answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    answer
}

fn is_immutable(headers: &HeaderMap) -> bool {
    directives(headers).any(|directive| directive.eq_ignore_ascii_case("immutable"))
}

fn directives(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let fields = headers.get_all(CACHE_CONTROL).iter().filter_map(|field| field.to_str().ok());
    fields.flat_map(|field| field.split(',')).map(str::trim)
}

/// Lets only the client itself keep an answer (RFC 9111, section 5.2.2.7).
fn make_private(headers: &mut HeaderMap) {
    let mut kept: Vec<&str> = directives(headers).collect();
    // A directive's name is the same in capitals (RFC 9111, section 5.2).
    let is = |directive: &str, name: &str| {
        directive.split('=').next().is_some_and(|it| it.trim().eq_ignore_ascii_case(name))
    };
    if kept.iter().any(|it| is(it, "no-store")) {
        return;
    }
    kept.retain(|it| !["public", "private", "s-maxage"].iter().any(|name| is(it, name)));
    kept.insert(0, "private");
    if let Ok(value) = HeaderValue::from_str(&kept.join(", ")) {
        headers.insert(CACHE_CONTROL, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::Answers;
    use crate::client::Trusted;
    use crate::connection::{CLIENT_TIMEOUT, Serving};
    use crate::policy::Policy;
    use crate::proxy::{Limits, Proxy};
    use crate::slot::{Backend, Slot};
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
        let proxy = Proxy::new(server.local_addr().unwrap(), limits);
        let answers = Answers { site: Arc::default(), policy };
        let edge = Edge::new(None);
        let id: ReleaseId = "2026-11-23-ba7816bf8f01".parse().unwrap();
        let metrics = edge.metrics.of(&id);
        edge.route(Traffic::of_one(Slot::new(id, answers, Backend::new(Some(proxy)), metrics)));
        let edge = Arc::new(edge);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = server.accept().await.unwrap();
            // An answer before there is a question is a fault of its own.
            stream.peek(&mut [0]).await.unwrap();
            stream.write_all(start_of_answer.as_bytes()).await.unwrap();
            std::future::pending::<()>().await;
        });
        let serving = Serving {
            edge,
            tls: None,
            trusted: Trusted::default(),
            pinned: None,
            client_timeout: CLIENT_TIMEOUT,
        };
        let workers = crate::listen::Workers::start(serving).unwrap();
        tokio::spawn(workers.serve(listener, std::future::pending()));
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

    #[test]
    fn an_own_answer_is_kept_by_its_client_alone() {
        for (field, expected) in [
            ("", "private"),
            ("no-cache", "private, no-cache"),
            ("public, max-age=60, s-maxage=600", "private, max-age=60"),
            ("Public, Max-Age=60, S-MaxAge=600", "private, Max-Age=60"),
            ("private", "private"),
            ("no-store", "no-store"),
            ("No-Store", "No-Store"),
        ] {
            let mut headers = HeaderMap::new();
            if !field.is_empty() {
                headers.insert(CACHE_CONTROL, HeaderValue::from_static(field));
            }
            make_private(&mut headers);
            assert_eq!(headers[CACHE_CONTROL], expected);
        }
    }
}

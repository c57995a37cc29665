//! Where the edge is asked for its state and its numbers: on an address of its own, by those who run
//! it.

use crate::edge::Edge;
use crate::metrics::{Facts, Snapshot, exposition};
use crate::tls::Shown;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::Serialize;
use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// Connections at once: a promoter, a scraper, a few people.
const MAX_CONNECTIONS: usize = 64;

/// For a request's head, and for the next request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// Between two attempts to take a connection when the system has nothing left to give.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(50);

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const PROMETHEUS: HeaderValue =
    HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

/// Answers for one edge.
#[derive(Debug)]
pub struct Admin {
    pub edge: Arc<Edge>,
    pub instance: String,
    pub environment: String,
    /// Folder of the servers' data.
    pub data: PathBuf,
    /// The certificate; `None` without TLS.
    pub certificate: Option<Arc<Shown>>,
}

impl Admin {
    /// Serves until it is given up.
    pub async fn serve(self, listener: TcpListener) {
        let admin = Arc::new(self);
        let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        loop {
            let place = Arc::clone(&places).acquire_owned().await;
            let stream = match listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    say!("error: failed to take an admin connection: {error}");
                    tokio::time::sleep(EXHAUSTED_PAUSE).await;
                    continue;
                }
            };
            let admin = Arc::clone(&admin);
            let service = service_fn(move |request| {
                let answer = admin.answer(&request);
                async move { Ok::<_, Infallible>(answer) }
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_TIMEOUT)
                .serve_connection(TokioIo::new(stream), service);
            tokio::spawn(async move {
                // How it ends is the affair of the one who asks.
                let _ = connection.await;
                drop(place);
            });
        }
    }

    fn answer(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        if request.method() != Method::GET && request.method() != Method::HEAD {
            let mut answer = respond(StatusCode::METHOD_NOT_ALLOWED, TEXT, "expected GET\n".into());
            answer.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return answer;
        }
        let traffic = self.edge.traffic();
        let live = traffic.live.as_ref();
        let not_after = || self.certificate.as_ref().and_then(|it| it.not_after());
        match request.uri().path() {
            "/status" => {
                let status =
                    traffic.report.status(&self.instance, &self.environment, &self.data, live);
                json(&status.with_certificate(not_after()))
            }
            "/metrics.json" => json(&Snapshot::of(&self.edge.metrics)),
            "/metrics" => {
                let facts = Facts {
                    live: live.map(|slot| slot.id.as_str()),
                    generation: traffic.report.routing.as_ref().map(|it| it.generation),
                    certificate_not_after: not_after(),
                };
                respond(StatusCode::OK, PROMETHEUS, exposition(&self.edge.metrics, facts))
            }
            "/health" => respond(StatusCode::OK, TEXT, "ok\n".into()),
            _ => {
                let text = "expected /status, /metrics, /metrics.json or /health\n";
                respond(StatusCode::NOT_FOUND, TEXT, text.into())
            }
        }
    }
}

fn json(value: &impl Serialize) -> Response<Full<Bytes>> {
    match serde_json::to_string(value) {
        Ok(text) => respond(StatusCode::OK, JSON, text + "\n"),
        Err(error) => respond(StatusCode::INTERNAL_SERVER_ERROR, TEXT, format!("{error}\n")),
    }
}

fn respond(status: StatusCode, kind: HeaderValue, text: String) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(text.into()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, kind);
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

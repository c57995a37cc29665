//! Answers that the edge gives by itself: a static file, a redirect, an error page.

use crate::body::{Answer, FilePart};
use crate::conditional::{self, Condition, Wanted};
use crate::page;
use crate::policy::Policy;
use crate::site::{Contents, File, Representation, Route, Site};
use hyper::body::Bytes;
use hyper::header::{
    ACCEPT_RANGES, ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_TYPE, ETAG, HeaderValue, LOCATION,
};
use hyper::{HeaderMap, Method, Response, StatusCode};
use std::sync::Arc;

/// Makes the answers that need no server.
#[derive(Debug)]
pub struct Answers {
    pub site: Arc<Site>,
    pub policy: Policy,
}

impl Answers {
    /// A static file's representation, or the part of it that is asked for, or the news that the
    /// client has it.
    pub async fn file(
        &self,
        representation: &Representation,
        method: &Method,
        request: &HeaderMap,
    ) -> Response<Answer> {
        let mut headers = representation.headers.clone();
        match conditional::condition(request, &representation.etag) {
            Condition::Met => {}
            Condition::Failed => return self.error(StatusCode::PRECONDITION_FAILED, request).await,
            Condition::HasIt => {
                for name in [CONTENT_TYPE, CONTENT_LENGTH, CONTENT_ENCODING, ACCEPT_RANGES] {
                    headers.remove(name);
                }
                return assemble(StatusCode::NOT_MODIFIED, headers, Answer::empty());
            }
        }
        let size = representation.size_bytes;
        let wanted = if *method == Method::GET && representation.is_identity {
            conditional::wanted(request, &representation.etag, size)
        } else {
            Wanted::All
        };
        let (status, start, length) = match wanted {
            Wanted::All => (StatusCode::OK, 0, size),
            Wanted::Part(first, last) => {
                insert(&mut headers, CONTENT_RANGE, &format!("bytes {first}-{last}/{size}"));
                (StatusCode::PARTIAL_CONTENT, first, last - first + 1)
            }
            Wanted::Nothing => {
                let mut answer = self.error(StatusCode::RANGE_NOT_SATISFIABLE, request).await;
                insert(answer.headers_mut(), CONTENT_RANGE, &format!("bytes */{size}"));
                return answer;
            }
        };
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        if *method == Method::HEAD {
            return assemble(status, headers, Answer::empty());
        }
        match contents(representation, start, length).await {
            Ok(body) => assemble(status, headers, body),
            Err(error) => {
                say!("error: failed to read a file of the release: {error}");
                self.plain_error(StatusCode::INTERNAL_SERVER_ERROR)
            }
        }
    }

    /// Sends the client to the same path with a `/` at its end.
    pub fn to_folder(&self, path: &str, query: Option<&str>) -> Response<Answer> {
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        let mut headers = HeaderMap::new();
        insert(&mut headers, LOCATION, &format!("{path}/{query}"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        self.policy.complete(&mut headers);
        assemble(StatusCode::PERMANENT_REDIRECT, headers, Answer::empty())
    }

    /// What methods a site without a server knows.
    pub fn options(&self) -> Response<Answer> {
        let mut headers = HeaderMap::new();
        headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD, OPTIONS"));
        self.policy.complete(&mut headers);
        assemble(StatusCode::NO_CONTENT, headers, Answer::empty())
    }

    /// The site's own page for a status (`404.html`; for what went wrong here, `503.html`,
    /// `maintenance.html` and `500.html` stand in), else a plain one.
    pub async fn error(&self, status: StatusCode, request: &HeaderMap) -> Response<Answer> {
        if let Some(file) = self.error_page(status)
            && let Some(page) = file.negotiate(request)
            && let Ok(body) = contents(page, 0, page.size_bytes).await
        {
            let mut headers = page.headers.clone();
            headers.remove(ETAG);
            headers.remove(ACCEPT_RANGES);
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            return assemble(status, headers, body);
        }
        self.plain_error(status)
    }

    fn error_page(&self, status: StatusCode) -> Option<&File> {
        let stand_ins: &[&str] = match status {
            StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT => &["503", "maintenance", "500"],
            status if status.is_server_error() => &["500"],
            _ => &[],
        };
        std::iter::once(status.as_str()).chain(stand_ins.iter().copied()).find_map(
            |page| match self.site.route(&format!("/{page}.html")) {
                Some(Route::File(file)) => Some(&**file),
                _ => None,
            },
        )
    }

    fn plain_error(&self, status: StatusCode) -> Response<Answer> {
        let title = status.canonical_reason().unwrap_or("Error");
        let mut answer = page::plain(status, title, explanation(status));
        self.policy.complete(answer.headers_mut());
        answer
    }

    /// There is no such immutable file, in any release: no page is given in its place, which a
    /// browser would run as a script or keep for a year.
    pub fn no_asset(&self) -> Response<Answer> {
        let text = "there is no such file\n";
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(CONTENT_LENGTH, HeaderValue::from(text.len()));
        self.policy.complete(&mut headers);
        assemble(StatusCode::NOT_FOUND, headers, Answer::Whole(Bytes::from_static(text.as_bytes())))
    }
}

fn explanation(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND => "There is no page at this address.",
        StatusCode::METHOD_NOT_ALLOWED => "This address can only be read.",
        StatusCode::BAD_GATEWAY => "The server behind this site did not give an answer.",
        StatusCode::SERVICE_UNAVAILABLE => {
            "The server behind this site is being started again. Please try again in a moment."
        }
        StatusCode::GATEWAY_TIMEOUT => "The server behind this site took too long to answer.",
        StatusCode::PAYLOAD_TOO_LARGE => "What was sent is larger than this site takes.",
        status if status.is_client_error() => "The request cannot be answered as it is.",
        _ => "Something went wrong here. Please try again in a while.",
    }
}

async fn contents(from: &Representation, start: u64, length: u64) -> std::io::Result<Answer> {
    match &from.contents {
        // Held in memory, so both ends fit a `usize`.
        Contents::Memory(bytes) => {
            Ok(Answer::Whole(bytes.slice(start as usize..(start + length) as usize)))
        }
        Contents::Disk(path) => FilePart::open(path, start, length).await.map(Answer::File),
    }
}

fn insert(headers: &mut HeaderMap, name: hyper::header::HeaderName, value: &str) {
    // All that is put in comes from the manifest, from numbers, or from a path that was a header.
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

fn assemble(status: StatusCode, headers: HeaderMap, body: Answer) -> Response<Answer> {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    *answer.headers_mut() = headers;
    answer
}

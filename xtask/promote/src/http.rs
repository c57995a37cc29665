//! Asks an edge, a source, or tells a webhook: one request, one answer, within bounds.
//!
//! Errors never name the address: one with a secret in it must not come into a record. Whoever asks
//! says whom.

use std::error::Error as _;
use std::time::Duration;
use ureq::Agent;
use ureq::http::Uri;
use ureq::tls::{RootCerts, TlsConfig};

/// Largest answer that is read: what an edge counts of many releases stays far below.
const MAX_ANSWER_BYTES: u64 = 4 << 20;

/// Longest wait for a connection: whoever is asked is near, or down.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// How much of a refusal's text is told.
const MAX_SAID_CHARS: usize = 200;

/// A client. Follows no redirect, retries nothing; uses the environment's proxy for what is not on
/// this machine.
#[derive(Debug, Clone)]
pub struct Http {
    direct: Agent,
    proxied: Agent,
}

/// Why there is no answer that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    #[error("it gave no answer: {reason}")]
    NoAnswer { reason: String },
    #[error("expected status 200 to 299, found {status}{said}")]
    Status {
        status: u16,
        /// The beginning of the answer, after a colon.
        said: String,
    },
    #[error("expected an answer of at most {MAX_ANSWER_BYTES} bytes, found a larger one")]
    TooLarge,
    #[error("expected an address with http or https, found another")]
    Address,
}

impl Http {
    /// A client that waits so long from the start of a request to the last byte of its answer.
    pub fn new(timeout: Duration) -> Http {
        // Fails only when a provider is installed already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
        let config = || {
            Agent::config_builder()
                .user_agent(concat!("slipway-promote/", env!("CARGO_PKG_VERSION")))
                .http_status_as_error(false)
                .max_redirects(0)
                .max_redirects_will_error(false)
                .timeout_connect(Some(CONNECT_TIMEOUT.min(timeout)))
                .timeout_global(Some(timeout))
                .tls_config(tls.clone())
        };
        Http {
            direct: config().proxy(None).build().new_agent(),
            proxied: config().build().new_agent(),
        }
    }

    /// The body of an answer with a status of 200 to 299.
    ///
    /// # Errors
    /// When there is none within the time and the size allowed.
    pub fn get(
        &self,
        url: &str,
        query: &[(&str, &str)],
        token: Option<&str>,
    ) -> Result<Vec<u8>, HttpError> {
        let request = self.agent(url)?.get(url).query_pairs(query.iter().copied());
        let request = match token {
            Some(token) => request.header("authorization", format!("Bearer {token}")),
            None => request,
        };
        body(request.call())
    }

    /// Sends JSON; gives the answer's body.
    ///
    /// # Errors
    /// See [`Http::get`].
    pub fn post_json(&self, url: &str, json: &[u8]) -> Result<Vec<u8>, HttpError> {
        let request = self.agent(url)?.post(url).header("content-type", "application/json");
        body(request.send(json))
    }

    fn agent(&self, url: &str) -> Result<&Agent, HttpError> {
        let uri: Uri = url.parse().map_err(|_| HttpError::Address)?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) {
            return Err(HttpError::Address);
        }
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        let is_loopback = host == "localhost"
            || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
        Ok(if is_loopback { &self.direct } else { &self.proxied })
    }
}

type Answer = ureq::http::Response<ureq::Body>;

fn body(answer: Result<Answer, ureq::Error>) -> Result<Vec<u8>, HttpError> {
    let mut answer = answer.map_err(|error| without_address(&error))?;
    let bytes = answer.body_mut().with_config().limit(MAX_ANSWER_BYTES).read_to_vec();
    let bytes = bytes.map_err(|error| without_address(&error))?;
    let status = answer.status();
    if status.is_success() {
        return Ok(bytes);
    }
    let text = String::from_utf8_lossy(&bytes);
    let words: Vec<&str> = text.split_whitespace().collect();
    let said: String = words.join(" ").chars().take(MAX_SAID_CHARS).collect();
    let said = if said.is_empty() { said } else { format!(": {said}") };
    Err(HttpError::Status { status: status.as_u16(), said })
}

fn without_address(error: &ureq::Error) -> HttpError {
    let reason = match error {
        ureq::Error::BodyExceedsLimit(_) => return HttpError::TooLarge,
        ureq::Error::BadUri(_) | ureq::Error::Http(_) => return HttpError::Address,
        ureq::Error::Timeout(_) => "it took too long".to_owned(),
        ureq::Error::Io(error) => error.to_string(),
        other => match other.source() {
            Some(cause) => format!("{other}: {cause}"),
            None => other.to_string(),
        },
    };
    HttpError::NoAnswer { reason }
}

//! Asking one question, again while the service starts.

use super::plan::Check;
use crate::client::{is_refused, reason};
use reqwest::header::HeaderMap;
use std::fmt;
use std::time::{Duration, Instant};

/// Bytes of a body that are read and looked at: far more than a page holds, little enough to keep.
pub(super) const MAX_BODY_BYTES: usize = 4 * 1024 * 1024;

/// Pause between tries while the service starts.
const RETRY_PAUSE: Duration = Duration::from_millis(200);

/// What came of asking.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) result: Result<Answer, Failure>,
    /// How often it was asked; more than once only while the service was starting.
    pub(super) tries: u32,
    /// How long it took to get there, from the first try's start to the last one's.
    pub(super) waited: Duration,
}

/// An answer, whole or cut at [`MAX_BODY_BYTES`].
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    pub(super) is_cut: bool,
    /// From sending the last try to its last byte.
    pub(super) latency: Duration,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// Nothing listens.
    Refused(String),
    /// The host could not be reached for another reason: its name, its certificate.
    NotConnected(String),
    /// Connected, but no answer in time.
    TimedOut(Duration),
    /// Connected, but the answer broke off or was not HTTP.
    Broken(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Refused(reason) => write!(f, "connection refused ({reason})"),
            Failure::NotConnected(reason) => write!(f, "no connection ({reason})"),
            Failure::TimedOut(after) => {
                write!(f, "no whole answer after {:.1} s", after.as_secs_f64())
            }
            Failure::Broken(reason) => write!(f, "the answer broke off ({reason})"),
        }
    }
}

/// Asks once, and again until the deadline while nothing listens or a 502 or 503 says that the
/// service is not there yet; not when that status is what the check expects.
pub(super) async fn ask(client: &reqwest::Client, check: &Check, deadline: Instant) -> Answered {
    let first = Instant::now();
    let mut tries = 0;
    loop {
        let start = Instant::now();
        let result = ask_once(client, check, start).await;
        tries += 1;
        let is_starting = match &result {
            Ok(answer) => {
                matches!(answer.status, 502 | 503) && check.expect.status != Some(answer.status)
            }
            Err(failure) => matches!(failure, Failure::Refused(_)),
        };
        if !is_starting || Instant::now() + RETRY_PAUSE >= deadline {
            return Answered { result, tries, waited: start - first };
        }
        tokio::time::sleep(RETRY_PAUSE).await;
    }
}

async fn ask_once(
    client: &reqwest::Client,
    check: &Check,
    start: Instant,
) -> Result<Answer, Failure> {
    let failure = |error: reqwest::Error| {
        if error.is_timeout() && !error.is_connect() {
            Failure::TimedOut(start.elapsed())
        } else if is_refused(&error) {
            Failure::Refused(reason(error))
        } else if error.is_connect() {
            Failure::NotConnected(reason(error))
        } else {
            Failure::Broken(reason(error))
        }
    };
    let mut request =
        client.request(check.method.clone(), check.url.clone()).headers(check.headers.clone());
    if let Some(body) = &check.body {
        request = request.body(body.clone());
    }
    let mut response = request.send().await.map_err(failure)?;
    let status = response.status().as_u16();
    let headers = std::mem::take(response.headers_mut());
    let mut body = Vec::new();
    let mut is_cut = false;
    while let Some(chunk) = response.chunk().await.map_err(failure)? {
        let room = MAX_BODY_BYTES - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if chunk.len() > room {
            is_cut = true;
            break;
        }
    }
    Ok(Answer { status, headers, body, is_cut, latency: start.elapsed() })
}

/// Why nothing was reached at all; `None` when any check was connected.
pub(super) fn unreachable(answered: &[Answered]) -> Option<String> {
    let mut first = None;
    for answered in answered {
        match &answered.result {
            Err(failure @ (Failure::Refused(_) | Failure::NotConnected(_))) => {
                first.get_or_insert_with(|| failure.to_string());
            }
            _ => return None,
        }
    }
    first
}

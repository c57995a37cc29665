//! The bounds of what is passed on.

use crate::connection::CLIENT_TIMEOUT;
use crate::places;
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

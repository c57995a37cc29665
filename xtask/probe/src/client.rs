//! The HTTP client of both probes.

use crate::address::Address;
use anyhow::Context;
use std::error::Error;
use std::time::Duration;

/// Longest wait for a connection: beyond it, a host that drops packets counts as down.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// What the client may hold open and how long it waits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// From the start of a request to the last byte of its answer.
    pub(crate) request_timeout: Duration,
    /// Connections kept open between requests.
    pub(crate) idle_connections: usize,
}

/// A client that follows no redirect, decodes no body, retries nothing by itself, and uses no
/// proxy for a loopback address.
pub(crate) fn client(address: &Address, limits: Limits) -> anyhow::Result<reqwest::Client> {
    // Fails only when a provider is installed already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("slipway-probe/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(limits.request_timeout)
        .pool_max_idle_per_host(limits.idle_connections);
    if address.is_loopback() {
        builder = builder.no_proxy();
    }
    builder.build().context("failed to set up the HTTP client")
}

/// An error with its causes, in one line; the URL is left to the finding's place.
pub(crate) fn reason(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

/// Whether a connection was refused: nothing listens there, or not yet.
pub(crate) fn is_refused(error: &reqwest::Error) -> bool {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(io) = cause.downcast_ref::<std::io::Error>()
            && io.kind() == std::io::ErrorKind::ConnectionRefused
        {
            return true;
        }
        source = cause.source();
    }
    false
}

//! How clients may connect: what the command line says of it.

use crate::client::Trusted;
use crate::connection::{CLIENT_TIMEOUT, Serving};
use crate::edge::Edge;
use crate::local_ca::LocalCa;
use crate::proxy::{Limits, TUNNEL_TIMEOUT};
use crate::tls::{Files, Tls};
use clap::Args;
use ipnet::IpNet;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Encryption, proxies in front, and patience.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Connections")]
pub struct Options {
    /// Certificate in PEM, then those it was signed by; with it the edge speaks TLS, HTTP/2 and
    /// HTTP/1.1. Read again when it changes.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// Key of the certificate, in PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// Speak TLS with a certificate for localhost, of the CA that `cargo xtask edge ca` made.
    #[arg(long, conflicts_with = "tls_cert")]
    pub tls_local: bool,
    /// Network of a proxy in front of the edge, whose word on who is asking counts.
    #[arg(long, value_name = "CIDR", value_parser = network)]
    pub trust_proxy: Vec<IpNet>,
    /// Seconds that a client may keep the edge waiting: for a head, for more of a body, for room to
    /// send.
    #[arg(long, value_name = "SECONDS", default_value_t = CLIENT_TIMEOUT.as_secs(),
          value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub client_timeout: u64,
    /// Seconds that a WebSocket, or what else a connection became, may be quiet both ways.
    #[arg(long, value_name = "SECONDS", default_value_t = TUNNEL_TIMEOUT.as_secs(),
          value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub tunnel_timeout: u64,
}

/// A network, or an address alone.
fn network(text: &str) -> Result<IpNet, String> {
    text.parse()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
        .map_err(|_| format!("expected an address or a network such as 10.0.0.0/8, found {text:?}"))
}

impl Options {
    /// TLS, when it is asked for.
    ///
    /// # Errors
    /// When the certificate or its key cannot be used.
    pub fn tls(&self) -> anyhow::Result<Option<Tls>> {
        let files = match (&self.tls_cert, &self.tls_key) {
            (Some(certificate), Some(key)) => {
                Some(Files { certificate: certificate.clone(), key: key.clone() })
            }
            _ if self.tls_local => Some(LocalCa::open()?.leaf()?),
            _ => None,
        };
        files.map(Tls::new).transpose()
    }

    /// What connections share.
    pub fn serving(&self, edge: Arc<Edge>, tls: Option<Tls>) -> Serving {
        let trusted = Trusted::new(self.trust_proxy.clone());
        Serving { edge, tls, trusted, pinned: None, client_timeout: self.timeout() }
    }

    /// Bounds of what is passed to a release's server.
    pub fn limits(&self) -> Limits {
        let tunnel_idle = Duration::from_secs(self.tunnel_timeout);
        Limits { request_idle: self.timeout(), tunnel_idle, ..Limits::default() }
    }

    /// How the edge's addresses begin.
    pub fn scheme(&self) -> &'static str {
        if self.tls_local || self.tls_cert.is_some() { "https" } else { "http" }
    }

    fn timeout(&self) -> Duration {
        Duration::from_secs(self.client_timeout)
    }
}

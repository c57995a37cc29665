//! An address for one release: gates reach it there whatever its share, with tools that know nothing
//! of headers and cookies.
//!
//! On the loopback alone, on a free port. All requests go to this release, and to none when it is no
//! longer here.

use crate::client::Trusted;
use crate::connection::{CLIENT_TIMEOUT, Serving};
use crate::edge::Edge;
use crate::listen::Workers;
use anyhow::Context;
use release::ReleaseId;
use std::net::Ipv4Addr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A release's own address, until it is dropped.
#[derive(Debug)]
pub struct Pinned {
    /// Without a slash at its end.
    pub url: String,
    task: JoinHandle<()>,
}

impl Pinned {
    /// Opens it.
    ///
    /// # Errors
    /// When there is no port to be had.
    pub async fn start(edge: Arc<Edge>, id: ReleaseId) -> anyhow::Result<Pinned> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.context("failed to open an address for the release alone")?;
        let url = format!("http://{}", listener.local_addr()?);
        let serving = Serving {
            edge,
            tls: None,
            trusted: Trusted::default(),
            pinned: Some(id),
            client_timeout: CLIENT_TIMEOUT,
        };
        let workers = Workers::start(serving)?;
        let task = tokio::spawn(workers.serve(listener, std::future::pending()));
        Ok(Pinned { url, task })
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        self.task.abort();
    }
}

//! One release, served: `xtask edge --release DIR`.

use crate::answer::Answers;
use crate::cli::Cli;
use crate::edge::Edge;
use crate::listen::Workers;
use crate::policy::Policy;
use crate::proxy::Proxy;
use crate::server::{READY_TIMEOUT, ServerProcess};
use crate::setting::Setting;
use crate::site::Site;
use crate::slot::{Backend, Slot};
use crate::stop;
use crate::tls::Tls;
use crate::traffic::Traffic;
use anyhow::Context;
use release::Release;
use report::Fault;
use serde::Serialize;
use std::io::Write;
use std::net::Ipv4Addr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// The line that tells the one who started the edge where it listens.
#[derive(Debug, Serialize)]
struct Listening<'a> {
    listening: String,
    release: &'a str,
}

/// Serves one release until it is told to stop.
///
/// # Errors
/// When there is no such release, it is damaged, the address is taken, or its server fails.
pub async fn release(cli: &Cli) -> anyhow::Result<()> {
    let stop = stop::signal(cli.with_parent)?;
    let tls = cli.connections.tls()?;
    let release = open(cli)?;
    let policy = Policy::new(&release.manifest().headers)?;
    let site = Site::load(&release, &policy).map_err(|error| damaged(&release, &error))?;
    let listen = cli.listen.unwrap_or((Ipv4Addr::LOCALHOST, 0).into());
    let listener = TcpListener::bind(listen)
        .await
        .map_err(|error| Fault::unreachable(format!("failed to listen on {listen}: {error}")))?;
    let answers = Answers { site: Arc::new(site), policy };
    let mut server = match &release.manifest().server {
        None => None,
        Some(entry) => Some(start(&release, entry)?),
    };
    let result = serve(cli, tls, &release, listener, answers, server.as_mut(), stop).await;
    if let Some(server) = server {
        server.stop().await;
    }
    result
}

fn open(cli: &Cli) -> anyhow::Result<Release> {
    let dir = match &cli.release {
        Some(dir) => dir.clone(),
        None => {
            let root = std::env::current_dir().context("no current folder")?;
            let latest = release::latest(&root).map_err(|error| Fault::usage(error.to_string()))?;
            let latest = latest
                .ok_or_else(|| Fault::usage("no release was built yet; run `cargo xtask build`"))?;
            latest.path
        }
    };
    Release::open(&dir).map_err(|error| match error {
        error @ release::ReleaseError::NoManifest { .. } => Fault::usage(error.to_string()).into(),
        error => Fault::refused(error.to_string()).into(),
    })
}

fn start(release: &Release, entry: &release::ServerEntry) -> anyhow::Result<ServerProcess> {
    Release::check(&release.dir().join(&entry.path), entry.size_bytes, entry.sha256)
        .map_err(|error| damaged(release, &error.into()))?;
    ServerProcess::start(release, entry, &Setting::Check)
}

fn damaged(release: &Release, error: &anyhow::Error) -> anyhow::Error {
    let id = &release.manifest().id;
    Fault::refused(format!("release {id} is damaged: {error:#}; run `cargo xtask build`")).into()
}

/// Waits for the server, says where the edge listens, and serves until `stop` or the server's death.
async fn serve(
    cli: &Cli,
    tls: Option<Tls>,
    release: &Release,
    listener: TcpListener,
    answers: Answers,
    mut server: Option<&mut ServerProcess>,
    stop: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    let manifest = release.manifest();
    let mut proxy = None;
    if let (Some(process), Some(entry)) = (server.as_deref_mut(), &manifest.server) {
        tokio::select! {
            ready = process.ready(&entry.ready, READY_TIMEOUT) => ready?,
            () = stop::asked(stop.clone()) => return Ok(()),
        }
        proxy = Some(Proxy::new(process.address(), cli.connections.limits()));
    }
    let edge = Edge::new(None);
    let metrics = edge.metrics.of(&manifest.id);
    let slot = Slot::new(manifest.id.clone(), answers, Backend::new(proxy), metrics);
    edge.route(Traffic::of_one(slot));
    let workers = Workers::start(cli.connections.serving(Arc::new(edge), tls))?;
    let scheme = cli.connections.scheme();
    let address = listener.local_addr().context("failed to tell the address")?;
    let listening = format!("{scheme}://{address}");
    announce(&Listening { listening, release: manifest.id.as_str() })?;
    let mut died = None;
    let end = async {
        match server {
            None => stop::asked(stop).await,
            Some(process) => tokio::select! {
                () = stop::asked(stop) => {}
                error = process.died() => died = Some(error),
            },
        }
    };
    workers.serve(listener, end).await;
    died.map_or(Ok(()), Err)
}

fn announce(line: &Listening<'_>) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout();
    writeln!(stdout, "{}", serde_json::to_string(line)?)
        .and_then(|()| stdout.flush())
        .context("failed to say where the edge listens")
}

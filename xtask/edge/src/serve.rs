//! One release, served: `xtask edge --release DIR`.

use crate::answer::Answers;
use crate::cli::Cli;
use crate::edge::Edge;
use crate::listen;
use crate::policy::Policy;
use crate::proxy::Proxy;
use crate::request_id::RequestIds;
use crate::server::ServerProcess;
use crate::site::Site;
use crate::stop;
use anyhow::Context;
use release::Release;
use report::Fault;
use serde::Serialize;
use std::io::Write;
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
    let release = open(cli)?;
    let policy = Policy::new(&release.manifest().headers)?;
    let site = Site::load(&release, &policy).map_err(|error| damaged(&release, &error))?;
    let listener = TcpListener::bind(cli.listen).await.map_err(|error| {
        Fault::unreachable(format!("failed to listen on {}: {error}", cli.listen))
    })?;
    let answers = Answers { site, policy };
    let mut server = match &release.manifest().server {
        None => None,
        Some(entry) => Some(start(&release, entry)?),
    };
    let result = serve(cli, &release, listener, answers, server.as_mut(), stop).await;
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
    ServerProcess::start(release, entry)
}

fn damaged(release: &Release, error: &anyhow::Error) -> anyhow::Error {
    let id = &release.manifest().id;
    Fault::refused(format!("release {id} is damaged: {error:#}; run `cargo xtask build`")).into()
}

/// Waits for the server, says where the edge listens, and serves until `stop` or the server's death.
async fn serve(
    cli: &Cli,
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
            ready = process.ready(&entry.ready) => ready?,
            () = stop::asked(stop.clone()) => return Ok(()),
        }
        proxy = Some(Proxy::new(process.address(), cli.connections.limits()));
    }
    let edge = Arc::new(Edge { answers, proxy, request_ids: RequestIds::default() });
    let (serving, renewal) = cli.connections.serving(edge)?;
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
    let renewal = renewal.map(|renewal| tokio::spawn(renewal.run()));
    listen::serve(listener, serving, end).await?;
    if let Some(renewal) = renewal {
        renewal.abort();
    }
    died.map_or(Ok(()), Err)
}

fn announce(line: &Listening<'_>) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout();
    writeln!(stdout, "{}", serde_json::to_string(line)?)
        .and_then(|()| stdout.flush())
        .context("failed to say where the edge listens")
}

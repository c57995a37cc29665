//! `xtask edge`: serves a release as it will be served in production.

mod answer;
mod body;
mod conditional;
mod edge;
mod listen;
mod negotiate;
mod policy;
mod proxy;
mod request_id;
mod request_path;
mod server;
mod site;
mod stall;

use answer::Answers;
use anyhow::Context;
use clap::Parser;
use edge::Edge;
use policy::Policy;
use proxy::{Limits, Proxy};
use release::Release;
use report::Fault;
use request_id::RequestIds;
use serde::Serialize;
use server::ServerProcess;
use site::Site;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Serve a release: its static files, and its server behind them.
///
/// Starts the release's server, if it has one, waits until it is ready, then prints one line of JSON
/// with the address and serves until TERM or INT. Static files come from the manifest alone, each
/// proved against its digest; all else goes to the server.
///
/// Exit codes: 0 ended as asked; 2 there is no such release; 3 the address is taken, or the server
/// died or never was ready; 4 the release is damaged.
#[derive(Debug, Parser)]
#[command(name = "xtask-edge", bin_name = "cargo xtask edge", version)]
struct Cli {
    /// Folder of the release [default: the latest of the project in the current folder]
    #[arg(long, value_name = "DIR")]
    release: Option<PathBuf>,
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// End when standard input is closed, and so with the process that started this one.
    #[arg(long)]
    with_parent: bool,
}

/// The line that tells the one who started the edge where it listens.
#[derive(Debug, Serialize)]
struct Listening<'a> {
    listening: String,
    release: &'a str,
}

/// For what the runtime itself still holds at the end, such as a read from a slow disk.
const RUNTIME_GRACE: Duration = Duration::from_millis(100);

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("failed to start the runtime")
        .and_then(|runtime| {
            let result = runtime.block_on(run(&cli));
            runtime.shutdown_timeout(RUNTIME_GRACE);
            result
        });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            Fault::exit_of(&error).into()
        }
    }
}

async fn run(cli: &Cli) -> anyhow::Result<()> {
    let stop = stop_signal(cli.with_parent)?;
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
    let result = serve(&release, listener, answers, server.as_mut(), stop).await;
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
            () = stopped(stop.clone()) => return Ok(()),
        }
        proxy = Some(Proxy::new(process.address(), Limits::default())?);
    }
    let address = listener.local_addr().context("failed to tell the address")?;
    announce(&Listening { listening: format!("http://{address}"), release: manifest.id.as_str() })?;
    let edge = Arc::new(Edge { answers, proxy, request_ids: RequestIds::new() });
    let mut died = None;
    let end = async {
        match server {
            None => stopped(stop).await,
            Some(process) => tokio::select! {
                () = stopped(stop) => {}
                error = process.died() => died = Some(error),
            },
        }
    };
    listen::serve(listener, edge, end).await;
    died.map_or(Ok(()), Err)
}

fn announce(line: &Listening<'_>) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout();
    writeln!(stdout, "{}", serde_json::to_string(line)?)
        .and_then(|()| stdout.flush())
        .context("failed to say where the edge listens")
}

/// Becomes true on TERM, on INT and, when asked to, at the end of standard input.
fn stop_signal(with_parent: bool) -> anyhow::Result<watch::Receiver<bool>> {
    let (sender, receiver) = watch::channel(false);
    let sender = Arc::new(sender);
    for kind in [SignalKind::terminate(), SignalKind::interrupt()] {
        let mut signals = signal(kind).context("failed to listen for signals")?;
        let sender = Arc::clone(&sender);
        tokio::spawn(async move {
            while signals.recv().await.is_some() {
                sender.send_replace(true);
            }
        });
    }
    if with_parent {
        // A thread of its own: a read from standard input cannot be cancelled.
        std::thread::spawn(move || {
            let mut stdin = std::io::stdin().lock();
            let mut ignored = [0; 256];
            while matches!(stdin.read(&mut ignored), Ok(1..)) {}
            sender.send_replace(true);
        });
    }
    Ok(receiver)
}

async fn stopped(mut stop: watch::Receiver<bool>) {
    // Fails when nobody is left who could stop it; then it is time as well.
    let _ = stop.wait_for(|is_stopped| *is_stopped).await;
}

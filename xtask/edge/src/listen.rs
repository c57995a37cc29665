//! Connections: taken, bounded, given to the workers, and drained at the end.

use crate::connection::Serving;
use crate::places::Places;
use crate::tls::Tls;
use crate::worker::{self, Accepted, DRAIN, Worker};
use anyhow::Context;
use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// Between two attempts to take a connection when the system has nothing left to give.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(50);

/// Serves until `stop` is done, then lets the requests under way end within a bound.
///
/// # Errors
/// When the workers cannot be started.
pub async fn serve(
    listener: TcpListener,
    serving: Serving,
    stop: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let mut stop = pin!(stop);
    let serving = Arc::new(serving);
    // Connections see its end when this future is given up, too.
    let (stopping, stopped) = watch::channel(false);
    // What is for one release alone is not for many; its thread keeps to itself what it has.
    let indices = if serving.pinned.is_some() { 0..=0 } else { 1..=worker::count() };
    let workers: Vec<Worker> = indices
        .map(|index| Worker::start(index, Arc::clone(&serving), stopped.clone()))
        .collect::<Result<_, _>>()
        .context("failed to start a worker")?;
    tokio::select! {
        never = take(&listener, &serving, &workers) => match never {},
        never = renew(serving.tls.as_ref()) => match never {},
        () = &mut stop => {}
    }
    drop(listener);
    stopping.send_replace(true);
    let mut is_drained = true;
    // They drain at the same time, each within the bound.
    for worker in workers {
        is_drained &= worker.end().await;
    }
    if !is_drained {
        eprintln!("warning: requests were still under way after {DRAIN:?} and were cut off");
    }
    Ok(())
}

async fn renew(tls: Option<&Tls>) -> Infallible {
    match tls {
        Some(tls) => tls.renew().await,
        None => std::future::pending().await,
    }
}

async fn take(listener: &TcpListener, serving: &Serving, workers: &[Worker]) -> Infallible {
    let places = Places::of_this_process();
    loop {
        let free = places.free().await;
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                eprintln!("error: failed to take a connection: {error}");
                tokio::time::sleep(EXHAUSTED_PAUSE).await;
                continue;
            }
        };
        let is_many = serving.trusted.contains(peer.ip());
        let Some(place) = places.take(free, peer.ip(), is_many) else { continue };
        let Ok(stream) = stream.into_std() else { continue };
        if let Some(worker) = workers.iter().min_by_key(|worker| worker.load()) {
            worker.give(Accepted { stream, peer, place });
        }
    }
}

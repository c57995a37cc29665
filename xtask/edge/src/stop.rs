//! When the edge is asked to end.

use anyhow::Context;
use std::io::Read;
use std::sync::Arc;
use tokio::signal::unix::{self, SignalKind};
use tokio::sync::watch;

/// Becomes true on TERM, on INT and, `with_parent`, at the end of standard input.
///
/// # Errors
/// When the signals cannot be listened for.
pub fn signal(with_parent: bool) -> anyhow::Result<watch::Receiver<bool>> {
    let (sender, receiver) = watch::channel(false);
    let sender = Arc::new(sender);
    for kind in [SignalKind::terminate(), SignalKind::interrupt()] {
        let mut signals = unix::signal(kind).context("failed to listen for signals")?;
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

/// Waits until it is asked to stop.
pub async fn asked(mut stop: watch::Receiver<bool>) {
    // Fails when nobody is left who could stop it; then it is time as well.
    let _ = stop.wait_for(|is_stopped| *is_stopped).await;
}

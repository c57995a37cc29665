//! Which locked packages can be built at all.
//!
//! Cargo locks optional dependencies of dependencies that no feature of the project turns on. An
//! advisory on one of those is a false alarm today and a true one as soon as somebody turns the
//! feature on: it is labelled, not dropped. Cargo alone knows features, so it is asked; without an
//! answer in time nothing is labelled.

use super::lockfile::Package;
use serde::Deserialize;
use std::collections::HashSet;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

/// Longest wait for cargo: it may stand behind another one's lock, and this is only a label.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Most of cargo's answer that is read: 2,000 packages have 20 MB.
const MAX_BYTES: u64 = 128 * 1024 * 1024;

/// The packages that are built with all features on all targets; `None` when cargo cannot say.
#[derive(Debug)]
pub(super) struct Built(Option<HashSet<(String, String)>>);

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Listed>,
    resolve: Option<Resolve>,
}

#[derive(Deserialize)]
struct Listed {
    id: String,
    name: String,
    version: String,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
}

impl Built {
    pub(super) fn ask_cargo(root: &Path) -> Built {
        Built(metadata(root).and_then(|json| {
            let metadata: Metadata = serde_json::from_slice(&json).ok()?;
            let nodes: HashSet<String> =
                metadata.resolve?.nodes.into_iter().map(|node| node.id).collect();
            let built = metadata.packages.into_iter().filter(|package| nodes.contains(&package.id));
            Some(built.map(|package| (package.name, package.version)).collect())
        }))
    }

    /// Whether cargo says that this package is never built.
    pub(super) fn is_never_built(&self, package: &Package) -> bool {
        let key = (package.name().to_owned(), package.version().to_string());
        self.0.as_ref().is_some_and(|built| !built.contains(&key))
    }
}

fn metadata(root: &Path) -> Option<Vec<u8>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut child = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--offline", "--locked", "--all-features"])
        .current_dir(root)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let stdout = child.stdout.take()?;
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut json = Vec::new();
        let read = stdout.take(MAX_BYTES).read_to_end(&mut json);
        // The receiver is only gone when the wait is over.
        let _ = sender.send(read.ok().map(|_| json));
    });
    let json = receiver.recv_timeout(TIMEOUT).ok().flatten();
    if json.is_none() {
        // One that has ended by itself cannot be killed, which is as good.
        let _ = child.kill();
    }
    child.wait().ok().filter(std::process::ExitStatus::success)?;
    json
}

//! What is kept of a page when its journey failed: enough to see the cause without running it again.

use crate::page::Page;
use crate::{Error, Result};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// The environment variable that names the folder for what a step leaves.
const ARTIFACTS_ENV: &str = "XTASK_ARTIFACTS";
/// Where it is left when a person runs the journeys by hand, below the folder of the workspace.
const BY_HAND: &str = "target/xtask/artifacts/e2e";

/// Writes screenshot, document, console and network of a page into a folder of the journey's own,
/// and gives the files. A page that is too broken for one of them still gives the others.
pub(crate) fn keep(page: &Page, journey: &str, failure: &str) -> Result<Vec<PathBuf>> {
    let folder = folder().join(file_name(journey));
    let io = |path: &Path, source| Error::Io { path: path.to_owned(), source };
    std::fs::create_dir_all(&folder).map_err(|error| io(&folder, error))?;
    let mut files = vec![
        ("failure.txt", format!("{failure}\n").into_bytes()),
        ("console.txt", console(page).into_bytes()),
        ("network.txt", network(page).into_bytes()),
    ];
    files.extend(page.screenshot().ok().map(|png| ("screenshot.png", png)));
    files.extend(page.html().ok().map(|html| ("page.html", html.into_bytes())));
    files
        .into_iter()
        .map(|(name, content)| {
            let path = folder.join(name);
            std::fs::write(&path, content).map_err(|error| io(&path, error))?;
            Ok(path)
        })
        .collect()
}

fn folder() -> PathBuf {
    if let Some(folder) = std::env::var_os(ARTIFACTS_ENV) {
        return PathBuf::from(folder);
    }
    // Cargo starts a test in its package's folder; the workspace is where the lock file is.
    let here = std::env::current_dir().unwrap_or_default();
    let root = here.ancestors().find(|folder| folder.join("Cargo.lock").exists());
    root.unwrap_or(&here).join(BY_HAND)
}

/// A journey's name as the name of a folder, on every system.
fn file_name(journey: &str) -> String {
    journey
        .replace("::", ".")
        .chars()
        .map(|each| if each.is_ascii_alphanumeric() || "-_.".contains(each) { each } else { '-' })
        .collect()
}

fn console(page: &Page) -> String {
    let mut text = String::new();
    for entry in page.console() {
        let _ = writeln!(text, "{:<8} {}  {}", entry.level, entry.text, entry.place);
    }
    text
}

fn network(page: &Page) -> String {
    let mut text = String::new();
    for request in page.network() {
        let took = match request.duration_ms {
            Some(duration_ms) => format!("{duration_ms:.0} ms"),
            None => "under way".to_owned(),
        };
        let failure = request.failure.map(|failure| format!("  {failure}")).unwrap_or_default();
        let _ = writeln!(
            text,
            "{:>8.0} ms  {:>3}  {:<6} {}  {}  {} bytes, {took}{failure}",
            request.start_ms,
            request.status,
            request.method,
            request.url,
            request.kind,
            request.transfer_bytes,
        );
    }
    text
}

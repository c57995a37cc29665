//! What can go wrong while a browser is driven.

use std::path::PathBuf;
use std::time::Duration;

/// The result of what the library does.
pub type Result<T = ()> = std::result::Result<T, Error>;

/// What went wrong while a browser was driven. Messages are lowercase and say what was expected,
/// what was found and, where there is one, the next command to try.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No browser on this machine; deserves exit code 3.
    #[error(
        "no browser found: looked for $CHROME and, on PATH, for {}; install one with: cargo xtask setup",
        looked_for.join(", ")
    )]
    NoBrowser { looked_for: Vec<String> },
    /// A browser is there but did not start; deserves exit code 3.
    #[error("failed to start {}: {reason}; check this machine with: cargo xtask doctor", path.display())]
    Launch { path: PathBuf, reason: String },
    /// The connection to the browser ended: it crashed, or was closed.
    #[error("the browser is gone: {0}")]
    Gone(String),
    /// The browser did not answer a call of the DevTools protocol.
    #[error("the browser did not answer {method} within {}", seconds(*after))]
    NoAnswer { method: String, after: Duration },
    /// The browser refused a call of the DevTools protocol.
    #[error("{method}: {message} (code {code})")]
    Refused { method: String, code: i64, message: String },
    /// The browser's answer is not what the protocol promises.
    #[error("{method}: expected {expected}, found {found}")]
    Unexpected { method: String, expected: &'static str, found: String },
    /// A page could not be opened, or did not finish loading.
    #[error("failed to open {url}: {reason}")]
    Navigation { url: String, reason: String },
    /// JavaScript in the page threw.
    #[error("the script {script:?} failed in the page: {message}")]
    Script { script: String, message: String },
    /// A locator that must match one element matches several.
    #[error("{locator} matches {count} elements, expected one:\n{}", listed(matches))]
    Ambiguous { locator: String, count: usize, matches: Vec<String> },
    /// An element was not ready for what was to be done with it, until the deadline.
    #[error("failed to {action} {locator} within {}: {reason}", seconds(*waited))]
    NotReady { action: String, locator: String, reason: String, waited: Duration },
    /// An assertion did not come true until its deadline.
    #[error(
        "expected {subject} {expected}\n  last seen: {seen}\n  waited {} ({looks} looks), on {url}",
        seconds(*waited)
    )]
    Expectation {
        subject: String,
        expected: String,
        seen: String,
        waited: Duration,
        looks: u32,
        url: String,
    },
    /// A key that the keyboard does not have.
    #[error(
        "unknown key {0:?}: expected one character, or a name such as \"Enter\", \"Tab\", \"ArrowDown\", after modifiers such as \"Shift+\""
    )]
    UnknownKey(String),
    /// A file of the library's own could not be read or written.
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: std::io::Error },
}

impl Error {
    /// Whether the world was not reachable (exit code 3), rather than the application wrong.
    pub fn is_unreachable(&self) -> bool {
        matches!(self, Error::NoBrowser { .. } | Error::Launch { .. })
    }

    /// Whether the document went away while it was asked something: it navigated, or its context
    /// was replaced. A question may be asked again; an action may not.
    pub(crate) fn is_stale(&self) -> bool {
        const STALE: [&str; 8] = [
            "Cannot find context",
            "Could not find object",
            "Execution context was destroyed",
            "Inspected target navigated or closed",
            "No node with given id",
            "Could not find node",
            "Node with given id does not belong",
            "does not belong to the document",
        ];
        matches!(self, Error::Refused { message, .. } if STALE.iter().any(|known| message.contains(known)))
    }
}

/// A span of time as a person reads it.
pub(crate) fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

fn listed(matches: &[String]) -> String {
    matches
        .iter()
        .enumerate()
        .map(|(index, each)| format!("  {}. {each}", index + 1))
        .collect::<Vec<_>>()
        .join("\n")
}

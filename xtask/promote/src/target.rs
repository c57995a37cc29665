//! What turns an environment's routing into served traffic, as a rollout sees it.

use release::ReleaseId;
use std::fmt;
use std::time::Duration;

/// Longest time for a release to be loaded where its server has the usual time to be ready: files
/// fetched and proved, the server started and ready.
pub const LOAD_LIMIT: Duration = Duration::from_secs(120);

/// How a release fares where it is to be served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readiness {
    /// Nothing says that it was begun to be loaded.
    Unknown,
    Loading,
    /// Its server died, for this reason, and is being started again.
    Down(String),
    Ready,
    /// It cannot be served, for this reason.
    Failed(String),
}

/// A target could not be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TargetError(pub String);

/// Serves an environment. All that it is told stands in the store's routing; these are questions.
pub trait Target: fmt::Debug + Send + Sync {
    /// Makes sure that something serves the environment. `is_stopped` becomes true when nobody waits
    /// for it any more.
    ///
    /// # Errors
    /// When nothing does and nothing can be started, or nobody waited until it was.
    fn ensure_running(&self, is_stopped: &dyn Fn() -> bool) -> Result<(), TargetError>;

    /// How a release fares; the worst of all instances.
    ///
    /// # Errors
    /// When an instance cannot be asked.
    fn readiness(&self, release: &ReleaseId) -> Result<Readiness, TargetError>;

    /// The generation of the routing that all instances follow.
    ///
    /// # Errors
    /// When an instance cannot be asked.
    fn generation(&self) -> Result<u64, TargetError>;

    /// Longest time for a release to be loaded.
    fn load_limit(&self) -> Duration {
        LOAD_LIMIT
    }
}

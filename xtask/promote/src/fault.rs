//! Which exit code an error of a rollout deserves, and what to do next.

use crate::journal::JournalError;
use crate::lease::LeaseError;
use crate::rollback::RollbackError;
use crate::rollout::Stopped;
use anyhow::Context;
use release::ReleaseId;
use release::routing::RoutingError;
use release::store::StoreError;
use report::{Exit, Fault};
use std::io::ErrorKind;

/// What stopped a rollout, as an error with its exit code: 3 for a world that was not reachable, 4
/// for what was refused so that nothing is harmed.
pub fn of_stopped(stopped: Stopped, environment: &str) -> anyhow::Error {
    let next = next(&stopped, environment);
    let exit = match &stopped {
        Stopped::Interrupted { .. } => Exit::Interrupted,
        Stopped::NoRollout => Exit::Usage,
        Stopped::Unfinished { .. }
        | Stopped::UnfinishedRollback
        | Stopped::AlreadyLive(_)
        | Stopped::Overtaken { .. } => Exit::Refused,
        Stopped::NotFollowed(_) | Stopped::Target(_) => Exit::Unreachable,
        Stopped::Lease(error) => of_lease(error),
        Stopped::Journal(error) => of_journal(error),
        Stopped::Routing(error) => of_routing(error),
        Stopped::Store(error) => of_store(error),
    };
    let message = format!("{environment}: {:#}{next}", anyhow::Error::from(stopped));
    Fault { exit, message }.into()
}

/// An error with its causes, in one line.
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text += &format!(": {cause}");
        source = cause.source();
    }
    text
}

/// The same of a rollback.
pub fn of_rollback(error: RollbackError, environment: &str) -> anyhow::Error {
    match error {
        RollbackError::Stopped(stopped) => of_stopped(stopped, environment),
        RollbackError::Unknown(source) => {
            let exit = match &source {
                StoreError::NoRelease { .. } => Exit::Usage,
                other => of_store(other),
            };
            let message = format!("{environment}: {:#}", anyhow::Error::from(source));
            Fault { exit, message }.into()
        }
        RollbackError::GoneBack { ref further, .. } => {
            let to = further.as_ref().map_or("RELEASE", ReleaseId::as_str);
            let next =
                format!("`cargo xtask rollback --env {environment} --to {to}` goes elsewhere");
            Fault::usage(format!("{environment}: {error}; {next}")).into()
        }
        other => Fault::usage(format!("{environment}: {other}")).into(),
    }
}

/// A journal that cannot be read, or is not to be believed.
pub fn of_journal_of(error: JournalError, environment: &str) -> anyhow::Error {
    of_stopped(error.into(), environment)
}

/// A store that cannot be read or written.
pub fn of_store_of(error: StoreError, environment: &str) -> anyhow::Error {
    of_stopped(error.into(), environment)
}

fn next(stopped: &Stopped, environment: &str) -> String {
    match stopped {
        Stopped::Unfinished { .. } => format!(
            "; `cargo xtask promote --resume` goes on with it, `cargo xtask rollback --env \
             {environment}` goes back"
        ),
        Stopped::Lease(LeaseError::Held { .. }) => format!(
            "; `cargo xtask status --env {environment} --watch` shows how far it is, `cargo xtask \
             rollback --env {environment}` overrules it"
        ),
        Stopped::Lease(LeaseError::Lost { .. }) => {
            format!("; `cargo xtask status --env {environment}` shows what they do")
        }
        Stopped::Journal(JournalError::Tampered { .. } | JournalError::Cut { .. }) => {
            "; see \"A journal that does not hold\" in docs/src/how-to/roll-back.md".to_owned()
        }
        Stopped::Routing(RoutingError::Malformed { .. })
        | Stopped::Lease(LeaseError::Routing(RoutingError::Malformed { .. })) => format!(
            "; the edges go on with the last good one: remove it from the store, and `cargo xtask \
             rollback --env {environment} --to RELEASE` writes it anew"
        ),
        Stopped::Store(error)
        | Stopped::Lease(
            LeaseError::Store(error) | LeaseError::Routing(RoutingError::Store(error)),
        )
        | Stopped::Journal(JournalError::Store(error))
        | Stopped::Routing(RoutingError::Store(error)) => mend(error).to_owned(),
        _ => String::new(),
    }
}

/// What helps a store that cannot be written.
fn mend(error: &StoreError) -> &'static str {
    let StoreError::Io { source, .. } = error else { return "" };
    match source.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            "; what is live goes on: make space there, and try again"
        }
        ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied => {
            "; what is live goes on: make the store writable for this user, and try again"
        }
        ErrorKind::AlreadyExists | ErrorKind::NotADirectory => "; expected a folder there",
        _ => "",
    }
}

fn of_lease(error: &LeaseError) -> Exit {
    match error {
        LeaseError::Held { .. } | LeaseError::Lost { .. } | LeaseError::NoRouting(_) => {
            Exit::Refused
        }
        LeaseError::Busy => Exit::Unreachable,
        LeaseError::Routing(error) => of_routing(error),
        LeaseError::Store(error) => of_store(error),
    }
}

fn of_journal(error: &JournalError) -> Exit {
    match error {
        JournalError::Tampered { .. } | JournalError::Cut { .. } => Exit::Refused,
        JournalError::Busy => Exit::Unreachable,
        JournalError::Store(error) => of_store(error),
    }
}

fn of_routing(error: &RoutingError) -> Exit {
    match error {
        RoutingError::Malformed { .. } => Exit::Refused,
        RoutingError::Store(error) => of_store(error),
    }
}

fn of_store(error: &StoreError) -> Exit {
    match error {
        StoreError::Damaged { .. } => Exit::Refused,
        StoreError::NoRelease { .. } => Exit::Usage,
        _ => Exit::Unreachable,
    }
}

/// Reads what must be readable, with the environment's name in the error.
///
/// # Errors
/// What `result` says.
pub fn in_environment<T, E>(result: Result<T, E>, environment: &str) -> anyhow::Result<T>
where
    E: std::error::Error + Send + Sync + 'static,
{
    result.with_context(|| Fault::unreachable(format!("failed to look at {environment}")))
}

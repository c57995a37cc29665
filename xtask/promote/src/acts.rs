//! Acts of a journal in words.

use crate::journal::Act;
use release::ReleaseId;

/// What was done, in a clause: `moved to 5%`.
pub fn words(act: &Act) -> String {
    match act {
        Act::Begin { release, commit, from, reason, overrides, .. } => {
            let commit = commit.as_ref().map(|commit| short(commit)).unwrap_or_default();
            let overrides: String = overrides.iter().map(|it| format!(", allowing {it}")).collect();
            let (from, because) = (name(from.as_ref()), because(reason.as_deref()));
            format!("began {release}{commit} in place of {from}{overrides}{because}")
        }
        Act::BackedUp { said, took_ms } => {
            format!("kept a copy of the data within {}{}", span(*took_ms), because(Some(said)))
        }
        Act::Move { to } => format!("moved to {to}"),
        Act::Gate { gate, verdict, reason, .. } => format!("gate {gate}: {verdict}, {reason}"),
        Act::Approve { reason } => format!("approved{}", because(reason.as_deref())),
        Act::TurnBack { reason } => format!("turns back: {reason}"),
        Act::Complete { took_ms } => format!("live after {}", span(*took_ms)),
        Act::TurnedBack { took_ms } => format!("turned back within {}", span(*took_ms)),
        Act::Rollback { from, to, reason } => {
            let (from, to) = (name(from.as_ref()), name(to.as_ref()));
            format!("rolls back by hand from {from} to {to}{}", because(reason.as_deref()))
        }
        Act::RolledBack { took_ms } => format!("rolled back within {}", span(*took_ms)),
        Act::TakeOver { from } => format!("took over from {from}"),
        Act::Freeze { reason } => format!("froze the environment: {reason}"),
        Act::Unfreeze { reason } => format!("lifted the freeze{}", because(reason.as_deref())),
    }
}

fn short(commit: &str) -> String {
    format!(" (commit {})", commit.chars().take(12).collect::<String>())
}

fn name(release: Option<&ReleaseId>) -> String {
    release.map_or_else(|| "nothing".to_owned(), ToString::to_string)
}

fn because(reason: Option<&str>) -> String {
    reason.filter(|it| !it.is_empty()).map(|reason| format!(": {reason}")).unwrap_or_default()
}

fn span(ms: u64) -> String {
    screen::text::duration(ms)
}

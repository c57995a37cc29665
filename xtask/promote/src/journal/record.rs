//! What stands in the journal.

use config::{Duration, Gate, Schema, ShiftStep};
use release::routing::TrafficShare;
use release::{ReleaseId, Sha256};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Version of a record's format.
pub const RECORD_VERSION: u32 = 1;

/// One act: who did what, when, why. Written once, never changed; each names the digest of the one
/// before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// [`RECORD_VERSION`] of the writer.
    pub version: u32,
    /// From 1, without a gap.
    pub number: u64,
    /// Digest of the bytes of the record before.
    pub previous: Option<Sha256>,
    /// RFC 3339, UTC.
    pub at: String,
    /// `user@host`.
    pub who: String,
    /// Fencing number of the writer's lease; of the environment's last one for an act that needs
    /// none.
    pub fencing: u64,
    /// The rollout that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout: Option<RolloutId>,
    pub act: Act,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case", tag = "kind")]
#[serde(deny_unknown_fields)]
pub enum Act {
    /// A rollout begins, uploading.
    Begin {
        release: ReleaseId,
        /// The commit that the release was built from.
        commit: Option<String>,
        /// What was live, and is again when it turns back.
        from: Option<ReleaseId>,
        plan: RolloutPlan,
        /// Why, in the words of who began it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// What its server makes of the environment's data.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        schema: Option<Schema>,
        /// What they took upon themselves.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        overrides: Vec<Override>,
    },
    /// A copy of the data was kept.
    BackedUp {
        /// What the backup's command said last.
        said: String,
        took_ms: u64,
    },
    /// The rollout is about to be in this phase.
    Move {
        to: Phase,
    },
    /// A gate gave a verdict that counts.
    Gate {
        gate: Gate,
        verdict: Verdict,
        reason: String,
        took_ms: u64,
    },
    /// A person approved the rollout.
    Approve {
        reason: Option<String>,
    },
    /// The rollout is about to turn back, for this reason.
    TurnBack {
        reason: String,
    },
    /// The rollout is over: its release is live.
    Complete {
        took_ms: u64,
    },
    /// The rollout is over: what was live before is live again.
    TurnedBack {
        took_ms: u64,
    },
    /// A person is about to make this release live, whatever runs.
    Rollback {
        from: Option<ReleaseId>,
        to: Option<ReleaseId>,
        reason: Option<String>,
    },
    /// That was done.
    RolledBack {
        took_ms: u64,
    },
    /// Another promoter goes on with a rollout.
    TakeOver {
        from: String,
    },
    /// No rollout may begin or go on.
    Freeze {
        reason: String,
    },
    Unfreeze {
        reason: Option<String>,
    },
}

/// What a rollout is going to do, from `xtask.toml` at its beginning.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RolloutPlan {
    /// At least one; the last is all of the traffic.
    pub shift: Vec<ShiftStep>,
    pub gates: Vec<Gate>,
    /// How long a gate may be inconclusive.
    pub hold: Duration,
    /// Shell command that keeps a copy of the data before the release is loaded; `None` when there is
    /// nothing to fear for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup: Option<String>,
}

/// A safeguard that somebody did without, on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Override {
    /// The release before cannot use the data that this one leaves, or this one not what is there.
    SchemaBreak,
    /// The data's schema changes, and no copy is kept.
    NoBackup,
    /// What is live is of a project with another name.
    OtherProject,
}

impl fmt::Display for Override {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Override::SchemaBreak => "a break of the schema",
            Override::NoBackup => "no backup",
            Override::OtherProject => "another project",
        })
    }
}

/// Where a rollout is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "phase", deny_unknown_fields)]
pub enum Phase {
    /// Its files go into the store.
    Uploading,
    /// It is loaded, without traffic.
    Staged,
    /// The gates look at it, without traffic.
    Verifying,
    /// It has a share of the traffic: the step of the plan, from 0.
    Shifting { step: usize, share: TrafficShare },
    /// It has all of the traffic.
    Live,
    /// What was live before is about to have all of the traffic again.
    RollingBack,
    /// It has.
    RolledBack,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Phase::Uploading => f.write_str("uploading"),
            Phase::Staged => f.write_str("staged"),
            Phase::Verifying => f.write_str("verifying"),
            Phase::Shifting { share, .. } => write!(f, "shifting({share})"),
            Phase::Live => f.write_str("live"),
            Phase::RollingBack => f.write_str("rolling-back"),
            Phase::RolledBack => f.write_str("rolled-back"),
        }
    }
}

/// What a gate says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    Pass,
    Fail,
    /// Not enough is known; never taken for a pass.
    Inconclusive,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Verdict::Pass => "pass",
            Verdict::Fail => "fail",
            Verdict::Inconclusive => "inconclusive",
        })
    }
}

/// A rollout's name: the number of the record that begins it, as `r17`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RolloutId(pub u64);

/// Why a text is no rollout's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a rollout such as r17, found {found:?}")]
pub struct InvalidRolloutId {
    pub found: String,
}

impl fmt::Display for RolloutId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "r{}", self.0)
    }
}

impl FromStr for RolloutId {
    type Err = InvalidRolloutId;

    fn from_str(text: &str) -> Result<RolloutId, InvalidRolloutId> {
        let number = text.strip_prefix('r').and_then(|digits| digits.parse().ok());
        number.map(RolloutId).ok_or_else(|| InvalidRolloutId { found: text.to_owned() })
    }
}

impl TryFrom<String> for RolloutId {
    type Error = InvalidRolloutId;

    fn try_from(text: String) -> Result<RolloutId, InvalidRolloutId> {
        text.parse()
    }
}

impl From<RolloutId> for String {
    fn from(id: RolloutId) -> String {
        id.to_string()
    }
}

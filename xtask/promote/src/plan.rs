//! What a promotion is going to do, as data: what `--dry-run` shows is what is done.

use crate::journal::{Phase, RolloutId, RolloutPlan};
use crate::preflight::schema::SchemaChange;
use crate::preflight::{Missing, Proof};
use config::{Duration, Gate};
use release::routing::TrafficShare;
use release::{ReleaseId, Sha256};
use serde::Serialize;

/// A release's way through the environments.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PromotionPlan {
    pub project: String,
    pub release: ReleaseId,
    pub manifest_sha256: Sha256,
    pub commit: Option<String>,
    /// When the commit was made: RFC 3339, UTC.
    pub created: Option<String>,
    pub has_uncommitted_changes: bool,
    pub files: usize,
    pub site_bytes: u64,
    pub has_server: bool,
    /// Whose signature it bears, and what that is good for.
    pub signed_by: String,
    pub is_for_production: bool,
    /// Later releases that were passed over for lack of evidence.
    pub passed_over: Vec<ReleaseId>,
    pub environments: Vec<EnvironmentPlan>,
    /// Why nothing may begin; empty when all is there.
    pub missing: Vec<Missing>,
}

/// What is going to be done in one environment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EnvironmentPlan {
    pub name: String,
    pub todo: Todo,
    pub live: Option<ReleaseId>,
    pub needs: Vec<String>,
    pub rollout: RolloutPlan,
    pub moves: Vec<Move>,
    /// What the analysis compares: `latency-p95`, `max 300ms, against live +20%`.
    pub limits: Vec<(String, String)>,
    pub evidence: Vec<Proof>,
    /// What it does to the data, if anything.
    pub schema: Option<SchemaChange>,
}

/// What there is to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Todo {
    Begin,
    /// Nothing: the release is live there.
    IsLive,
    Resume {
        rollout: RolloutId,
        at: String,
    },
}

/// One move of a rollout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Move {
    /// `upload`, `backup`, `stage`, `verify`, `shift`, `live`.
    pub name: &'static str,
    pub share: Option<TrafficShare>,
    /// For how long the share is watched.
    pub watch: Option<Duration>,
    /// Asked in this move, in order.
    pub gates: Vec<Gate>,
}

impl PromotionPlan {
    /// Whether there is nothing to do.
    pub fn is_done(&self) -> bool {
        self.environments.iter().all(|it| it.todo == Todo::IsLive)
    }
}

/// The moves of a rollout, in order. With nothing live there is nobody to share with: no shift.
pub fn moves(plan: &RolloutPlan, is_first: bool) -> Vec<Move> {
    let plain = |name| Move { name, share: None, watch: None, gates: Vec::new() };
    let is_asked = |gate: &Gate| plan.gates.contains(gate);
    let before = plan.gates.iter().filter(|gate| **gate != Gate::Analysis).cloned().collect();
    let mut moves = vec![plain("upload")];
    moves.extend(plan.backup.iter().map(|_| plain("backup")));
    moves.extend([plain("stage"), Move { gates: before, ..plain("verify") }]);
    let during = [Gate::Analysis, Gate::Smoke].into_iter().filter(is_asked).collect::<Vec<_>>();
    if !is_first {
        for step in plan.shift.iter().filter(|it| it.per_mille < 1000 || it.watch.is_some()) {
            moves.push(Move {
                share: TrafficShare::try_from(step.per_mille).ok(),
                watch: step.watch,
                gates: during.clone(),
                ..plain("shift")
            });
        }
    }
    moves.push(Move { share: Some(TrafficShare::ALL), ..plain("live") });
    moves
}

/// A phase in a word or two.
pub fn phase_word(phase: Phase) -> String {
    match phase {
        Phase::Shifting { share, .. } => share.to_string(),
        phase => phase.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(shift: &[&str], gates: &[&str]) -> RolloutPlan {
        RolloutPlan {
            shift: shift.iter().map(|step| step.parse().unwrap()).collect(),
            gates: gates.iter().map(|gate| gate.parse().unwrap()).collect(),
            hold: "10m".parse().unwrap(),
            backup: None,
        }
    }

    fn shown(moves: &[Move]) -> String {
        let one = |it: &Move| {
            let gates: Vec<String> = it.gates.iter().map(ToString::to_string).collect();
            let share = it.share.map(|share| format!(" {share}")).unwrap_or_default();
            let watch = it.watch.map(|watch| format!(" for {watch}")).unwrap_or_default();
            format!("{}{share}{watch} [{}]", it.name, gates.join(" "))
        };
        moves.iter().map(one).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn shares_are_watched_by_the_analysis_and_asked_for_smoke_once_more() {
        let plan = plan(&["5% for 2m", "100%"], &["window", "smoke", "analysis"]);
        assert_eq!(
            shown(&moves(&plan, false)),
            "upload [], stage [], verify [window smoke], shift 5% for 2m [analysis smoke], live 100% []"
        );
    }

    #[test]
    fn the_first_release_shares_with_nobody() {
        let plan = plan(&["5% for 2m", "100%"], &["smoke"]);
        assert_eq!(shown(&moves(&plan, true)), "upload [], stage [], verify [smoke], live 100% []");
    }

    #[test]
    fn all_of_the_traffic_may_be_watched_too() {
        let plan = plan(&["100% for 5m"], &["analysis"]);
        assert_eq!(
            shown(&moves(&plan, false)),
            "upload [], stage [], verify [], shift 100% for 5m [analysis], live 100% []"
        );
    }
}

//! `analysis`: the candidate's numbers against its limits and against the live release over the same
//! minutes.
//!
//! The first look at a share remembers what the edges had counted by then; each later one judges what
//! came since. A share that is begun anew, after a crash too, is counted anew.

mod rules;
mod sources;
mod told;

pub use rules::InvalidAnalysis;

use crate::edge_target::EdgeTarget;
use crate::journal::{Phase, RolloutId, Verdict};
use crate::rollout::{Judgement, Situation};
use ::analysis::{Compared, Sample, Settings, Snapshot, Source, Watch, Window, analyse};
use config::{Limit, Metric};
use release::ReleaseId;
use release::routing::TrafficShare;
use rules::Asked;
use sources::Sources;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// With all of the traffic at the candidate, nothing of the same minutes is live's.
const NOTHING_LIVE: &str =
    "all traffic is the candidate's, and what was live before was not watched by this promoter";

/// Whose minutes the live release's numbers are of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LiveNumbers {
    /// The candidate's.
    #[default]
    SameMinutes,
    /// The share before: this one leaves it no traffic.
    ShareBefore,
    /// All since the edges started: this promoter has not seen the share before.
    EdgesLife,
}

/// The analysis of an environment.
#[derive(Debug)]
pub struct AnalysisGate {
    asked: Vec<Asked>,
    sources: Sources,
    watched: Mutex<Watched>,
}

/// What was seen of a rollout.
#[derive(Debug, Default)]
struct Watched {
    share: Option<Share>,
    /// What the edges counted since the first look at the share.
    watch: Watch,
    /// The live release's numbers at the last look at a share that left it some traffic, by the place
    /// of their rule.
    live: Vec<Sample>,
    of: LiveNumbers,
}

/// One share of one rollout, watched once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Share {
    rollout: RolloutId,
    step: usize,
    since: jiff::Timestamp,
}

impl AnalysisGate {
    /// The rules that limits make.
    ///
    /// # Errors
    /// When they make none.
    pub fn new(
        limits: &BTreeMap<Metric, Limit>,
        sources: &BTreeMap<String, config::Source>,
    ) -> Result<AnalysisGate, InvalidAnalysis> {
        Ok(AnalysisGate {
            asked: rules::rules(limits)?,
            sources: Sources::new(sources),
            watched: Mutex::default(),
        })
    }

    /// Looks at what came since the first look at this share.
    pub fn judge(
        &self,
        target: &EdgeTarget,
        situation: &Situation<'_>,
        is_stopped: &dyn Fn() -> bool,
    ) -> Judgement {
        let inconclusive = |reason: String| Judgement::new(Verdict::Inconclusive, reason);
        let Phase::Shifting { step, share } = situation.phase else {
            return inconclusive("the candidate has no share of the traffic to look at".to_owned());
        };
        let snapshots = match target.snapshots() {
            Ok(snapshots) => snapshots,
            Err(error) => return inconclusive(error.to_string()),
        };
        // A panic elsewhere leaves the counts as true as they were.
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        let is_first =
            watched.begin(Share { rollout: situation.rollout.id, step, since: situation.since });
        let has_live = share < TrafficShare::ALL;
        if is_first && !has_live {
            self.remember_live(&mut watched, &snapshots, situation);
        }
        for (edge, snapshot) in snapshots {
            if let Err(error) = watched.watch.observe(&edge, snapshot) {
                return inconclusive(format!("edge {edge}: {error}"));
            }
        }
        if is_first {
            return inconclusive(format!("counting has begun at {share}"));
        }
        let began_at = watched.watch.began_at().unwrap_or(situation.since);
        let window = watched.watch.window().clone();
        let looks = situation.looks.max(situation.look);
        let settings = Settings { looks, ..Settings::default() };
        let mut compared = self.at_edges(&window, situation);
        if !has_live {
            replace_live(&mut compared, &watched.live);
        }
        let mut analysis = analyse(&compared, &settings);
        // What the edges saw is enough to turn back: nobody has to be waited for.
        if analysis.verdict != ::analysis::Verdict::Fail {
            let from = situation.rollout.from.as_ref().map(ReleaseId::as_str);
            let mut answers = self.sources.ask(began_at, is_stopped);
            for (asked, compared) in self.asked.iter().zip(&mut compared) {
                let Source::Named(name) = &asked.rule.source else { continue };
                let release = situation.rollout.release.as_str();
                compared.candidate = answers.sample(name, asked, release);
                if has_live && asked.rule.against_live.is_some() {
                    compared.live = from.map(|release| answers.sample(name, asked, release));
                }
            }
            analysis = analyse(&compared, &settings);
        }
        if has_live {
            let live = compared.into_iter().map(|compared| compared.live);
            let missing = || Sample::Missing(NOTHING_LIVE.to_owned());
            watched.live = live.map(|live| live.unwrap_or_else(missing)).collect();
            watched.of = LiveNumbers::SameMinutes;
        }
        told::judgement(&analysis, &window, watched.of)
    }

    /// From here on nothing of the same minutes is live's: the share before stands for it, or what the
    /// edges have counted since they started when this promoter has not seen that.
    fn remember_live(
        &self,
        watched: &mut Watched,
        snapshots: &[(String, Snapshot)],
        situation: &Situation<'_>,
    ) {
        if !watched.live.is_empty() {
            watched.of = LiveNumbers::ShareBefore;
            return;
        }
        let mut life = Window::default();
        for (_, snapshot) in snapshots {
            // One that cannot be added is told with the next look.
            life.merge(&snapshot.since_start()).ok();
        }
        let missing = || Sample::Missing(NOTHING_LIVE.to_owned());
        let of_life = |(asked, compared): (&Asked, Compared)| match asked.rule.source {
            Source::Edge => compared.live.unwrap_or_else(missing),
            Source::Named(_) => missing(),
        };
        let compared = self.at_edges(&life, situation);
        watched.live = self.asked.iter().zip(compared).map(of_life).collect();
        watched.of = LiveNumbers::EdgesLife;
    }

    /// The rules beside what the edges counted; what others know is not asked yet.
    fn at_edges(&self, window: &Window, situation: &Situation<'_>) -> Vec<Compared> {
        let (candidate, live) = (&situation.rollout.release, situation.rollout.from.as_ref());
        let live = live.map(ReleaseId::as_str);
        let unasked = || Sample::Missing("it was not asked".to_owned());
        let compare = |asked: &Asked| match asked.rule.source {
            Source::Edge => Compared::at_edge(asked.rule.clone(), window, candidate.as_str(), live),
            Source::Named(_) => Compared {
                rule: asked.rule.clone(),
                candidate: unasked(),
                live: live.map(|_| unasked()),
            },
        };
        self.asked.iter().map(compare).collect()
    }
}

/// What live did in the share before stands for what it would do now.
fn replace_live(compared: &mut [Compared], before: &[Sample]) {
    for (index, compared) in compared.iter_mut().enumerate() {
        if compared.live.is_none() {
            continue;
        }
        let before = before.get(index).cloned();
        compared.live = Some(before.unwrap_or(Sample::Missing(NOTHING_LIVE.to_owned())));
    }
}

impl Watched {
    /// Whether it is the first look at this share.
    fn begin(&mut self, share: Share) -> bool {
        if self.share == Some(share) {
            return false;
        }
        if self.share.is_none_or(|before| before.rollout != share.rollout) {
            self.live = Vec::new();
            self.of = LiveNumbers::default();
        }
        self.share = Some(share);
        self.watch = Watch::default();
        true
    }
}

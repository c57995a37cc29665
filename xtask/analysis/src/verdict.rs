//! What a comparison came to, and why.

use crate::interval::{finite_or_null, number_or_infinity};
use crate::{AgainstLive, Interval, RankTest, Rule};
use serde::{Deserialize, Serialize};
use std::fmt;

/// From best to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The limit is kept, as far as the samples could have shown a breach of it.
    Pass,
    /// No data, too few samples, or numbers that allow both.
    Inconclusive,
    /// The limit is broken, and not by chance.
    Fail,
}

/// The verdict over all rules.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Analysis {
    /// The worst of the judgements'; inconclusive without any.
    pub verdict: Verdict,
    /// One for each limit of each rule, in the rules' order, a rule's maximum first.
    pub judgements: Vec<Judgement>,
}

/// What one limit of one rule came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    pub verdict: Verdict,
    pub rule: Rule,
    /// The limit of the rule that this is about.
    pub limit: Limit,
    /// `None` without data.
    pub candidate: Option<Reading>,
    /// `None` for a maximum, and without data.
    pub live: Option<Reading>,
    /// Of shares against live: the candidate's minus what live's would allow, between -1 and 1.
    pub difference: Option<Interval>,
    /// Of histograms that must be no worse.
    pub rank_test: Option<RankTest>,
    /// With which confidence each end of the intervals holds.
    pub confidence: f64,
    /// How many samples of the candidate, or of live when those are missing, would be enough if the
    /// numbers stay as they are. `None` when the verdict is certain, or no number would be enough.
    pub needed: Option<u64>,
    /// One sentence for a person, with the numbers; lower case, no full stop.
    pub sentence: String,
}

/// A limit of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Limit {
    /// In the metric's unit.
    Max(f64),
    AgainstLive(AgainstLive),
}

/// What was measured of one release.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// How many there are; `None` when the source does not tell.
    pub samples: Option<u64>,
    /// Of a share: how many of the samples.
    pub events: Option<u64>,
    /// In the metric's unit; infinite (`null` in JSON) beyond the last bucket.
    #[serde(serialize_with = "finite_or_null", deserialize_with = "number_or_infinity")]
    pub value: f64,
    /// Where the true value lies.
    pub interval: Option<Interval>,
    /// Of a percentile: the edges of the bucket that holds it, which is how far off it may be read.
    pub bucket: Option<Interval>,
}

impl Analysis {
    pub(crate) fn of(judgements: Vec<Judgement>) -> Analysis {
        let worst = judgements.iter().map(|judgement| judgement.verdict).max();
        Analysis { verdict: worst.unwrap_or(Verdict::Inconclusive), judgements }
    }

    /// The sentences that the verdict stands on: those of the judgements that came to it, in order.
    pub fn reasons(&self) -> impl Iterator<Item = &str> {
        let decisive = self.judgements.iter().filter(|judgement| judgement.verdict == self.verdict);
        decisive.map(|judgement| judgement.sentence.as_str())
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Verdict::Pass => "pass",
            Verdict::Inconclusive => "inconclusive",
            Verdict::Fail => "fail",
        })
    }
}

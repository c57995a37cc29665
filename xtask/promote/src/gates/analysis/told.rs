//! An analysis as a gate's judgement.

use super::LiveNumbers;
use crate::journal::Verdict;
use crate::rollout::Judgement;
use ::analysis::{Analysis, Judgement as Judged, Limit, Reading, Window};
use report::{Measure, Unit};

/// How many of the limits that decided are told in the reason.
const MAX_REASONS: usize = 3;

/// The verdict, the sentences that it stands on, and the numbers.
pub fn judgement(analysis: &Analysis, window: &Window, of: LiveNumbers) -> Judgement {
    let verdict = match analysis.verdict {
        ::analysis::Verdict::Pass => Verdict::Pass,
        ::analysis::Verdict::Inconclusive => Verdict::Inconclusive,
        ::analysis::Verdict::Fail => Verdict::Fail,
    };
    let mut reasons: Vec<&str> = analysis.reasons().collect();
    // Both limits of a rule lack the same data.
    reasons.dedup();
    let mut reason = reasons[..reasons.len().min(MAX_REASONS)].join("; ");
    if reasons.len() > MAX_REASONS {
        reason += &format!("; and {} more", reasons.len() - MAX_REASONS);
    }
    if analysis.judgements.iter().any(|judged| judged.live.is_some()) {
        reason += match of {
            LiveNumbers::SameMinutes => "",
            LiveNumbers::ShareBefore => " (live: as it was in the share before)",
            LiveNumbers::EdgesLife => " (live: as it was since the edges started)",
        };
    }
    match window.restarts {
        0 => {}
        1 => reason += " (an edge began to count anew meanwhile)",
        times => reason += &format!(" (edges began to count anew {times} times meanwhile)"),
    }
    Judgement { numbers: numbers(&analysis.judgements), ..Judgement::new(verdict, reason) }
}

/// `latency-p95.candidate`, `latency-p95.live`, and how many samples each stands on:
/// `latency-p95.candidate.samples`.
fn numbers(judged: &[Judged]) -> Vec<Measure> {
    let mut numbers: Vec<Measure> = Vec::new();
    for judged in judged {
        let (metric, unit) = (&judged.rule.metric, judged.rule.metric.unit());
        let max = match judged.limit {
            Limit::Max(max) => Some(max),
            Limit::AgainstLive(_) => None,
        };
        for (whose, reading, max) in
            [("candidate", &judged.candidate, max), ("live", &judged.live, None)]
        {
            let Some(Reading { value, samples, .. }) = reading else { continue };
            let name = format!("{metric}.{whose}");
            // A rule with two limits has its numbers in both judgements.
            if numbers.iter().any(|known| known.name == name) {
                continue;
            }
            let measure = Measure::new(name.clone(), *value, unit);
            numbers.push(match max {
                Some(max) => measure.max(max),
                None => measure,
            });
            if let Some(samples) = samples {
                let samples = *samples as f64;
                numbers.push(Measure::new(format!("{name}.samples"), samples, Unit::Count));
            }
        }
    }
    numbers
}

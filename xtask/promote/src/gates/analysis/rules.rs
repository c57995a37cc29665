//! From an environment's limits to the rules of the analysis.

use ::analysis::{
    AgainstLive, Analysis, Compared, InvalidRule, Rule, Settings, Source, Verdict, analyse as judge,
};
use config::{Limit, Max, Metric};
use std::collections::BTreeMap;

/// A rule, and what its source is asked for it.
#[derive(Debug, Clone)]
pub struct Asked {
    pub rule: Rule,
    /// Samples below which nothing passes.
    min_samples: u64,
    /// For Prometheus.
    pub query: Option<String>,
}

/// Why a limit makes no rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAnalysis {
    #[error(transparent)]
    Rule(#[from] InvalidRule),
}

/// The rules that limits make, in the order of the metrics.
///
/// # Errors
/// When one of them makes none.
pub fn rules(limits: &BTreeMap<Metric, Limit>) -> Result<Vec<Asked>, InvalidAnalysis> {
    limits.iter().map(|(metric, limit)| rule(*metric, limit)).collect()
}

fn rule(metric: Metric, limit: &Limit) -> Result<Asked, InvalidAnalysis> {
    let against_live = limit.against_live.map(|against| match against {
        config::AgainstLive::NoWorse => AgainstLive::NoWorse,
        config::AgainstLive::Within(share) => AgainstLive::Within(share.0),
    });
    let max = limit.max.map(|max| match max {
        Max::Share(share) => share.0,
        Max::Time(time) => time.0.as_secs_f64() * 1_000.0,
        Max::Number(number) => number,
    });
    let source = limit.source.as_deref().map_or(Source::Edge, Source::of);
    let metric = metric.name().parse().map_err(InvalidRule::Metric)?;
    Ok(Asked {
        rule: Rule::new(metric, max, against_live, source)?,
        min_samples: limit.min_samples.unwrap_or(Settings::default().min_samples),
        query: limit.query.clone(),
    })
}

/// Judges what was compared for each of these rules, in the same order.
///
/// Rules that need as many samples are judged together. The chance of a false alarm is shared among
/// the limits of all: a group of them looks as much oftener as there are more limits than its own.
pub fn analyse(asked: &[Asked], compared: &[Compared], looks: u32) -> Analysis {
    let limits =
        |rule: &Rule| u32::from(rule.max.is_some()) + u32::from(rule.against_live.is_some());
    let all: u32 = asked.iter().map(|asked| limits(&asked.rule)).sum();
    let mut groups: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (index, asked) in asked.iter().enumerate() {
        groups.entry(asked.min_samples).or_default().push(index);
    }
    let mut judgements = Vec::new();
    for (min_samples, members) in groups {
        let own: u32 = members.iter().map(|index| limits(&asked[*index].rule)).sum();
        let looks = looks.max(1).saturating_mul(all.div_ceil(own.max(1)));
        let settings = Settings { looks, min_samples, ..Settings::default() };
        let group: Vec<Compared> = members.iter().map(|index| compared[*index].clone()).collect();
        let places = members
            .iter()
            .flat_map(|index| std::iter::repeat_n(*index, limits(&asked[*index].rule) as usize));
        judgements.extend(places.zip(judge(&group, &settings).judgements));
    }
    judgements.sort_by_key(|(index, _)| *index);
    let judgements: Vec<_> = judgements.into_iter().map(|(_, judgement)| judgement).collect();
    let worst = judgements.iter().map(|judgement| judgement.verdict).max();
    Analysis { verdict: worst.unwrap_or(Verdict::Inconclusive), judgements }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::analysis::{Proportion, Sample};

    fn limit(max: Option<&str>, against_live: Option<&str>) -> Limit {
        Limit {
            max: max.map(|text| text.parse().unwrap()),
            against_live: against_live.map(|text| text.parse().unwrap()),
            ..Limit::default()
        }
    }

    #[test]
    fn limits_become_rules_in_the_units_of_their_metrics() {
        let limits = [
            (Metric::ErrorShare, limit(Some("0.1%"), Some("no worse"))),
            (Metric::LatencyP95, limit(Some("300ms"), Some("+20%"))),
            (
                Metric::ClsP75,
                Limit { source: Some("beacon".to_owned()), ..limit(Some("0.1"), None) },
            ),
        ];
        let rules: Vec<Rule> =
            rules(&limits.into()).unwrap().into_iter().map(|asked| asked.rule).collect();
        let max: Vec<Option<f64>> = rules.iter().map(|rule| rule.max).collect();
        assert_eq!(max, [Some(0.001), Some(300.0), Some(0.1)]);
        assert_eq!(rules[0].against_live, Some(AgainstLive::NoWorse));
        assert_eq!(rules[1].against_live, Some(AgainstLive::Within(0.2)));
        assert_eq!(rules[2].source, Source::Named("beacon".to_owned()));
        let sourceless = [(Metric::LcpP75, limit(Some("2s"), None))];
        assert!(super::rules(&sourceless.into()).is_err());
    }

    #[test]
    fn rules_that_need_other_samples_are_told_in_order() {
        let limits = [
            (Metric::ErrorShare, limit(Some("1%"), Some("no worse"))),
            (Metric::LatencyP50, limit(Some("1s"), None)),
            (Metric::LatencyP95, Limit { min_samples: Some(9), ..limit(Some("1s"), None) }),
            (Metric::LatencyP99, limit(Some("1s"), None)),
        ];
        let asked = rules(&limits.into()).unwrap();
        let missing = || Sample::Missing("nobody asked".to_owned());
        let compared: Vec<Compared> = asked
            .iter()
            .map(|asked| Compared {
                rule: asked.rule.clone(),
                candidate: missing(),
                live: Some(missing()),
            })
            .collect();
        let analysis = analyse(&asked, &compared, 1);
        let metrics: Vec<String> =
            analysis.judgements.iter().map(|it| it.rule.metric.to_string()).collect();
        let expected = ["error-share", "error-share", "latency-p50", "latency-p95", "latency-p99"];
        assert_eq!(metrics, expected);
        assert_eq!(analysis.judgements[3].needed, Some(9));
        assert_eq!(analysis.verdict, Verdict::Inconclusive);
    }

    #[test]
    fn one_that_fails_fails_all() {
        let limits = [
            (Metric::ErrorShare, limit(Some("1%"), None)),
            (Metric::LatencyP95, Limit { min_samples: Some(9), ..limit(Some("1s"), None) }),
        ];
        let asked = rules(&limits.into()).unwrap();
        let samples = [
            Sample::Share(Proportion::new(500, 1_000)),
            Sample::Missing("nobody asked".to_owned()),
        ];
        let compared: Vec<Compared> = asked
            .iter()
            .zip(samples)
            .map(|(asked, candidate)| Compared { rule: asked.rule.clone(), candidate, live: None })
            .collect();
        assert_eq!(analyse(&asked, &compared, 10).verdict, Verdict::Fail);
    }
}

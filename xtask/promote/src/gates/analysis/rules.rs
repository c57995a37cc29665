//! From an environment's limits to the rules of the analysis.

use ::analysis::{AgainstLive, InvalidRule, Rule, Source};
use config::{Limit, Max, Metric};
use std::collections::BTreeMap;

/// A rule, and what its source is asked for it.
#[derive(Debug, Clone)]
pub struct Asked {
    pub rule: Rule,
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
    let rule = Rule::new(metric, max, against_live, source)?;
    let rule = match limit.min_samples {
        Some(min_samples) => rule.min_samples(min_samples),
        None => rule,
    };
    Ok(Asked { rule, query: limit.query.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
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
            (
                Metric::LatencyP95,
                Limit { min_samples: Some(9), ..limit(Some("300ms"), Some("+20%")) },
            ),
            (
                Metric::ClsP75,
                Limit { source: Some("beacon".to_owned()), ..limit(Some("0.1"), None) },
            ),
        ];
        let rules: Vec<Rule> =
            rules(&limits.into()).unwrap().into_iter().map(|asked| asked.rule).collect();
        let max: Vec<Option<f64>> = rules.iter().map(|rule| rule.max).collect();
        assert_eq!(max, [Some(0.001), Some(300.0), Some(0.1)]);
        let min_samples: Vec<Option<u64>> = rules.iter().map(|rule| rule.min_samples).collect();
        assert_eq!(min_samples, [None, Some(9), None]);
        assert_eq!(rules[0].against_live, Some(AgainstLive::NoWorse));
        assert_eq!(rules[1].against_live, Some(AgainstLive::Within(0.2)));
        assert_eq!(rules[2].source, Source::Named("beacon".to_owned()));
        let sourceless = [(Metric::LcpP75, limit(Some("2s"), None))];
        assert!(super::rules(&sourceless.into()).is_err());
    }
}

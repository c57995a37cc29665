//! What an environment's `analysis` table allows.

use crate::Metric;
use config::{Duration, Share};
use report::Unit;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::str::FromStr;

/// What one metric must keep to. At least one of the limits is there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    pub metric: Metric,
    /// The largest value allowed, in the metric's unit: a share between 0 and 1, milliseconds, a score.
    pub max: Option<f64>,
    pub against_live: Option<AgainstLive>,
    pub source: Source,
    /// Samples below which it does not pass; without it, those of the settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_samples: Option<u64>,
}

/// How much worse than the live release a candidate may be. Written `no worse`, `+20%`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum AgainstLive {
    /// Not worse, by more than what anybody would notice.
    NoWorse,
    /// At most so much of live's value more: 0.2 for +20%.
    Within(f64),
}

/// Who gives the numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// The edges of the environment.
    Edge,
    /// What `xtask.toml` names: `beacon`, `prometheus`, ….
    Named(String),
}

/// Why a rule is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRule {
    #[error("{0}")]
    Metric(String),
    #[error("{metric}: expected max, against-live or both, found neither")]
    NoLimit { metric: String },
    #[error("{metric}: expected a source that gives it, since the edge does not")]
    NoSource { metric: String },
    #[error("{metric}: max: {problem}")]
    Max { metric: String, problem: String },
    #[error("{metric}: against-live: {problem}")]
    AgainstLive { metric: String, problem: String },
}

/// Ten times worse is no limit but a slip.
const MAX_WITHIN: f64 = 10.0;

impl Rule {
    /// A rule that can be judged; refused without a limit, and when its source cannot give the metric.
    pub fn new(
        metric: Metric,
        max: Option<f64>,
        against_live: Option<AgainstLive>,
        source: Source,
    ) -> Result<Rule, InvalidRule> {
        if max.is_none() && against_live.is_none() {
            return Err(InvalidRule::NoLimit { metric: metric.to_string() });
        }
        if source == Source::Edge && !metric.is_edges() {
            return Err(InvalidRule::NoSource { metric: metric.to_string() });
        }
        Ok(Rule { metric, max, against_live, source, min_samples: None })
    }

    /// The same rule, with a number of samples of its own below which it does not pass.
    #[must_use]
    pub fn min_samples(mut self, min_samples: u64) -> Rule {
        self.min_samples = Some(min_samples);
        self
    }

    /// A rule as `xtask.toml` writes it: `error-share = { max = "0.1%", against-live = "no worse" }`.
    /// Without a source it is the edge that gives the numbers.
    pub fn parse(
        name: &str,
        max: Option<&str>,
        against_live: Option<&str>,
        source: Option<&str>,
    ) -> Result<Rule, InvalidRule> {
        let metric = name.parse().map_err(InvalidRule::Metric)?;
        let source = source.map_or(Source::Edge, Source::of);
        Rule::with_limits(metric, max, against_live, source)
    }

    /// A rule on a number of the project's own, which a source gives. It is counted in what its maximum
    /// is written in: `"1%"`, `"300ms"`, or a bare number, as is one that has no maximum.
    pub fn parse_custom(
        name: &str,
        max: Option<&str>,
        against_live: Option<&str>,
        source: &str,
    ) -> Result<Rule, InvalidRule> {
        let unit = max.map_or(Unit::Score, unit_of);
        let metric = Metric::Custom { name: name.to_owned(), unit };
        Rule::with_limits(metric, max, against_live, Source::of(source))
    }

    fn with_limits(
        metric: Metric,
        max: Option<&str>,
        against_live: Option<&str>,
        source: Source,
    ) -> Result<Rule, InvalidRule> {
        let max = max.map(|text| max_of(metric.unit(), text)).transpose();
        let max =
            max.map_err(|problem| InvalidRule::Max { metric: metric.to_string(), problem })?;
        let against_live = against_live.map(str::parse).transpose();
        let against_live = against_live
            .map_err(|problem| InvalidRule::AgainstLive { metric: metric.to_string(), problem })?;
        Rule::new(metric, max, against_live, source)
    }
}

impl Source {
    /// `edge` for the edge; any other name for what `xtask.toml` calls so.
    pub fn of(name: &str) -> Source {
        if name == "edge" { Source::Edge } else { Source::Named(name.to_owned()) }
    }
}

fn unit_of(max: &str) -> Unit {
    if max.parse::<Share>().is_ok() {
        Unit::Share
    } else if max.parse::<Duration>().is_ok() {
        Unit::Ms
    } else {
        Unit::Score
    }
}

fn max_of(unit: Unit, text: &str) -> Result<f64, String> {
    match unit {
        Unit::Share => Ok(text.parse::<Share>()?.0),
        Unit::Ms => Ok(text.parse::<Duration>()?.0.as_secs_f64() * 1_000.0),
        Unit::Bytes | Unit::Count | Unit::PerSecond | Unit::Score => match text.parse::<f64>() {
            Ok(number) if number.is_finite() && number >= 0.0 => Ok(number),
            _ => Err(format!("expected a number such as \"0.1\", found {text:?}")),
        },
    }
}

impl FromStr for AgainstLive {
    type Err = String;

    fn from_str(text: &str) -> Result<AgainstLive, String> {
        if text == "no worse" {
            return Ok(AgainstLive::NoWorse);
        }
        let percent = text.strip_prefix('+').and_then(|rest| rest.strip_suffix('%'));
        let percent = percent
            .filter(|digits| digits.chars().all(|c| c.is_ascii_digit() || c == '.'))
            .and_then(|digits| digits.parse::<f64>().ok());
        match percent {
            Some(percent) if percent <= MAX_WITHIN * 100.0 => {
                Ok(AgainstLive::Within(percent / 100.0))
            }
            _ => Err(format!(
                "expected \"no worse\", or how much more than live's value, such as \"+20%\", \
                 at most \"+1000%\", found {text:?}"
            )),
        }
    }
}

impl fmt::Display for AgainstLive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AgainstLive::NoWorse => f.write_str("no worse"),
            AgainstLive::Within(share) => write!(f, "+{}%", (share * 100.0 * 1e9).round() / 1e9),
        }
    }
}

impl Serialize for AgainstLive {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for AgainstLive {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<AgainstLive, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Edge => f.write_str("edge"),
            Source::Named(name) => f.write_str(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_read_as_the_configuration_writes_them() {
        let rule = Rule::parse("error-share", Some("0.1%"), Some("no worse"), None).unwrap();
        assert_eq!((rule.max, rule.against_live), (Some(0.001), Some(AgainstLive::NoWorse)));
        let rule = Rule::parse("latency-p95", Some("300ms"), Some("+20%"), Some("edge"));
        let rule = rule.unwrap();
        assert_eq!((rule.max, rule.against_live), (Some(300.0), Some(AgainstLive::Within(0.2))));
        let rule = Rule::parse("lcp-p75", Some("2.5s"), None, Some("beacon")).unwrap();
        assert_eq!((rule.max, rule.source), (Some(2500.0), Source::Named("beacon".to_owned())));
        let rule = Rule::parse("cls-p75", Some("0.1"), None, Some("beacon")).unwrap();
        assert_eq!(rule.max, Some(0.1));
        let rule = Rule::parse_custom("lost-mails", Some("1%"), None, "prometheus").unwrap();
        assert_eq!(rule.metric.unit(), Unit::Share);
    }

    #[test]
    fn a_rule_that_cannot_be_judged_is_refused() {
        let error =
            |name, max, live, source| Rule::parse(name, max, live, source).unwrap_err().to_string();
        assert_eq!(
            error("latency-p95", None, None, None),
            "latency-p95: expected max, against-live or both, found neither"
        );
        assert_eq!(
            error("lcp-p75", Some("2.5s"), None, None),
            "lcp-p75: expected a source that gives it, since the edge does not"
        );
        assert!(error("latency-p95", Some("300"), None, None).contains("found \"300\""));
        assert!(error("latency-p95", None, Some("20%"), None).contains("found \"20%\""));
        assert!(error("cls-p75", Some("NaN"), None, Some("b")).contains("found \"NaN\""));
        for text in ["+", "+%", "+-5%", "+inf%", "+5000%", "No Worse", "+1e2%"] {
            assert!(text.parse::<AgainstLive>().is_err(), "{text}");
        }
    }
}

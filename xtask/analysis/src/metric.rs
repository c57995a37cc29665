//! What a rule is about.

use report::Unit;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What a rule is about, written `error-share`, `latency-p95`, `lcp-p75`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
    /// Share of requests that were answered with 5xx, or not at all. Unit: share.
    ErrorShare,
    /// Time from the request to the last byte of the answer. Unit: ms.
    Latency(Quantile),
    /// Time from the request to the first byte of the answer. Unit: ms.
    FirstByte(Quantile),
    /// A Core Web Vital, or one of the metrics beside them, as users' browsers measured it.
    Vital(Vital, Quantile),
    /// A number that a source gives under a name of the project's own. Larger is worse.
    Custom { name: String, unit: Unit },
}

/// A percentile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Quantile {
    P50,
    P75,
    P90,
    P95,
    P99,
}

/// What browsers measure of a page (<https://web.dev/articles/vitals>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Vital {
    /// Largest Contentful Paint, ms.
    Lcp,
    /// Interaction to Next Paint, ms.
    Inp,
    /// Cumulative Layout Shift, without a unit.
    Cls,
    /// First Contentful Paint, ms.
    Fcp,
    /// Time To First Byte, ms.
    Ttfb,
}

const QUANTILES: [(Quantile, &str, f64); 5] = [
    (Quantile::P50, "p50", 0.5),
    (Quantile::P75, "p75", 0.75),
    (Quantile::P90, "p90", 0.9),
    (Quantile::P95, "p95", 0.95),
    (Quantile::P99, "p99", 0.99),
];

const VITALS: [(Vital, &str); 5] = [
    (Vital::Lcp, "lcp"),
    (Vital::Inp, "inp"),
    (Vital::Cls, "cls"),
    (Vital::Fcp, "fcp"),
    (Vital::Ttfb, "ttfb"),
];

impl Metric {
    /// The unit of its limit and of its values.
    pub fn unit(&self) -> Unit {
        match self {
            Metric::ErrorShare => Unit::Share,
            Metric::Vital(Vital::Cls, _) => Unit::Score,
            Metric::Latency(_) | Metric::FirstByte(_) | Metric::Vital(..) => Unit::Ms,
            Metric::Custom { unit, .. } => *unit,
        }
    }

    /// The percentile that it is; `None` for a share and a custom number.
    pub fn quantile(&self) -> Option<Quantile> {
        match self {
            Metric::Latency(quantile)
            | Metric::FirstByte(quantile)
            | Metric::Vital(_, quantile) => Some(*quantile),
            Metric::ErrorShare | Metric::Custom { .. } => None,
        }
    }

    /// Whether the edge measures it.
    pub fn is_edges(&self) -> bool {
        matches!(self, Metric::ErrorShare | Metric::Latency(_) | Metric::FirstByte(_))
    }

    /// As a person reads it: `error share`, `latency p95`, `LCP p75`.
    pub fn title(&self) -> String {
        match self {
            Metric::ErrorShare => "error share".to_owned(),
            Metric::Latency(quantile) => format!("latency {quantile}"),
            Metric::FirstByte(quantile) => format!("first byte {quantile}"),
            Metric::Vital(vital, quantile) => {
                format!("{} {quantile}", vital.name().to_uppercase())
            }
            Metric::Custom { name, .. } => name.replace('-', " "),
        }
    }

    /// What its samples are called.
    pub(crate) fn samples(&self) -> &'static str {
        if self.is_edges() { "requests" } else { "samples" }
    }
}

impl Quantile {
    /// 0.95 for p95.
    pub fn level(self) -> f64 {
        QUANTILES[self as usize].2
    }
}

impl Vital {
    /// In lower case: `lcp`.
    pub fn name(self) -> &'static str {
        VITALS[self as usize].1
    }
}

impl fmt::Display for Quantile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(QUANTILES[*self as usize].1)
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Metric::ErrorShare => f.write_str("error-share"),
            Metric::Latency(quantile) => write!(f, "latency-{quantile}"),
            Metric::FirstByte(quantile) => write!(f, "first-byte-{quantile}"),
            Metric::Vital(vital, quantile) => write!(f, "{}-{quantile}", vital.name()),
            Metric::Custom { name, .. } => f.write_str(name),
        }
    }
}

impl FromStr for Metric {
    type Err = String;

    /// The metrics that every project has; a custom one is made as [`Metric::Custom`].
    fn from_str(text: &str) -> Result<Metric, String> {
        if text == "error-share" {
            return Ok(Metric::ErrorShare);
        }
        let found = text.rsplit_once('-').and_then(|(family, quantile)| {
            let quantile = QUANTILES.iter().find(|(_, name, _)| *name == quantile)?.0;
            match family {
                "latency" => Some(Metric::Latency(quantile)),
                "first-byte" => Some(Metric::FirstByte(quantile)),
                _ => {
                    let (vital, _) = VITALS.iter().find(|(_, name)| *name == family)?;
                    Some(Metric::Vital(*vital, quantile))
                }
            }
        });
        found.ok_or_else(|| {
            format!(
                "expected error-share, or latency, first-byte, lcp, inp, cls, fcp or ttfb \
                 with -p50, -p75, -p90, -p95 or -p99, found {text:?}"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_round_trips() {
        let families = ["latency", "first-byte", "lcp", "inp", "cls", "fcp", "ttfb"];
        let quantiles = ["p50", "p75", "p90", "p95", "p99"];
        let mut names = vec!["error-share".to_owned()];
        for family in families {
            names.extend(quantiles.map(|quantile| format!("{family}-{quantile}")));
        }
        for name in names {
            assert_eq!(name.parse::<Metric>().unwrap().to_string(), name);
        }
    }

    #[test]
    fn a_slip_is_told_what_there_is() {
        for text in ["latency", "latency-p96", "lcp75", "errors", ""] {
            let error = text.parse::<Metric>().unwrap_err();
            assert!(error.ends_with(&format!("found {text:?}")), "{error}");
        }
    }

    #[test]
    fn units_and_levels() {
        assert_eq!("cls-p75".parse::<Metric>().unwrap().unit(), Unit::Score);
        assert_eq!("lcp-p75".parse::<Metric>().unwrap().unit(), Unit::Ms);
        assert_eq!(Quantile::P99.level(), 0.99);
        assert_eq!("inp-p75".parse::<Metric>().unwrap().title(), "INP p75");
    }
}

//! The candidate's numbers over time beside those of the live release.

use super::page::{Facts, millis};
use jiff::Timestamp;
use report::{Limit, Measure, Unit};
use std::collections::BTreeMap;

/// One number over time.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// `latency-p95`.
    pub metric: String,
    pub unit: Unit,
    /// The most that it may be, at the last look.
    pub max: Option<f64>,
    pub points: Vec<Point>,
}

/// What was known at one look.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Since the rollout began.
    pub at_ms: u64,
    pub candidate: Option<f64>,
    pub live: Option<f64>,
    pub candidate_samples: Option<f64>,
    pub live_samples: Option<f64>,
}

/// Every number that was compared, by name.
pub fn all(facts: &Facts<'_>) -> Vec<Series> {
    let Some(began) = facts.began_at() else { return Vec::new() };
    let mut series: BTreeMap<String, Series> = BTreeMap::new();
    for look in &facts.numbers.looks {
        let Ok(at) = look.at.parse::<Timestamp>() else { continue };
        let at_ms = millis(began, at);
        let of = |name: &str| look.numbers.iter().find(|measure| measure.name == name);
        for measure in &look.numbers {
            let Some(metric) = measure.name.strip_suffix(".candidate") else { continue };
            let value = |name: String| of(&name).map(|it| it.value).filter(|it| it.is_finite());
            let one = series.entry(metric.to_owned()).or_insert_with(|| Series {
                metric: metric.to_owned(),
                unit: measure.unit,
                max: None,
                points: Vec::new(),
            });
            one.max = max(measure).or(one.max);
            one.points.push(Point {
                at_ms,
                candidate: Some(measure.value).filter(|it| it.is_finite()),
                live: value(format!("{metric}.live")),
                candidate_samples: value(format!("{metric}.candidate.samples")),
                live_samples: value(format!("{metric}.live.samples")),
            });
        }
    }
    series.into_values().collect()
}

fn max(measure: &Measure) -> Option<f64> {
    match measure.limit {
        Some(Limit::Max(max)) => Some(max),
        _ => None,
    }
}

impl Series {
    /// The upper end of the axis: what was seen and what is allowed, rounded up to 1, 2 or 5 times a
    /// power of ten.
    pub fn top(&self) -> f64 {
        let values = self.points.iter().flat_map(|point| [point.candidate, point.live]);
        let seen = values.flatten().fold(0.0_f64, f64::max);
        // A limit far above all that was seen would press the lines flat.
        let allowed = self.max.filter(|max| *max <= seen * 4.0 || seen == 0.0).unwrap_or(0.0);
        let highest = seen.max(allowed) * 1.05;
        if highest <= 0.0 {
            return 1.0;
        }
        let power = 10_f64.powf(highest.log10().floor());
        let steps = [1.0, 2.0, 2.5, 5.0, 10.0].map(|step| step * power);
        steps.into_iter().find(|step| *step >= highest).unwrap_or(10.0 * power)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(values: &[f64], max: Option<f64>) -> Series {
        let point = |(index, value): (usize, &f64)| Point {
            at_ms: index as u64,
            candidate: Some(*value),
            live: None,
            candidate_samples: None,
            live_samples: None,
        };
        let points = values.iter().enumerate().map(point).collect();
        Series { metric: "latency-p95".into(), unit: Unit::Ms, max, points }
    }

    #[test]
    fn an_axis_ends_at_a_round_number_above_all() {
        assert_eq!(series(&[84.0, 120.0], None).top(), 200.0);
        assert_eq!(series(&[84.0], Some(300.0)).top(), 500.0);
        assert_eq!(series(&[10.0], Some(300.0)).top(), 20.0);
        assert_eq!(series(&[0.0], Some(0.001)).top(), 0.002);
        assert_eq!(series(&[0.0], None).top(), 1.0);
        assert_eq!(series(&[], None).top(), 1.0);
    }
}

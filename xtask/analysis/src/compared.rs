//! A rule beside the numbers that it is judged by.

use crate::{Rule, Sample, Window};

/// A rule, and what is known of its metric in both releases over the same minutes.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    pub rule: Rule,
    pub candidate: Sample,
    /// `None` when there is no live release: the first rollout of an environment.
    pub live: Option<Sample>,
}

impl Compared {
    /// A rule of the edge's, with the numbers of a window.
    pub fn at_edge(rule: Rule, window: &Window, candidate: &str, live: Option<&str>) -> Compared {
        let metric = rule.metric.clone();
        Compared {
            candidate: window.sample(candidate, &metric),
            live: live.map(|release| window.sample(release, &metric)),
            rule,
        }
    }
}

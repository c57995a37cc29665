//! A number without its samples: taken as it is.

use super::Case;
use crate::{AgainstLive, Judgement, Reading, Verdict, show};

impl Case<'_> {
    pub(super) fn value(&self, max: f64, candidate: f64) -> Judgement {
        let limit = format!("limit {}", show::value(self.unit(), max));
        self.as_it_is(candidate, None, max, &limit)
    }

    pub(super) fn value_against_live(
        &self,
        limit: AgainstLive,
        candidate: f64,
        live: f64,
    ) -> Judgement {
        let allowed = self.allowed(limit, live);
        self.as_it_is(candidate, Some(live), allowed, &format!("limit: {limit}"))
    }

    fn as_it_is(&self, candidate: f64, live: Option<f64>, allowed: f64, limit: &str) -> Judgement {
        let show = |value| show::value(self.unit(), value);
        let beside = live.map_or(String::new(), |live| format!(" against live {}", show(live)));
        let verdict = if candidate <= allowed { Verdict::Pass } else { Verdict::Fail };
        let reading =
            |value| Reading { samples: None, events: None, value, interval: None, bucket: None };
        Judgement {
            sentence: format!(
                "{} {}{beside} by {}; {limit}",
                self.title(),
                show(candidate),
                self.rule.source
            ),
            ..self.judgement(verdict, reading(candidate), live.map(reading))
        }
    }
}

//! What happened between snapshots: counts per release, of one edge or of several.

use crate::{Metric, ReleaseCounts, Sample, Snapshot, SnapshotError};
use std::collections::BTreeMap;

/// What was counted per release over some minutes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Window {
    /// By release id.
    pub releases: BTreeMap<String, ReleaseCounts>,
    /// How often an edge began to count anew in between. What it counted after the last snapshot and
    /// before it stopped is not known, of either release.
    pub restarts: u32,
}

impl Snapshot {
    /// What this edge counted since `earlier`. If it started anew in between, that is what it counted
    /// since its start; likewise for a release whose counters fell. A release that is gone counts
    /// nothing more.
    pub fn since(&self, earlier: &Snapshot) -> Result<Window, SnapshotError> {
        let is_restarted = self.uptime_ms < earlier.uptime_ms || self.started_at() > earlier.at;
        if is_restarted && self.at < earlier.at {
            return Err(SnapshotError::Order { earlier: earlier.at, later: self.at });
        }
        if is_restarted {
            return Ok(self.since_start());
        }
        if self.bounds_ms != earlier.bounds_ms {
            return Err(SnapshotError::Unlike {
                before: earlier.bounds_ms.len(),
                now: self.bounds_ms.len(),
            });
        }
        let mut window = Window::default();
        for (release, counts) in &self.releases {
            let grown = match earlier.releases.get(release) {
                None => Some(counts.clone()),
                Some(before) => counts.since(before),
            };
            window.restarts += u32::from(grown.is_none());
            window.releases.insert(release.clone(), grown.unwrap_or_else(|| counts.clone()));
        }
        Ok(window)
    }

    /// All that the edge counted since it started, within some minutes that began before.
    pub fn since_start(&self) -> Window {
        Window { releases: self.releases.clone(), restarts: 1 }
    }
}

impl Window {
    /// Adds what another edge counted, or the same one later. An error leaves it as it was.
    pub fn merge(&mut self, other: &Window) -> Result<(), SnapshotError> {
        let mut releases = self.releases.clone();
        for (release, more) in &other.releases {
            let Some(counts) = releases.get_mut(release) else {
                self.check_bounds(more)?;
                releases.insert(release.clone(), more.clone());
                continue;
            };
            counts.merge(more).map_err(|_| unlike(counts, more))?;
        }
        self.releases = releases;
        self.restarts += other.restarts;
        Ok(())
    }

    /// Releases are compared with each other, so all of them have the same bounds.
    fn check_bounds(&self, more: &ReleaseCounts) -> Result<(), SnapshotError> {
        let ours = self.releases.values().next();
        match ours.filter(|ours| ours.latency.bounds() != more.latency.bounds()) {
            Some(ours) => Err(unlike(ours, more)),
            None => Ok(()),
        }
    }

    /// What is known of a metric of a release.
    pub fn sample(&self, release: &str, metric: &Metric) -> Sample {
        let Some(counts) = self.releases.get(release) else {
            return Sample::Missing("the edge has seen no request for it".to_owned());
        };
        match metric {
            Metric::ErrorShare => Sample::Share(counts.error_share()),
            Metric::Latency(_) => Sample::Buckets(counts.latency.clone()),
            Metric::FirstByte(_) => Sample::Buckets(counts.first_byte.clone()),
            Metric::Vital(..) | Metric::Custom { .. } => {
                Sample::Missing("the edge does not measure it".to_owned())
            }
        }
    }
}

fn unlike(ours: &ReleaseCounts, theirs: &ReleaseCounts) -> SnapshotError {
    SnapshotError::Unlike {
        before: ours.latency.bounds().len(),
        now: theirs.latency.bounds().len(),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::Histogram;

    /// A snapshot `at_s` seconds after nine, of releases with requests of which none failed.
    pub(crate) fn snapshot(at_s: u32, uptime_s: u64, releases: &[(&str, u64)]) -> Snapshot {
        let releases: Vec<String> = (releases.iter())
            .map(|(release, requests)| {
                format!(
                    r#""{release}":{{"requests":{requests},"by_class":{{"2xx":{requests}}},
                    "errors":0,"in_flight":0,"latency_counts":[{requests},0],
                    "first_byte_counts":[{requests},0]}}"#
                )
            })
            .collect();
        let json = format!(
            r#"{{"version":1,"at":"2026-11-23T09:{:02}:{:02}Z","uptime_ms":{},
            "latency_bounds_ms":[10],"releases":{{{}}}}}"#,
            at_s / 60,
            at_s % 60,
            uptime_s * 1_000,
            releases.join(",")
        );
        Snapshot::parse(json.as_bytes()).unwrap()
    }

    pub(crate) fn requests(window: &Window, release: &str) -> u64 {
        window.releases.get(release).map_or(0, |counts| counts.requests)
    }

    #[test]
    fn a_window_is_what_was_added() {
        let earlier = snapshot(0, 60, &[("a", 100)]);
        let later = snapshot(30, 90, &[("a", 150), ("b", 5)]);
        let window = later.since(&earlier).unwrap();
        assert_eq!((requests(&window, "a"), requests(&window, "b")), (50, 5));
        assert_eq!(window.releases["a"].by_class["2xx"], 50);
        assert_eq!(window.restarts, 0);
    }

    #[test]
    fn after_a_restart_the_later_snapshot_counts_alone() {
        let earlier = snapshot(0, 60, &[("a", 100)]);
        for later in [
            snapshot(30, 20, &[("a", 40)]),
            // It has run longer than the first one had, and counted more.
            snapshot(90, 80, &[("a", 140)]),
        ] {
            let window = later.since(&earlier).unwrap();
            assert_eq!(window.releases, later.releases);
            assert_eq!(window.restarts, 1);
        }
    }

    #[test]
    fn a_release_that_began_anew_counts_alone() {
        let earlier = snapshot(0, 60, &[("a", 100), ("b", 100)]);
        let later = snapshot(30, 90, &[("a", 150), ("b", 7)]);
        let window = later.since(&earlier).unwrap();
        assert_eq!((requests(&window, "a"), requests(&window, "b")), (50, 7));
        assert_eq!(window.restarts, 1);
    }

    #[test]
    fn snapshots_in_the_wrong_order_are_refused() {
        let error = snapshot(0, 60, &[]).since(&snapshot(30, 90, &[])).unwrap_err();
        assert!(matches!(error, SnapshotError::Order { .. }), "{error}");
    }

    #[test]
    fn edges_with_other_buckets_do_not_mix() {
        let mut window = snapshot(0, 60, &[("a", 1)]).since_start();
        let mut other = snapshot(0, 60, &[("b", 1)]);
        other.bounds_ms = vec![20.0];
        for counts in other.releases.values_mut() {
            counts.latency = Histogram::new(vec![20.0], vec![1, 0]).unwrap();
        }
        let before = window.clone();
        let error = window.merge(&other.since_start()).unwrap_err();
        assert_eq!(error, SnapshotError::Unlike { before: 1, now: 1 });
        assert_eq!(window, before);
        let again = other.since(&snapshot(0, 60, &[("b", 1)]));
        assert_eq!(again, Err(SnapshotError::Unlike { before: 1, now: 1 }));
    }

    #[test]
    fn what_the_edge_has_not_seen_is_missing() {
        let window = snapshot(0, 60, &[("a", 1)]).since_start();
        assert!(matches!(window.sample("b", &Metric::ErrorShare), Sample::Missing(_)));
        let metric = "lcp-p75".parse().unwrap();
        assert!(matches!(window.sample("a", &metric), Sample::Missing(_)));
    }
}

//! The counts in Prometheus' text format, version 0.0.4
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>).

use super::{CLASSES, Durations, Metrics, ReleaseMetrics, histogram};
use jiff::Timestamp;
use std::fmt::Write;
use std::sync::Arc;

/// Bounds that are told to Prometheus, in milliseconds: all of them would be hundreds of series for
/// each release. Each is one of the histogram's own.
const BOUNDS_MS: [f64; 18] = [
    0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1_000.0, 2_500.0,
    5_000.0, 10_000.0, 25_000.0, 60_000.0,
];

/// The name under which requests are counted that no release could answer.
const NO_RELEASE: &str = "none";

/// What is told besides the counts, as far as it is known.
#[derive(Debug, Clone, Copy, Default)]
pub struct Facts<'a> {
    /// The release that gets the live traffic.
    pub live: Option<&'a str>,
    /// Of the routing in effect.
    pub generation: Option<u64>,
    pub certificate_not_after: Option<Timestamp>,
}

/// All counts, and the facts.
pub fn exposition(metrics: &Metrics, facts: Facts<'_>) -> String {
    let mut releases: Vec<(String, Arc<ReleaseMetrics>)> =
        metrics.all().into_iter().map(|(id, it)| (id.into(), it)).collect();
    releases.push((NO_RELEASE.to_owned(), Arc::clone(&metrics.none)));
    let mut text = String::new();

    family(
        &mut text,
        "requests_total",
        "counter",
        "Requests, by the class of their answer's status.",
    );
    for (id, counts) in &releases {
        for (class, count) in CLASSES.iter().zip(counts.classes()) {
            let name = format!("requests_total{{release=\"{id}\",class=\"{class}\"}}");
            sample(&mut text, &name, count);
        }
    }
    let mut numbers = |name: &str, kind: &str, help: &str, get: fn(&ReleaseMetrics) -> u64| {
        family(&mut text, name, kind, help);
        for (id, counts) in &releases {
            sample(&mut text, &format!("{name}{{release=\"{id}\"}}"), get(counts));
        }
    };
    let help = "Answers of 5xx, and answers that broke off.";
    numbers("errors_total", "counter", help, ReleaseMetrics::errors);
    let help = "Requests whose client left before the answer began.";
    numbers("abandoned_requests_total", "counter", help, ReleaseMetrics::abandoned);
    let help = "Requests whose answer is not over yet.";
    numbers("in_flight_requests", "gauge", help, ReleaseMetrics::in_flight);

    let mut times = |name: &str, help: &str, get: fn(&ReleaseMetrics) -> Durations| {
        family(&mut text, name, "histogram", help);
        for (id, counts) in &releases {
            buckets(&mut text, name, id, &get(counts));
        }
    };
    let help = "Time from a request to the end of its answer.";
    times("request_duration_seconds", help, ReleaseMetrics::latency);
    let help = "Time from a request to the first byte of its answer.";
    times("first_byte_duration_seconds", help, ReleaseMetrics::first_byte);

    family(&mut text, "uptime_seconds", "gauge", "Time since the edge was started.");
    sample(&mut text, "uptime_seconds", metrics.uptime().as_secs_f64());
    if let Some(live) = facts.live {
        family(&mut text, "live_release_info", "gauge", "The release that gets the live traffic.");
        sample(&mut text, &format!("live_release_info{{release=\"{live}\"}}"), 1);
    }
    if let Some(generation) = facts.generation {
        family(&mut text, "routing_generation", "gauge", "Generation of the routing in effect.");
        sample(&mut text, "routing_generation", generation);
    }
    if let Some(not_after) = facts.certificate_not_after {
        let name = "certificate_expiration_timestamp_seconds";
        let help = "When the certificate that connections are shown expires.";
        family(&mut text, name, "gauge", help);
        sample(&mut text, name, not_after.as_second());
    }
    text
}

fn family(text: &mut String, name: &str, kind: &str, help: &str) {
    // Writing to a string never fails.
    let _ = writeln!(text, "# HELP slipway_edge_{name} {help}\n# TYPE slipway_edge_{name} {kind}");
}

fn sample(text: &mut String, name: &str, value: impl std::fmt::Display) {
    let _ = writeln!(text, "slipway_edge_{name} {value}");
}

fn buckets(text: &mut String, name: &str, id: &str, durations: &Durations) {
    let counts = &durations.counts;
    for bound in BOUNDS_MS {
        let le = bound / 1000.0;
        let bucket = format!("{name}_bucket{{release=\"{id}\",le=\"{le}\"}}");
        sample(text, &bucket, histogram::at_most(counts, bound));
    }
    let all: u64 = counts.iter().sum();
    sample(text, &format!("{name}_bucket{{release=\"{id}\",le=\"+Inf\"}}"), all);
    sample(text, &format!("{name}_sum{{release=\"{id}\"}}"), durations.sum_s());
    sample(text, &format!("{name}_count{{release=\"{id}\"}}"), all);
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::StatusCode;
    use std::time::Duration;

    #[test]
    fn buckets_add_up_and_every_family_is_described() {
        let metrics = Metrics::default();
        let release = metrics.of(&"2026-11-23-ba7816bf8f01".parse().unwrap());
        for ms in [0, 3, 300] {
            release.begin();
            let took = Duration::from_millis(ms);
            release.end(StatusCode::OK, ms == 300, Duration::ZERO, took);
        }
        let facts = Facts {
            live: Some("2026-11-23-ba7816bf8f01"),
            generation: Some(7),
            certificate_not_after: Some("2026-11-23T00:00:00Z".parse().unwrap()),
        };
        let text = exposition(&metrics, facts);
        for line in [
            "requests_total{release=\"2026-11-23-ba7816bf8f01\",class=\"2xx\"} 3",
            "errors_total{release=\"2026-11-23-ba7816bf8f01\"} 1",
            "in_flight_requests{release=\"2026-11-23-ba7816bf8f01\"} 0",
            "request_duration_seconds_bucket{release=\"2026-11-23-ba7816bf8f01\",le=\"0.0025\"} 1",
            "request_duration_seconds_bucket{release=\"2026-11-23-ba7816bf8f01\",le=\"0.25\"} 2",
            "request_duration_seconds_bucket{release=\"2026-11-23-ba7816bf8f01\",le=\"+Inf\"} 3",
            "request_duration_seconds_sum{release=\"2026-11-23-ba7816bf8f01\"} 0.303",
            "requests_total{release=\"none\",class=\"5xx\"} 0",
            "routing_generation 7",
            "certificate_expiration_timestamp_seconds 1795392000",
        ] {
            assert!(text.contains(&format!("\nslipway_edge_{line}\n")), "{line} in {text}");
        }
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let name = line.split(['{', ' ']).next().unwrap();
            let family = ["_bucket", "_sum", "_count"]
                .iter()
                .find_map(|suffix| name.strip_suffix(suffix))
                .unwrap_or(name);
            assert!(text.contains(&format!("# TYPE {family} ")), "{family}");
        }
    }
}

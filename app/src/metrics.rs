//! Numbers for Prometheus, in its text format 0.0.4. Labels are routes and methods that the
//! program knows, never paths that a visitor made up, so the number of series is bounded.

use axum::http::{Method, StatusCode};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Upper bounds in seconds: from a cached page to the request timeout.
const BUCKETS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// Content type of the text format.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

#[derive(Debug, Default)]
pub struct Metrics {
    requests: Mutex<BTreeMap<Series, Histogram>>,
    in_flight: AtomicI64,
    refusals: Mutex<BTreeMap<&'static str, u64>>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Series {
    route: String,
    method: &'static str,
    class: &'static str,
}

#[derive(Debug, Default, Clone)]
struct Histogram {
    buckets: [u64; BUCKETS.len()],
    count: u64,
    sum_seconds: f64,
}

/// What is measured only when asked for.
#[derive(Debug, Clone, Copy)]
pub struct Gauges {
    pub database_size_bytes: u64,
    pub sessions: u32,
    pub open_incidents: u32,
    pub new_reports: u32,
}

impl Metrics {
    /// Counts a request as being answered until the guard is dropped, also when the client left.
    pub fn begin(&self) -> InFlight<'_> {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(self)
    }

    pub fn record(&self, route: &str, method: &Method, status: StatusCode, took: Duration) {
        let series =
            Series { route: route.to_owned(), method: known(method), class: class(status) };
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let histogram = requests.entry(series).or_default();
        let seconds = took.as_secs_f64();
        histogram.count += 1;
        histogram.sum_seconds += seconds;
        for (bucket, bound) in histogram.buckets.iter_mut().zip(BUCKETS) {
            *bucket += u64::from(seconds <= bound);
        }
    }

    /// Counts something turned away, by its reason.
    pub fn refuse(&self, reason: &'static str) {
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        *refusals.entry(reason).or_default() += 1;
    }

    /// The text that a scraper reads.
    #[must_use]
    pub fn render(&self, gauges: Gauges) -> String {
        let mut text = String::with_capacity(8_192);
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone();
        header(
            &mut text,
            "beacon_http_request_duration_seconds",
            "histogram",
            "Time to answer a request, by route, method and class of status.",
        );
        for (Series { route, method, class }, histogram) in &requests {
            let labels =
                format!("route=\"{}\",method=\"{method}\",status=\"{class}\"", escape(route));
            let name = "beacon_http_request_duration_seconds";
            for (bound, count) in BUCKETS.iter().zip(histogram.buckets) {
                let _ = writeln!(text, "{name}_bucket{{{labels},le=\"{bound}\"}} {count}");
            }
            let Histogram { count, sum_seconds, .. } = histogram;
            let _ = writeln!(text, "{name}_bucket{{{labels},le=\"+Inf\"}} {count}");
            let _ = writeln!(text, "{name}_sum{{{labels}}} {sum_seconds}");
            let _ = writeln!(text, "{name}_count{{{labels}}} {count}");
        }
        header(
            &mut text,
            "beacon_http_requests_total",
            "counter",
            "Requests answered, by route, method and class of status.",
        );
        for (Series { route, method, class }, histogram) in &requests {
            let _ = writeln!(
                text,
                "beacon_http_requests_total{{route=\"{}\",method=\"{method}\",status=\"{class}\"}} {}",
                escape(route),
                histogram.count
            );
        }
        header(
            &mut text,
            "beacon_http_refused_total",
            "counter",
            "Requests turned away, by reason.",
        );
        for (reason, count) in self.refusals.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let _ = writeln!(text, "beacon_http_refused_total{{reason=\"{reason}\"}} {count}");
        }
        let in_flight = self.in_flight.load(Ordering::Relaxed);
        for (name, help, value) in [
            ("beacon_http_requests_in_flight", "Requests being answered.", in_flight.to_string()),
            (
                "beacon_database_size_bytes",
                "Size of the database with its write-ahead log.",
                gauges.database_size_bytes.to_string(),
            ),
            ("beacon_sessions", "Sessions that hold.", gauges.sessions.to_string()),
            (
                "beacon_open_incidents",
                "Incidents that are not resolved.",
                gauges.open_incidents.to_string(),
            ),
            ("beacon_new_reports", "Reports that wait for triage.", gauges.new_reports.to_string()),
        ] {
            header(&mut text, name, "gauge", help);
            let _ = writeln!(text, "{name} {value}");
        }
        header(&mut text, "beacon_build_info", "gauge", "Always 1; the version is in its label.");
        let _ = writeln!(text, "beacon_build_info{{version=\"{}\"}} 1", env!("CARGO_PKG_VERSION"));
        text
    }
}

/// One request being answered.
#[derive(Debug)]
pub struct InFlight<'a>(&'a Metrics);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

fn header(text: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn escape(label: &str) -> String {
    label.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// Methods of our own routes; what else a client invents shares one label.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        _ => "other",
    }
}

fn class(status: StatusCode) -> &'static str {
    match status.as_u16() / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    }
}

//! A certificate that expires: shown, counted and warned of.

use super::support::client::get;
use super::support::environment::Environment;
use super::support::tls::Pair;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const DAY: Duration = Duration::from_secs(24 * 3600);

const METRIC: &str = "\nslipway_edge_certificate_expiration_timestamp_seconds ";

fn seconds_until(time: Duration) -> u64 {
    (SystemTime::now() + time).duration_since(UNIX_EPOCH).unwrap().as_secs()
}

#[test]
fn the_certificates_end_is_told_and_warned_of_in_time() {
    let environment = Environment::new();
    let pair = Pair::at(environment.root());
    pair.renew_for(10 * DAY);
    let first = seconds_until(10 * DAY);
    let edge = environment.serve_with(&["--tls-cert", "cert.pem", "--tls-key", "key.pem"]);
    let not_after = || {
        let text = get(edge.admin, "/metrics").text();
        let (_, rest) = text.split_once(METRIC).unwrap();
        rest.lines().next().unwrap().parse::<u64>().unwrap()
    };
    assert!(not_after().abs_diff(first) < 60);
    let status = edge.status();
    let shown = status["certificate"]["not_after"].as_str().unwrap();
    let shown: jiff::Timestamp = shown.parse().unwrap();
    assert_eq!(u64::try_from(shown.as_second()).unwrap(), not_after());

    pair.renew_for(90 * DAY);
    let second = seconds_until(90 * DAY);
    edge.until("the new one is shown", |_| not_after().abs_diff(second) < 60);
    pair.renew_for(Duration::ZERO);
    edge.until("one that has expired is shown", |_| not_after() < first);
    let (status, said) = edge.close();
    assert!(status.success());
    let told = |text: &str| said.matches(text).count();
    assert_eq!(told("warning: the certificate cert.pem expires in 9 days, at 20"), 1, "{said}");
    assert_eq!(told("error: the certificate cert.pem expired at 20"), 1, "{said}");
    assert_eq!(told("the certificate cert.pem expire"), 2, "{said}");
}

#[test]
fn without_tls_there_is_none() {
    let environment = Environment::new();
    let edge = environment.serve();
    assert!(edge.status()["certificate"].is_null());
    assert!(!get(edge.admin, "/metrics").text().contains("certificate"));
}

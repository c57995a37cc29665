//! `/metrics` by the rules of Prometheus' text format, version 0.0.4, and by its naming conventions.

use super::support::client::{get, get_with};
use super::support::environment::{Environment, until};
use std::collections::{BTreeMap, BTreeSet};

/// A family of the exposition.
#[derive(Debug, Default)]
struct Family {
    kind: String,
    /// In order: name, labels, value.
    samples: Vec<(String, BTreeMap<String, String>, f64)>,
}

/// Reads an exposition, and fails where it is none.
fn parse(text: &str) -> BTreeMap<String, Family> {
    assert!(text.ends_with('\n') && !text.contains('\r'));
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    let mut described = String::new();
    let mut current = String::new();
    let mut series = BTreeSet::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').unwrap();
            assert!(is_name(name) && help.ends_with('.'), "{line}");
            assert!(!help.replace("\\\\", "").replace("\\n", "").contains('\\'), "{line}");
            assert!(!families.contains_key(name), "{name} is described twice");
            described = name.to_owned();
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert_eq!(name, described, "HELP comes right before TYPE");
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            let family = Family { kind: kind.to_owned(), samples: Vec::new() };
            assert!(families.insert(name.to_owned(), family).is_none(), "{line}");
            current = name.to_owned();
        } else {
            let (name, labels, value) = sample(line);
            let family = families.get_mut(&current).unwrap();
            let suffixes: &[&str] = match family.kind.as_str() {
                "histogram" => &["_bucket", "_sum", "_count"],
                _ => &[""],
            };
            let is_of_family = |suffix: &&str| name == format!("{current}{suffix}");
            assert!(suffixes.iter().any(is_of_family), "{line} stands under {current}");
            assert!(series.insert((name.clone(), labels.clone())), "{line} is there twice");
            family.samples.push((name, labels, value));
        }
    }
    families
}

/// Reads `name{label="value",…} number`.
fn sample(line: &str) -> (String, BTreeMap<String, String>, f64) {
    let end = line.find(['{', ' ']).unwrap_or_else(|| panic!("no sample: {line:?}"));
    let (name, mut rest) = line.split_at(end);
    assert!(is_name(name), "{line}");
    let mut labels = BTreeMap::new();
    if let Some(inner) = rest.strip_prefix('{') {
        rest = inner;
        loop {
            let (label, value) = rest.split_once("=\"").unwrap_or_else(|| panic!("{line}"));
            assert!(is_name(label) && !label.starts_with("__"), "{line}");
            let (value, after) = quoted(value).unwrap_or_else(|| panic!("{line}"));
            assert!(labels.insert(label.to_owned(), value).is_none(), "{line}");
            match after.as_bytes()[0] {
                b',' => rest = &after[1..],
                b'}' => {
                    rest = &after[1..];
                    break;
                }
                _ => panic!("{line}"),
            }
        }
    }
    let number = rest.strip_prefix(' ').unwrap_or_else(|| panic!("{line}"));
    assert!(!number.contains(' '), "no timestamp is given: {line}");
    let value: f64 = number.parse().unwrap_or_else(|_| panic!("{line}"));
    assert!(value.is_finite() && value >= 0.0, "{line}");
    (name.to_owned(), labels, value)
}

/// A label's value up to its quote, its escapes undone; and what follows.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => match characters.next()?.1 {
                'n' => value.push('\n'),
                escaped @ ('"' | '\\') => value.push(escaped),
                _ => return None,
            },
            other => value.push(other),
        }
    }
    None
}

/// Of a metric or a label; colons are for the rules of whoever scrapes.
fn is_name(name: &str) -> bool {
    let is_first = |c: char| c.is_ascii_alphabetic() || c == '_';
    name.starts_with(is_first) && name.chars().all(|c| is_first(c) || c.is_ascii_digit())
}

/// Names say their unit, which is a base one, and what counts says so.
fn check_name(name: &str, family: &Family) {
    assert!(name.starts_with("slipway_edge_") && name == name.to_ascii_lowercase(), "{name}");
    assert_eq!(name.ends_with("_total"), family.kind == "counter", "{name}");
    for unit in ["_ms", "millis", "micro", "minutes", "_kb", "percent"] {
        assert!(!name.contains(unit), "{name}: expected a base unit");
    }
    for reserved in ["_sum", "_count", "_bucket"] {
        assert!(!name.ends_with(reserved), "{name}");
    }
    if family.kind == "histogram" || name.contains("duration") || name.contains("time") {
        assert!(name.ends_with("_seconds"), "{name}");
    }
    assert_eq!(name.ends_with("_info"), family.samples.iter().any(|it| it.0.ends_with("_info")));
}

fn check_histogram(name: &str, family: &Family) {
    let mut series: BTreeMap<BTreeMap<String, String>, Vec<(f64, f64)>> = BTreeMap::new();
    for (sample, labels, value) in &family.samples {
        let mut labels = labels.clone();
        let bound = labels.remove("le");
        assert_eq!(bound.is_some(), sample.ends_with("_bucket"), "{name}");
        let buckets = series.entry(labels.clone()).or_default();
        match bound.as_deref() {
            Some("+Inf") => buckets.push((f64::INFINITY, *value)),
            Some(bound) => buckets.push((bound.parse().unwrap(), *value)),
            None if sample.ends_with("_count") => {
                assert_eq!(buckets.last(), Some(&(f64::INFINITY, *value)), "{name} {labels:?}");
            }
            None => {
                let all = buckets.last().unwrap().1;
                assert_eq!(*value > 0.0, all > 0.0, "{name} {labels:?}: a sum of what was counted");
            }
        }
    }
    for (labels, buckets) in series {
        assert!(buckets.len() > 2, "{name} {labels:?}");
        for pair in buckets.windows(2) {
            assert!(pair[0].0 < pair[1].0, "{name} {labels:?}: bounds ascend");
            assert!(pair[0].1 <= pair[1].1, "{name} {labels:?}: buckets are cumulative");
        }
    }
}

#[test]
fn the_metrics_are_what_prometheus_reads() {
    let mut environment = Environment::new();
    let live = environment.add(&[("index.html", b"live")], Some(""));
    let candidate = environment.add(&[("index.html", b"candidate")], None);
    environment.live(&live);
    environment.candidate(&candidate, 100);
    let edge = environment.serve();
    edge.until_state(&candidate, "ready");
    for target in ["/", "/nowhere", "/release", "/hang-up"] {
        get(edge.address, target);
        edge.page_of("candidate");
        get_with(edge.address, target, "x-slipway-release: no-such-one\r\n");
    }
    let answer = until("all are counted", || {
        let answer = get(edge.admin, "/metrics");
        let families = parse(&answer.text());
        let requests = &families["slipway_edge_requests_total"].samples;
        (requests.iter().map(|it| it.2).sum::<f64>() >= 12.0, answer)
    });
    assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    let families = parse(&answer.text());
    for (name, family) in &families {
        assert!(!family.samples.is_empty(), "{name} has no samples");
        check_name(name, family);
        if family.kind == "histogram" {
            check_histogram(name, family);
        }
    }
    let releases: BTreeSet<&str> = families["slipway_edge_requests_total"]
        .samples
        .iter()
        .map(|(_, labels, _)| labels["release"].as_str())
        .collect();
    assert_eq!(releases, BTreeSet::from([live.as_str(), candidate.as_str(), "none"]));
    for name in ["errors_total", "abandoned_requests_total", "in_flight_requests"] {
        assert_eq!(families[&format!("slipway_edge_{name}")].samples.len(), 3, "{name}");
    }
}

#[test]
fn the_metrics_are_well_formed_before_anything_is_live() {
    let environment = Environment::new();
    let edge = environment.serve();
    for (name, family) in parse(&get(edge.admin, "/metrics").text()) {
        assert!(!family.samples.is_empty(), "{name} has no samples");
        check_name(&name, &family);
    }
}

//! Comparing an answer with what was expected. Pure: no network, no clock.
//!
//! One finding per unmet expectation; each says what was asked, expected and found.

use super::ask::{Answer, Answered, MAX_BODY_BYTES};
use super::plan::Check;
use crate::address::shown;
use crate::as_ms;
use crate::excerpt::{excerpt, shorten};
use report::{Finding, Place, Unit};
use reqwest::Url;
use reqwest::header::HeaderMap;
use serde_json::Value;
use std::collections::BTreeMap;

/// Everything that is wrong with an answer, and what should be known about it.
pub(super) fn judge(
    check: &Check,
    policy: &BTreeMap<String, String>,
    answered: &Answered,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    match &answered.result {
        Ok(answer) => {
            findings.extend(status(check, answer));
            findings.extend(headers(check, policy, &answer.headers));
            findings.extend(redirect(check, &answer.headers));
            findings.extend(body(check, answer));
            findings.extend(json(check, answer));
            findings.extend(latency(check, answer));
            findings.extend(cut(check, answer));
        }
        Err(failure) => findings.push(
            Finding::error("smoke::no-answer", format!("{} got no answer: {failure}", check.name))
                .help("look at the server's own output; other checks of this run were answered"),
        ),
    }
    if answered.tries > 1 {
        findings.push(Finding::note(
            "smoke::waited",
            format!(
                "{} was asked {} times over {:.1} s: the first answers were no connection, 502 or 503",
                check.name,
                answered.tries,
                answered.waited.as_secs_f64()
            ),
        ));
    }
    let place = Place::url(shown(&check.url));
    findings.into_iter().map(|finding| finding.at(place.clone())).collect()
}

fn status(check: &Check, answer: &Answer) -> Option<Finding> {
    let (is_met, expected) = match (check.expect.status, &check.expect.redirect) {
        (Some(status), _) => (answer.status == status, status.to_string()),
        (None, Some(_)) => ((300..400).contains(&answer.status), "a redirect (3xx)".to_owned()),
        (None, None) => (answer.status == 200, "200".to_owned()),
    };
    let mut message = format!("{} answered {}, expected {expected}", check.name, answer.status);
    if let Some(location) = text_of(&answer.headers, "location") {
        message.push_str(&format!("\nlocation: {}", excerpt(location.as_bytes())));
    }
    if !answer.body.is_empty() {
        message.push_str(&format!("\nbody: {}", excerpt(&answer.body)));
    }
    let help = match answer.status {
        300..400 => "redirects are not followed: ask for the target, or expect `redirect`",
        500..600 => "look at the server's own output",
        _ => "mend the answer, or correct `expect.status`",
    };
    (!is_met).then(|| Finding::error("smoke::status", message).help(help))
}

/// The check's own headers, then those of the policy that the check does not speak of.
fn headers(check: &Check, policy: &BTreeMap<String, String>, headers: &HeaderMap) -> Vec<Finding> {
    let own =
        check.expect.headers.iter().map(|expected| ("smoke::header", "expect.headers", expected));
    let policy = policy
        .iter()
        .filter(|(name, _)| !check.expect.headers.keys().any(|own| own.eq_ignore_ascii_case(name)))
        .map(|expected| ("smoke::policy-header", "[headers]", expected));
    own.chain(policy)
        .filter_map(|(rule, source, (name, expected))| {
            let found = text_of(headers, name);
            let expected_text = match expected.as_str() {
                "*" => "any value".to_owned(),
                exact => excerpt(exact.as_bytes()),
            };
            let message = match found {
                Some(found) if expected == "*" || found == *expected => return None,
                Some(found) => format!(
                    "{} sent another `{name}` than {source} expects\nexpected: {expected_text}\nfound: {}",
                    check.name,
                    excerpt(found.as_bytes())
                ),
                None => format!(
                    "{} sent no `{name}`, which {source} expects\nexpected: {expected_text}",
                    check.name
                ),
            };
            Some(Finding::error(rule, message).help(format!(
                "send it on every answer that should carry it, or correct {source} in xtask.toml"
            )))
        })
        .collect()
}

fn redirect(check: &Check, headers: &HeaderMap) -> Option<Finding> {
    let expected = check.expect.redirect.as_deref()?;
    let resolve = |target: &str| check.url.join(target).map(Url::into);
    let expected = resolve(expected).unwrap_or_else(|_| expected.to_owned());
    let message = match text_of(headers, "location") {
        None => format!("{} sent no `location`, expected a redirect to {expected}", check.name),
        Some(location) => {
            let found = resolve(&location).unwrap_or_else(|_| location.clone());
            if found == expected {
                return None;
            }
            format!(
                "{} redirects elsewhere\nexpected: {expected}\nfound: {}",
                check.name,
                excerpt(found.as_bytes())
            )
        }
    };
    Some(
        Finding::error("smoke::redirect", message)
            .help("correct the redirect, or `expect.redirect`"),
    )
}

fn body(check: &Check, answer: &Answer) -> Vec<Finding> {
    let text = String::from_utf8_lossy(&answer.body);
    check
        .expect
        .body
        .iter()
        .filter(|expected| !text.contains(expected.as_str()))
        .map(|expected| {
            Finding::error(
                "smoke::body",
                format!(
                    "{}: the body does not contain what is expected\nexpected: {}\nfound: {}",
                    check.name,
                    excerpt(expected.as_bytes()),
                    excerpt(&answer.body)
                ),
            )
            .help("case and white space count; mend the page, or correct `expect.body`")
        })
        .collect()
}

fn json(check: &Check, answer: &Answer) -> Vec<Finding> {
    if check.expect.json.is_empty() {
        return Vec::new();
    }
    let document: Value = match serde_json::from_slice(&answer.body) {
        Ok(document) => document,
        Err(error) => {
            let message = format!(
                "{}: the body is not JSON: {error}\nfound: {}",
                check.name,
                excerpt(&answer.body)
            );
            return vec![
                Finding::error("smoke::json", message).help("correct the answer, or the path"),
            ];
        }
    };
    check
        .expect
        .json
        .iter()
        .filter_map(|(pointer, expected)| {
            let found = document.pointer(pointer);
            let found_text = match found {
                Some(found) if is_equal(found, expected) => return None,
                Some(found) => shorten(&found.to_string()),
                None => format!("nothing there, in {}", excerpt(&answer.body)),
            };
            let message = format!(
                "{}: JSON pointer {pointer:?} does not hold what is expected\nexpected: {expected}\nfound: {found_text}",
                check.name
            );
            Some(Finding::error("smoke::json", message).help("mend the answer, or correct `expect.json`"))
        })
        .collect()
}

/// Equal as JSON values; `1` and `1.0` are the same number.
fn is_equal(found: &Value, expected: &Value) -> bool {
    match (found, expected) {
        (Value::Number(found), Value::Number(expected)) => {
            found == expected || found.as_f64() == expected.as_f64()
        }
        (Value::Array(found), Value::Array(expected)) => {
            found.len() == expected.len()
                && found.iter().zip(expected).all(|(found, expected)| is_equal(found, expected))
        }
        (Value::Object(found), Value::Object(expected)) => {
            found.len() == expected.len()
                && found.iter().all(|(key, found)| {
                    expected.get(key).is_some_and(|expected| is_equal(found, expected))
                })
        }
        (found, expected) => found == expected,
    }
}

fn latency(check: &Check, answer: &Answer) -> Option<Finding> {
    let within = check.expect.within?.0;
    (answer.latency > within).then(|| {
        Finding::error(
            "smoke::within",
            format!(
                "{} took {} to the last byte, expected at most {}",
                check.name,
                Unit::Ms.show(as_ms(answer.latency)),
                Unit::Ms.show(as_ms(within))
            ),
        )
        .help("find what makes it slow; one request is a smoke test, `cargo xtask load` tells the percentiles")
    })
}

fn cut(check: &Check, answer: &Answer) -> Option<Finding> {
    answer.is_cut.then(|| {
        Finding::warning(
            "smoke::body-size",
            format!(
                "{}: only the first {} of the body were read and looked at",
                check.name,
                Unit::Bytes.show(MAX_BODY_BYTES as f64)
            ),
        )
        .help("smoke-test a smaller answer; `cargo xtask budget` is what weighs pages")
    })
}

/// A header's value as text; several of one name are joined as RFC 9110, section 5.2 says.
fn text_of(headers: &HeaderMap, name: &str) -> Option<String> {
    let values: Vec<_> = headers
        .get_all(name)
        .iter()
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        .collect();
    (!values.is_empty()).then(|| values.join(", "))
}

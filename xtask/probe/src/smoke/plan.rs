//! From `[[smoke]]` to requests. Past this point nothing is left to misunderstand.

use crate::address::Address;
use config::{Config, Expect, FILE_NAME, SmokeCheck};
use report::Fault;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use std::collections::BTreeMap;

/// One question, ready to be asked, with the answer that it expects.
#[derive(Debug, Clone)]
pub(super) struct Check {
    /// `GET /health/ready`; a repeated one is numbered: `GET / #2`.
    pub(super) name: String,
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<String>,
    pub(super) expect: Expect,
}

/// What to write when nothing is declared.
const EXAMPLE: &str = "\
write at least one check into it:

  [[smoke]]
  path   = \"/\"
  expect = { status = 200, headers = { content-type = \"*\" }, within = \"500ms\" }";

/// # Errors
/// Exit 2 when nothing is declared, or something that cannot be asked.
pub(super) fn plan(config: &Config, address: &Address) -> anyhow::Result<Vec<Check>> {
    if config.smoke.is_empty() {
        return Err(Fault::usage(format!(
            "{FILE_NAME} declares no [[smoke]], so there is nothing to ask; {EXAMPLE}"
        ))
        .into());
    }
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    config
        .smoke
        .iter()
        .enumerate()
        .map(|(index, declared)| {
            let mut check = check(declared, address).map_err(|error| {
                error.context(format!("{FILE_NAME}: [[smoke]] number {}", index + 1))
            })?;
            let count = seen.entry(check.name.clone()).or_default();
            *count += 1;
            if *count > 1 {
                check.name = format!("{} #{count}", check.name);
            }
            Ok(check)
        })
        .collect()
}

fn check(declared: &SmokeCheck, address: &Address) -> anyhow::Result<Check> {
    let method = Method::from_bytes(declared.method.as_bytes()).map_err(|_| {
        Fault::usage(format!("method {:?} is not an HTTP method such as \"GET\"", declared.method))
    })?;
    let mut headers = HeaderMap::new();
    for (name, value) in &declared.headers {
        let header = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value));
        let (Ok(name), Ok(value)) = header else {
            return Err(Fault::usage(format!("{name:?} = {value:?} is not an HTTP header")).into());
        };
        headers.insert(name, value);
    }
    Ok(Check {
        name: format!("{method} {}", declared.path),
        url: address.join(&declared.path)?,
        method,
        headers,
        body: declared.body.clone(),
        expect: declared.expect.clone(),
    })
}

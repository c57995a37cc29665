//! The headers of the policy: on every answer, once.

use anyhow::Context;
use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};
use std::collections::BTreeMap;

/// Headers that every answer carries unless it has its own.
#[derive(Debug, Clone, Default)]
pub struct Policy(Vec<(HeaderName, HeaderValue)>);

impl Policy {
    /// # Errors
    /// When a name or a value is not one that HTTP can carry.
    pub fn new(headers: &BTreeMap<String, String>) -> anyhow::Result<Policy> {
        let parse = |(name, value): (&String, &String)| -> anyhow::Result<_> {
            Ok((HeaderName::from_bytes(name.as_bytes())?, HeaderValue::from_str(value)?))
        };
        headers
            .iter()
            .map(|header| parse(header).with_context(|| format!("header {:?}", header.0)))
            .collect::<anyhow::Result<_>>()
            .map(Policy)
            .context("the release's policy cannot be sent")
    }

    /// Adds what the answer does not have yet; what it has is its own affair.
    pub fn complete(&self, headers: &mut HeaderMap) {
        for (name, value) in &self.0 {
            if !headers.contains_key(name) {
                headers.insert(name, value.clone());
            }
        }
    }
}

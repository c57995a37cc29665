//! A release's signature in a few words, and as JSON.

use release::Release;
use release::command;
use release::signing::{SignatureError, Signer, Trust, UNSIGNED};
use serde::Serialize;

/// Who signed a release, or why its signature is not believed.
#[derive(Debug, Serialize)]
pub struct Signed {
    /// Whether a key that is known here signed it.
    pub is_sound: bool,
    pub is_for_production: bool,
    pub name: Option<String>,
    pub key: Option<String>,
    /// Why it is not sound.
    pub reason: Option<String>,
    #[serde(skip)]
    is_missing: bool,
}

impl Signed {
    pub fn of(release: &Release, trust: &Trust) -> Signed {
        match release.signer(trust) {
            Ok(Signer { key, name, is_for_production }) => Signed {
                is_sound: true,
                is_for_production,
                name: Some(name.to_string()),
                key: Some(key.to_string()),
                reason: None,
                is_missing: false,
            },
            Err(error) => Signed {
                is_sound: false,
                is_for_production: false,
                name: None,
                key: None,
                is_missing: matches!(error, SignatureError::Missing { .. }),
                reason: Some(command::seen_from_here(&error.to_string())),
            },
        }
    }

    /// One cell of a table: the key's name if it is for production.
    pub fn cell(&self) -> String {
        match &self.name {
            Some(name) if self.is_for_production => name.clone(),
            None if !self.is_missing => "BAD SIGNATURE".to_owned(),
            _ => UNSIGNED.to_owned(),
        }
    }

    /// A sentence without a full stop.
    pub fn sentence(&self) -> String {
        match (&self.name, &self.key, &self.reason) {
            (Some(name), Some(key), _) if self.is_for_production => format!("{name} ({key})"),
            (Some(name), Some(key), _) => format!("{name} ({key}), {UNSIGNED}"),
            (.., Some(reason)) => format!("{UNSIGNED}: {reason}"),
            _ => UNSIGNED.to_owned(),
        }
    }
}

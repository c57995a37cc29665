//! Numbers that the edges cannot see, from those who can.

use super::rules::Asked;
use crate::http::{Http, HttpError};
use ::analysis::beacon::Slo;
use ::analysis::{Sample, prometheus};
use config::{Source, SourceKind};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Longest wait for a source's answer: meanwhile nobody looks at the candidate.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Stands for a release, and for the span of time since the share began, in a query.
const RELEASE: &str = "$release";
const WINDOW: &str = "$window";

/// The sources of a project.
#[derive(Debug)]
pub struct Sources {
    sources: BTreeMap<String, Source>,
    http: Http,
}

/// What the sources say at one look. A source that gave no answer is not asked again at it.
pub struct Answers<'a> {
    sources: &'a Sources,
    window: String,
    is_stopped: &'a dyn Fn() -> bool,
    /// By source and release.
    beacon: BTreeMap<(String, String), Result<Slo, String>>,
    silent: BTreeSet<String>,
}

impl Sources {
    pub fn new(sources: &BTreeMap<String, Source>) -> Sources {
        Sources { sources: sources.clone(), http: Http::new(TIMEOUT) }
    }

    /// Begins to ask about what happened since then.
    pub fn ask<'a>(
        &'a self,
        began_at: jiff::Timestamp,
        is_stopped: &'a dyn Fn() -> bool,
    ) -> Answers<'a> {
        let seconds = crate::clock::since(began_at, jiff::Timestamp::now()).as_secs();
        let window = format!("{}s", seconds.max(1));
        let (beacon, silent) = (BTreeMap::new(), BTreeSet::new());
        Answers { sources: self, window, is_stopped, beacon, silent }
    }
}

impl Answers<'_> {
    /// What a source knows of a rule's metric for a release.
    pub fn sample(&mut self, name: &str, asked: &Asked, release: &str) -> Sample {
        let sources = self.sources;
        let Some(source) = sources.sources.get(name) else {
            return Sample::Missing(format!("xtask.toml has no [sources.{name}]"));
        };
        let sample = match source.kind {
            SourceKind::Prometheus => self.prometheus(name, source, asked, release),
            SourceKind::Beacon => {
                let slo = self.slo(name, source, release);
                slo.map(|slo| slo.sample(&asked.rule.metric))
            }
        };
        sample.unwrap_or_else(|reason| Sample::Missing(format!("{name}: {reason}")))
    }

    fn prometheus(
        &mut self,
        name: &str,
        source: &Source,
        asked: &Asked,
        release: &str,
    ) -> Result<Sample, String> {
        let query = asked.query.as_deref().ok_or("there is no `query` for it")?;
        let query = query.replace(RELEASE, release).replace(WINDOW, &self.window);
        let bytes = self.get(name, source, "/api/v1/query", &[("query", &query)])?;
        prometheus::parse(&bytes).map_err(|error| error.to_string())
    }

    fn slo(&mut self, name: &str, source: &Source, release: &str) -> Result<Slo, String> {
        let of = (name.to_owned(), release.to_owned());
        if let Some(known) = self.beacon.get(&of) {
            return known.clone();
        }
        let bytes = self.get(name, source, "/api/v1/slo", &[("release", release)]);
        let slo =
            bytes.and_then(|bytes| Slo::parse(&bytes, release).map_err(|error| error.to_string()));
        self.beacon.insert(of, slo.clone());
        slo
    }

    fn get(
        &mut self,
        name: &str,
        source: &Source,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Vec<u8>, String> {
        if (self.is_stopped)() {
            return Err("it was not asked: the rollout is being stopped".to_owned());
        }
        if self.silent.contains(name) {
            return Err("it gave no answer".to_owned());
        }
        let token = match &source.token_env {
            None => None,
            Some(variable) => match std::env::var(variable) {
                Ok(token) if !token.trim().is_empty() => Some(token.trim().to_owned()),
                _ => {
                    return Err(format!("its token is not in the environment variable {variable}"));
                }
            },
        };
        let url = format!("{}{path}", source.url.trim_end_matches('/'));
        let answer = self.sources.http.get(&url, query, token.as_deref());
        if let Err(HttpError::NoAnswer { .. }) = &answer {
            self.silent.insert(name.to_owned());
        }
        answer.map_err(|error| error.to_string())
    }
}

//! The format of `budgets/*.json`: typed and validated; an error shows file, line and column, what
//! was expected, and the key that was probably meant.

use crate::kind::Kind;
use anyhow::Context as _;
use config::{ByteSize, ConfigError, Position, nearest};
use e2e::Throttling;
use report::Fault;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};
use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::marker::PhantomData;
use std::path::Path;

/// What a first budget looks like.
pub const EXAMPLE: &str = r#"{
  "site": {
    "kinds": { "css": { "brotli": "15 KB" }, "total": { "raw": "500 KB", "brotli": "150 KB" } },
    "files": { "assets/*.js": { "brotli": "10 KB" } }
  },
  "pages": [
    {
      "name": "home", "path": "/", "device": "phone", "throttling": "mobile-slow-4g", "runs": 5,
      "limits": { "requests": 10, "transfer-bytes": "100 KB", "lcp-ms": 2500, "cls": 0.1 }
    }
  ]
}
"#;

/// Kilobits (1,000) per second of the preset `mobile-slow-4g`.
const SLOW_4G_KBPS: f64 = 1_638.4;
/// Runs of a page when its budget does not say.
const DEFAULT_RUNS: usize = 3;
/// More runs than that cost minutes and steady nothing.
const MAX_RUNS: usize = 25;

/// A budget file, and where it is.
#[derive(Debug)]
pub struct BudgetFile {
    /// As a person gave it: `budgets/beacon.json`.
    pub path: String,
    pub budget: Budget,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Budget {
    /// Limits of the release's files.
    #[serde(default)]
    pub site: Option<Site>,
    /// Limits of page loads.
    #[serde(default)]
    pub pages: Vec<Page>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Site {
    #[serde(default)]
    pub kinds: BTreeMap<Kind, Sizes>,
    /// By glob relative to the site's folder; each file that matches has these limits of its own.
    #[serde(default)]
    pub files: BTreeMap<String, Sizes>,
}

/// Limits of bytes: as they are on disk, and as they travel in an encoding.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Sizes {
    #[serde(default)]
    pub raw: Option<Bytes>,
    #[serde(default)]
    pub gzip: Option<Bytes>,
    #[serde(default)]
    pub brotli: Option<Bytes>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Page {
    /// Names the page's measures; unique.
    pub name: String,
    /// Path and query, starting with `/`.
    pub path: String,
    #[serde(default)]
    pub device: Preset<Device>,
    #[serde(default)]
    pub throttling: Preset<Network>,
    /// How often it is loaded; odd, so that the median is one that was measured.
    #[serde(default = "default_runs")]
    pub runs: usize,
    pub limits: Limits,
}

/// The upper bounds of a page's load; what is absent is not limited, and not measured either.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Limits {
    pub requests: Option<u32>,
    pub transfer_bytes: Option<Bytes>,
    pub fcp_ms: Option<f64>,
    pub lcp_ms: Option<f64>,
    pub cls: Option<f64>,
    pub tbt_ms: Option<f64>,
}

/// A number of bytes: `4096`, or `"40 KB"` of 1,000 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bytes(pub u64);

/// The screen that a page is loaded on.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Device {
    /// In CSS pixels.
    pub width: u32,
    pub height: u32,
    #[serde(default = "one")]
    pub scale: f64,
    #[serde(default)]
    pub mobile: bool,
}

/// The network and processor that a page is loaded with.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Network {
    pub rtt_ms: f64,
    pub download_kbps: f64,
    pub upload_kbps: f64,
    #[serde(default = "one")]
    pub cpu_factor: f64,
}

/// A value that has presets: written as a preset's name, or in full.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Preset<T>(pub Option<T>);

/// What has presets.
pub trait HasPresets: Sized {
    const NAMES: &'static [&'static str];
    /// The preset of a name; the inner `None` for one that changes nothing.
    fn preset(name: &str) -> Option<Option<Self>>;
}

impl HasPresets for Device {
    const NAMES: &'static [&'static str] = &["desktop", "phone"];

    // The screens that Lighthouse emulates (core/config/constants.js).
    fn preset(name: &str) -> Option<Option<Device>> {
        match name {
            "desktop" => Some(Some(Device { width: 1350, height: 940, scale: 1.0, mobile: false })),
            "phone" => Some(Some(Device { width: 412, height: 823, scale: 1.75, mobile: true })),
            _ => None,
        }
    }
}

impl HasPresets for Network {
    const NAMES: &'static [&'static str] = &["none", "mobile-slow-4g", "desktop"];

    // Lighthouse's slow 4G and dense 4G (core/config/constants.js).
    fn preset(name: &str) -> Option<Option<Network>> {
        let network = |rtt_ms, kbps, cpu_factor| Network {
            rtt_ms,
            download_kbps: kbps,
            upload_kbps: kbps,
            cpu_factor,
        };
        match name {
            "none" => Some(None),
            "mobile-slow-4g" => {
                let slow = network(150.0, SLOW_4G_KBPS, 4.0);
                Some(Some(Network { upload_kbps: 750.0, ..slow }))
            }
            "desktop" => Some(Some(network(40.0, 10_240.0, 1.0))),
            _ => None,
        }
    }
}

impl BudgetFile {
    /// Reads every `*.json` of a folder, in the order of their names.
    ///
    /// # Errors
    /// When there is none (with an example), or one is not a budget.
    pub fn load_all(folder: &Path) -> anyhow::Result<Vec<BudgetFile>> {
        let mut paths = Vec::new();
        if let Ok(entries) = std::fs::read_dir(folder) {
            for entry in entries {
                let path =
                    entry.with_context(|| format!("failed to list {}", folder.display()))?.path();
                if path.extension().is_some_and(|extension| extension == "json") {
                    paths.push(path);
                }
            }
        }
        paths.sort();
        if paths.is_empty() {
            return Err(Fault::usage(format!(
                "expected budgets in {}/*.json, found none; write one such as\n\n{EXAMPLE}",
                folder.display()
            ))
            .into());
        }
        let mut names = HashSet::new();
        let mut files = Vec::new();
        for path in &paths {
            let text = std::fs::read_to_string(path)
                .map_err(|error| Fault::usage(format!("{}: {error}", path.display())))?;
            let budget =
                Budget::parse(path, &text).map_err(|error| Fault::usage(error.to_string()))?;
            if let Some(page) = budget.pages.iter().find(|page| !names.insert(page.name.clone())) {
                let error = error_at(
                    path,
                    &text,
                    &page.name,
                    format!("two pages are named {:?}", page.name),
                );
                return Err(Fault::usage(error.to_string()).into());
            }
            files.push(BudgetFile { path: path.display().to_string(), budget });
        }
        Ok(files)
    }
}

impl Budget {
    /// Parses the text of a budget file; the path is for errors only.
    pub fn parse(path: &Path, text: &str) -> Result<Budget, ConfigError> {
        let budget: Budget =
            serde_json::from_str(text).map_err(|error| in_plain_words(path, text, &error))?;
        for page in &budget.pages {
            if let Some(message) = page.mistake() {
                return Err(error_at(path, text, &page.name, message));
            }
        }
        Ok(budget)
    }
}

impl Page {
    fn mistake(&self) -> Option<String> {
        let name = &self.name;
        if !self.path.starts_with('/') {
            return Some(format!(
                "page {name:?}: expected a path that starts with /, found {:?}",
                self.path
            ));
        }
        if self.runs.is_multiple_of(2) || self.runs > MAX_RUNS {
            return Some(format!(
                "page {name:?}: expected an odd number of runs up to {MAX_RUNS}, found {}",
                self.runs
            ));
        }
        let limits = &self.limits;
        let is_limited = limits.requests.is_some()
            || limits.transfer_bytes.is_some()
            || [limits.fcp_ms, limits.lcp_ms, limits.cls, limits.tbt_ms]
                .iter()
                .any(Option::is_some);
        if !is_limited {
            return Some(format!("page {name:?}: expected at least one limit, found none"));
        }
        None
    }
}

impl Default for Preset<Device> {
    fn default() -> Preset<Device> {
        Preset(Device::preset("desktop").flatten())
    }
}

impl Default for Preset<Network> {
    fn default() -> Preset<Network> {
        Preset(None)
    }
}

impl From<Network> for Throttling {
    fn from(network: Network) -> Throttling {
        Throttling {
            rtt_ms: network.rtt_ms,
            download_kbps: network.download_kbps,
            upload_kbps: network.upload_kbps,
            cpu_factor: network.cpu_factor,
        }
    }
}

impl<'de, T: HasPresets + Deserialize<'de>> Deserialize<'de> for Preset<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Preset<T>, D::Error> {
        struct Either<T>(PhantomData<T>);

        impl<'de, T: HasPresets + Deserialize<'de>> Visitor<'de> for Either<T> {
            type Value = Preset<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "one of {}, or an object", quoted(T::NAMES))
            }

            fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Preset<T>, E> {
                T::preset(name).map(Preset).ok_or_else(|| E::unknown_variant(name, T::NAMES))
            }

            fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Preset<T>, M::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(|value| Preset(Some(value)))
            }
        }

        deserializer.deserialize_any(Either(PhantomData))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
        struct Either;

        impl Visitor<'_> for Either {
            type Value = Bytes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of bytes such as 4096 or \"40 KB\"")
            }

            fn visit_u64<E: serde::de::Error>(self, bytes: u64) -> Result<Bytes, E> {
                Ok(Bytes(bytes))
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Bytes, E> {
                text.parse::<ByteSize>().map(|size| Bytes(size.0)).map_err(E::custom)
            }
        }

        deserializer.deserialize_any(Either)
    }
}

/// Turns the parser's message into what is wrong and what to do, at the place of the word it is about.
fn in_plain_words(path: &Path, text: &str, error: &serde_json::Error) -> ConfigError {
    let message = error.to_string();
    let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message);
    let end = offset(text, error.line(), error.column());
    let mut quotes = message.split('`').skip(1).step_by(2);
    let found = quotes.next().unwrap_or_default();
    let known: Vec<&str> = quotes.collect();
    let word = [("unknown field", "key"), ("unknown variant", "value")]
        .into_iter()
        .find_map(|(prefix, word)| message.starts_with(prefix).then_some(word));
    let Some(word) = word else {
        let message = match message
            .strip_prefix("invalid type: ")
            .and_then(|rest| rest.split_once(", expected "))
        {
            Some((found, expected)) => format!("expected {expected}, found {found}"),
            None => message.replace("missing field", "missing key"),
        };
        let at = end.saturating_sub(1)..end;
        return ConfigError {
            path: path.to_owned(),
            position: Some(Position::of(text, &at)),
            message,
            help: None,
        };
    };
    let miss = nearest(found, known.iter().copied())
        .map(|name| format!(", did you mean `{name}`?"))
        .unwrap_or_default();
    let quoted_word = format!("\"{found}\"");
    let start = text[..end].rfind(&quoted_word).unwrap_or(end);
    ConfigError {
        path: path.to_owned(),
        position: Some(Position::of(text, &(start..start + quoted_word.len()))),
        message: format!("unknown {word} `{found}`{miss}"),
        help: Some(format!("expected one of {}", quoted(&known))),
    }
}

/// An error at the first place where a page's name stands.
fn error_at(path: &Path, text: &str, name: &str, message: String) -> ConfigError {
    let quoted_name = format!("{name:?}");
    let start = text.rfind(&quoted_name).unwrap_or(0);
    ConfigError {
        path: path.to_owned(),
        position: Some(Position::of(text, &(start..start + quoted_name.len()))),
        message,
        help: None,
    }
}

/// The byte offset of a line and column as the JSON parser counts them: from 1, columns in bytes.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let before: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    text.floor_char_boundary((before + column).min(text.len()))
}

fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn default_runs() -> usize {
    DEFAULT_RUNS
}

fn one() -> f64 {
    1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        Budget::parse(Path::new("budgets/a.json"), text).unwrap_err().to_string()
    }

    #[test]
    fn the_example_is_a_budget() {
        let budget = Budget::parse(Path::new("example"), EXAMPLE).unwrap();
        let page = &budget.pages[0];
        assert_eq!(page.limits.transfer_bytes, Some(Bytes(100_000)));
        let throttling = page.throttling.0.unwrap();
        assert_eq!((throttling.rtt_ms, throttling.cpu_factor), (150.0, 4.0));
        assert_eq!(page.device.0.unwrap().width, 412);
    }

    #[test]
    fn mistakes_are_shown_where_they_stand() {
        insta::assert_snapshot!(error("{\n  \"sites\": {}\n}"));
        insta::assert_snapshot!(error("{ \"site\": { \"kinds\": { \"csss\": { \"raw\": 1 } } } }"));
        insta::assert_snapshot!(error(
            "{ \"pages\": [\n  { \"name\": \"a\", \"path\": \"/\", \"limits\": { \"lcp\": 1 } } ] }"
        ));
        insta::assert_snapshot!(error(
            "{ \"pages\": [\n  { \"name\": \"a\", \"path\": \"/\", \"runs\": 4, \"limits\": { \"cls\": 1 } } ] }"
        ));
        insta::assert_snapshot!(error(
            "{ \"pages\": [ { \"name\": \"a\", \"path\": \"/\", \"throttling\": \"slow-4g\", \"limits\": {} } ] }"
        ));
        insta::assert_snapshot!(error(
            "{ \"site\": { \"kinds\": { \"css\": { \"raw\": \"12 kilos\" } } } }"
        ));
        insta::assert_snapshot!(error("{ \"site\": "));
    }

    #[test]
    fn a_page_without_a_limit_is_a_mistake() {
        let message =
            error("{ \"pages\": [ { \"name\": \"a\", \"path\": \"/\", \"limits\": {} } ] }");
        assert!(message.contains("at least one limit"), "{message}");
    }

    #[test]
    fn no_budget_shows_an_example() {
        let folder = tempfile::tempdir().unwrap();
        let error = BudgetFile::load_all(folder.path()).unwrap_err();
        assert_eq!(Fault::exit_of(&error), report::Exit::Usage);
        assert!(error.to_string().contains("\"lcp-ms\": 2500"), "{error}");
    }
}

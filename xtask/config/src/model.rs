//! The types of `xtask.toml`.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A whole `xtask.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    pub project: Project,
    /// How the application is built; without it there is no `build`, and no step that needs one.
    #[serde(default)]
    pub build: Option<Build>,
    /// Built-in steps, adjusted, and steps of the project's own.
    #[serde(default)]
    pub steps: BTreeMap<String, StepConfig>,
    /// Questions that `smoke` asks of the served release.
    #[serde(default)]
    pub smoke: Vec<SmokeCheck>,
    /// What `load` sends, and what the answers must keep to.
    #[serde(default)]
    pub load: Option<Load>,
    /// Response headers of the policy, lowercase name to value.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    #[serde(default)]
    pub e2e: Option<E2e>,
    #[serde(default)]
    pub audit: Audit,
    /// Commands that `setup` runs for this project, in order.
    #[serde(default)]
    pub setup: Vec<SetupCommand>,
    #[serde(default)]
    pub cache: Cache,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Project {
    /// Name shown in reports, and part of a release's manifest.
    pub name: String,
}

/// How the application is built into a folder of files and, if it has one, a server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Build {
    /// Shell command; none for a folder that is already the site.
    #[serde(default)]
    pub run: Option<String>,
    /// Folder of static files that `run` leaves, relative to the root.
    pub site: String,
    #[serde(default)]
    pub server: Option<Server>,
    /// Files that never go into a release: globs relative to `site`.
    #[serde(default)]
    pub exclude: Vec<String>,
}

/// The release's server process. It is told where to listen by the environment variable that
/// `listen-env` names, as `127.0.0.1:PORT`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Server {
    /// The binary that `build.run` leaves, relative to the root.
    pub path: String,
    #[serde(default)]
    pub args: Vec<String>,
    /// Environment of the server when a step serves the release; never secrets.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Path that answers 2xx when the server is ready.
    pub ready: String,
    #[serde(default = "listen_env")]
    pub listen_env: String,
}

fn listen_env() -> String {
    "LISTEN".to_owned()
}

/// A built-in step, adjusted, or a step of the project's own. What is absent keeps the default.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct StepConfig {
    /// Shell command. Required for a step of one's own; replaces a built-in's work.
    pub run: Option<String>,
    pub needs: Option<Vec<String>>,
    /// Globs of input files, relative to the root; a leading `!` takes files out again.
    pub inputs: Option<Vec<String>>,
    /// Globs of files that the step leaves; kept in the cache and put back.
    pub outputs: Option<Vec<String>>,
    /// Environment variables that the result depends on: hashed, and passed on.
    pub env: Vec<String>,
    /// Environment variables passed on without being hashed.
    pub pass_env: Vec<String>,
    pub timeout: Option<Duration>,
    /// How often a failure is tried again.
    pub retries: Option<u32>,
    /// Named resource that only one step at a time may hold.
    pub exclusive: Option<String>,
    pub cache: Option<bool>,
    /// JUnit XML files (globs) that the step writes, read in as findings.
    pub junit: Vec<String>,
    /// SARIF files (globs) that the step writes, read in as findings.
    pub sarif: Vec<String>,
    pub allow_failure: bool,
    pub when: When,
}

/// When a step is part of the plan.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    #[default]
    Always,
    /// Only under CI (the environment variable `CI` is set and is not `false`).
    Ci,
    /// Only outside CI.
    Local,
    Never,
    /// Only when a file that matches one of the globs changed since the base (`--affected`'s, else
    /// the merge base with the default branch).
    Changed(Vec<String>),
}

/// One question that `smoke` asks, and the answer that it expects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SmokeCheck {
    /// Path and query, starting with `/`.
    pub path: String,
    #[serde(default = "get")]
    pub method: String,
    /// Request headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    #[serde(default)]
    pub body: Option<String>,
    #[serde(default)]
    pub expect: Expect,
}

fn get() -> String {
    "GET".to_owned()
}

/// What an answer must be like. Redirects are not followed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Expect {
    /// 200 when nothing is said, 3xx when `redirect` is given.
    pub status: Option<u16>,
    /// Lowercase name to value; `"*"` for any value.
    pub headers: BTreeMap<String, String>,
    /// Text that the body contains.
    pub body: Vec<String>,
    /// JSON pointer (RFC 6901) to expected value.
    pub json: BTreeMap<String, serde_json::Value>,
    /// Where a redirect leads: the `location` header, resolved against the URL asked for.
    pub redirect: Option<String>,
    pub within: Option<Duration>,
}

/// What `load` sends, and what the answers must keep to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Load {
    /// Paths, asked for in turn.
    pub paths: Vec<String>,
    /// Requests per second, started on a clock whatever the answers do (open loop).
    pub rate: u32,
    #[serde(rename = "for")]
    pub duration: Duration,
    #[serde(default)]
    pub latency_p95: Option<Duration>,
    #[serde(default)]
    pub latency_p99: Option<Duration>,
    /// Largest share of failed requests, as `"0.1%"`; none may fail when nothing is said.
    #[serde(default)]
    pub error_share: Option<String>,
}

/// How the project's browser journeys are run. The command finds the served release's address in
/// `BASE_URL`, and the folder for what it leaves in `XTASK_ARTIFACTS`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct E2e {
    pub run: String,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Audit {
    pub ignore: Vec<IgnoredAdvisory>,
}

/// An advisory that is known and accepted until a date.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct IgnoredAdvisory {
    pub id: String,
    pub reason: String,
    /// `2027-01-31`: from the day after, the advisory counts again.
    pub until: String,
}

/// A command that `setup` runs for this project.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SetupCommand {
    pub run: String,
    /// Not run when this path exists and is newer than `from`.
    #[serde(default)]
    pub creates: Option<String>,
    #[serde(default)]
    pub from: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Cache {
    /// Bound of the local cache, in bytes; written `"5 GiB"`.
    pub max_size: Option<String>,
}

/// A span of time, written `"300ms"`, `"2.5s"`, `"10m"`, `"1h"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration(pub std::time::Duration);

impl Serialize for Duration {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{}ms", self.0.as_millis()))
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        let text = String::deserialize(deserializer)?;
        let (number, unit) = text
            .split_at(text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len()));
        let unit_ms = match unit.trim() {
            "ms" => 1.0,
            "s" => 1_000.0,
            "m" => 60_000.0,
            "h" => 3_600_000.0,
            _ => {
                return Err(serde::de::Error::custom(format!(
                    "expected a duration such as \"300ms\", \"2.5s\", \"10m\" or \"1h\", found {text:?}"
                )));
            }
        };
        let number: f64 = number.parse().map_err(|_| {
            serde::de::Error::custom(format!("expected a number before the unit in {text:?}"))
        })?;
        Ok(Duration(std::time::Duration::from_secs_f64(number * unit_ms / 1_000.0)))
    }
}

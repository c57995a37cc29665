//! The types of `xtask.toml`.

use crate::{ByteSize, Date, Duration, Environment, Share, Signing, Source};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A whole `xtask.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// What the project is called.
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
    /// The browser journeys; without it there is no `e2e` step.
    #[serde(default)]
    pub e2e: Option<E2e>,
    /// Advisories that are known and accepted.
    #[serde(default)]
    pub audit: Audit,
    /// Commands that `setup` runs for this project, in order.
    #[serde(default)]
    pub setup: Vec<SetupCommand>,
    /// The local cache.
    #[serde(default)]
    pub cache: Cache,
    /// Where a release is promoted to.
    #[serde(default)]
    pub environments: BTreeMap<String, Environment>,
    /// Services that know numbers which the edge cannot see.
    #[serde(default)]
    pub sources: BTreeMap<String, Source>,
    /// Whose signatures count.
    #[serde(default)]
    pub signing: Signing,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Project {
    /// Name shown in reports, and part of a release's manifest.
    pub name: String,
}

/// How the application is built into a folder of files and, if it has one, a server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Build {
    /// Shell command; none for a folder that is already the site.
    #[serde(default)]
    pub run: Option<String>,
    /// Folder of static files that `run` leaves, relative to the root.
    pub site: String,
    /// The server behind the static files; without it the site is static.
    #[serde(default)]
    pub server: Option<Server>,
    /// Files that never go into a release: globs relative to `site`.
    #[serde(default)]
    pub exclude: Vec<String>,
}

/// The release's server process. It is told where to listen by the environment variable that
/// `listen-env` names, as `127.0.0.1:PORT`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Server {
    /// The binary that `build.run` leaves, relative to the root.
    pub path: String,
    /// Its arguments.
    #[serde(default)]
    pub args: Vec<String>,
    /// Environment of the server wherever the release runs: part of its manifest, so never secrets.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Environment of the server only while a step checks the release, never part of it: demo data, a
    /// throw-away account.
    #[serde(default)]
    pub check_env: BTreeMap<String, String>,
    /// Path that answers 2xx when the server is ready.
    pub ready: String,
    /// The environment variable by which it is told where to listen.
    #[serde(default = "listen_env")]
    pub listen_env: String,
    /// The database's schema that it works with; without it, it keeps nothing that outlives it.
    #[serde(default)]
    pub schema: Option<Schema>,
}

/// The version of a database's schema, and how far back it can be used. Expand first, contract in a
/// later release: then the release before still runs while this one is tried, and when it turns back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Schema {
    /// The version to which this release migrates the database when it starts.
    pub version: u32,
    /// The oldest version whose releases still run on it.
    pub keeps: u32,
}

fn listen_env() -> String {
    "LISTEN".to_owned()
}

/// A built-in step, adjusted, or a step of the project's own. What is absent keeps the default.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct StepConfig {
    /// Shell command. Required for a step of one's own; replaces a built-in's work.
    pub run: Option<String>,
    /// Steps that must have passed before it starts.
    pub needs: Option<Vec<String>>,
    /// Globs of input files, relative to the root; a leading `!` takes files out again.
    pub inputs: Option<Vec<String>>,
    /// Globs of files that the step leaves; kept in the cache and put back.
    pub outputs: Option<Vec<String>>,
    /// Environment variables that the result depends on: hashed, and passed on.
    pub env: Vec<String>,
    /// Environment variables passed on without being hashed.
    pub pass_env: Vec<String>,
    /// How long one try may take before it is stopped and counts as failed.
    pub timeout: Option<Duration>,
    /// How often a failure is tried again.
    pub retries: Option<u32>,
    /// Named resource that only one step at a time may hold.
    pub exclusive: Option<String>,
    /// Whether nothing else may run beside it, because it measures time. Replays may.
    pub alone: Option<bool>,
    /// Whether its outcome is kept and replayed while nothing that it reads changed; `true` unless
    /// the step looks at the world.
    pub cache: Option<bool>,
    /// JUnit XML files (globs) that the step writes, read in as findings.
    pub junit: Vec<String>,
    /// SARIF files (globs) that the step writes, read in as findings.
    pub sarif: Vec<String>,
    /// Whether the run passes although this step failed.
    pub allow_failure: bool,
    /// When it is part of the plan.
    pub when: When,
}

/// When a step is part of the plan.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// In every run.
    #[default]
    Always,
    /// Only under CI (the environment variable `CI` is set and is not `false`).
    Ci,
    /// Only outside CI.
    Local,
    /// In no run: switches a built-in step off.
    Never,
    /// Only when a file that matches one of the globs changed since the base (`--affected`'s, else
    /// the merge base with the default branch).
    Changed(Vec<String>),
}

/// One question that `smoke` asks, and the answer that it expects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SmokeCheck {
    /// Path and query, starting with `/`.
    pub path: String,
    /// Request method, in capitals.
    #[serde(default = "get")]
    pub method: String,
    /// Request headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Request body.
    #[serde(default)]
    pub body: Option<String>,
    /// What the answer must be like.
    #[serde(default)]
    pub expect: Expect,
}

fn get() -> String {
    "GET".to_owned()
}

/// What an answer must be like. Redirects are not followed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
    /// Longest time from sending the request to the last byte of the answer.
    pub within: Option<Duration>,
}

/// What `load` sends, and what the answers must keep to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Load {
    /// Paths, asked for in turn.
    pub paths: Vec<String>,
    /// Requests per second, started on a clock whatever the answers do (open loop).
    pub rate: u32,
    /// How long requests are sent.
    #[serde(rename = "for")]
    pub duration: Duration,
    /// Longest latency that 95% of the requests may have.
    #[serde(default)]
    pub latency_p95: Option<Duration>,
    /// Longest latency that 99% of the requests may have.
    #[serde(default)]
    pub latency_p99: Option<Duration>,
    /// Largest share of failed requests, as `"0.1%"`; none may fail when nothing is said.
    #[serde(default)]
    pub error_share: Option<Share>,
}

/// How the project's browser journeys are run. The command finds the served release's address in
/// `BASE_URL`, the folder for what it leaves in `XTASK_ARTIFACTS`, and in `XTASK_E2E_TAG` the tag of
/// the journeys that are to be run, where not all are: by `cargo xtask e2e --tag`, by a gate
/// `e2e:TAG`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct E2e {
    /// Shell command; its exit code tells whether the journeys passed.
    pub run: String,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Audit {
    /// The accepted ones.
    pub ignore: Vec<IgnoredAdvisory>,
}

/// An advisory that is known and accepted until a date.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct IgnoredAdvisory {
    /// `RUSTSEC-2024-0003`, or an alias such as a CVE number.
    pub id: String,
    /// Why it does no harm here.
    pub reason: String,
    /// The last day on which it is accepted; from the day after, the advisory counts again.
    pub until: Date,
}

/// A command that `setup` runs for this project.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SetupCommand {
    /// Shell command.
    pub run: String,
    /// Not run when this path exists and is newer than `from`.
    #[serde(default)]
    pub creates: Option<String>,
    /// The file that `creates` is made from.
    #[serde(default)]
    pub from: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Cache {
    /// Bound of the local cache; 5 GiB when nothing is said.
    pub max_size: Option<ByteSize>,
}

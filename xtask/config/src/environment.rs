//! The environments that a release is promoted through: `[environments.NAME]`, `[sources.NAME]`,
//! `[signing]`.

use crate::{AgainstLive, Duration, Gate, ListenAddress, Max, ShiftStep, TimeOfDay, Weekday};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The folder in which the edge of an environment keeps what it has on its machine, where nothing else
/// is said: `target/xtask/edge/NAME` of the project.
pub fn edge_folder(root: &Path, environment: &str) -> PathBuf {
    root.join("target/xtask/edge").join(environment)
}

/// Name of the servers' data in that folder.
pub const EDGE_DATA: &str = "data";

/// Where a release is promoted to. What is absent keeps the default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Environment {
    /// Folder that holds its releases, journal and routing, relative to the root or absolute; of no other
    /// environment, and not part of the site.
    pub store: String,
    /// What turns its routing into served traffic.
    #[serde(default)]
    pub target: Target,
    /// Address that the edge serves on, as `"127.0.0.1:8080"`.
    pub listen: ListenAddress,
    /// Address at which the edge is asked for its state and numbers; a free port of the loopback
    /// when nothing is said.
    #[serde(default)]
    pub admin: Option<ListenAddress>,
    /// Certificate and key; without them the edge speaks plain HTTP.
    #[serde(default)]
    pub tls: Option<Tls>,
    /// Environment of the release's server in this environment, which counts more than the release's
    /// own; never secrets.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// How long a release's server may take until it is ready; `"30s"` when nothing is said.
    #[serde(default)]
    pub ready_within: Option<Duration>,
    /// File of `NAME=value` lines for the release's server, mode 0600: passwords and keys, never part
    /// of a release. Relative to the root or absolute.
    #[serde(default)]
    pub secrets: Option<String>,
    /// Shell command that keeps a copy of the data, before a release comes here that has a database
    /// with another schema than the live one. It finds the folder of the data in `XTASK_DATA`.
    #[serde(default)]
    pub backup: Option<String>,
    /// Environments in which a release must be live, or have been, before it comes here.
    #[serde(default)]
    pub needs: Vec<String>,
    /// Steps of `ci` whose signed evidence a release must bring; all built-in steps that the project
    /// has when nothing is said.
    #[serde(default)]
    pub evidence: Option<Vec<String>>,
    /// The candidate's share of the traffic, step by step, and how long each is watched: `"5% for
    /// 2m"`. The last is `"100%"`, and so is the only one when nothing is said.
    #[serde(default)]
    pub shift: Vec<ShiftStep>,
    /// What must hold before the first share, and during each: `"smoke"`, `"e2e"`, `"e2e:TAG"`,
    /// `"budget"`, `"load"`, `"analysis"`, `"approval"`, `"window"`, `"command:NAME"`.
    #[serde(default)]
    pub gates: Vec<Gate>,
    /// Commands of the project's own that are gates: name to shell command. They find the candidate's
    /// address in `BASE_URL`.
    #[serde(default)]
    pub commands: BTreeMap<String, String>,
    /// What the `analysis` gate compares: a number's name to its limits.
    #[serde(default)]
    pub analysis: BTreeMap<Metric, Limit>,
    /// How long a gate may be inconclusive before that counts as a failure; `"10m"` when nothing is
    /// said.
    #[serde(default)]
    pub hold: Option<Duration>,
    /// When the `window` gate lets a rollout begin.
    #[serde(default)]
    pub window: Option<Window>,
    /// Whether a release that was built from uncommitted changes may come here.
    #[serde(default)]
    pub allow_uncommitted: bool,
    /// Who is told how a rollout goes.
    #[serde(default)]
    pub notify: Vec<Notify>,
}

/// What turns an environment's routing into served traffic.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// Slipway's own edge.
    #[default]
    Edge,
}

/// Files in PEM; read again when they change. Relative to the root or absolute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Tls {
    /// The certificate and those that lead to its root.
    pub cert: String,
    /// Its private key.
    pub key: String,
}

/// A number by which a candidate is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
    /// Share of requests that were answered with 5xx, or not at all.
    ErrorShare,
    /// Time from a request to the end of its answer, half of them.
    LatencyP50,
    /// The same, 95% of them.
    LatencyP95,
    /// The same, 99% of them.
    LatencyP99,
    /// Time from a request to the first byte of its answer, 95% of them.
    FirstByteP95,
    /// Largest Contentful Paint, 75% of page loads; from a source.
    LcpP75,
    /// Interaction to Next Paint, 75% of page loads; from a source.
    InpP75,
    /// Cumulative Layout Shift, 75% of page loads; from a source. A plain number.
    ClsP75,
    /// First Contentful Paint, 75% of page loads; from a source.
    FcpP75,
    /// Time to First Byte as browsers see it, 75% of page loads; from a source.
    TtfbP75,
}

impl Metric {
    /// Its key in `xtask.toml`.
    pub fn name(self) -> &'static str {
        match self {
            Metric::ErrorShare => "error-share",
            Metric::LatencyP50 => "latency-p50",
            Metric::LatencyP95 => "latency-p95",
            Metric::LatencyP99 => "latency-p99",
            Metric::FirstByteP95 => "first-byte-p95",
            Metric::LcpP75 => "lcp-p75",
            Metric::InpP75 => "inp-p75",
            Metric::ClsP75 => "cls-p75",
            Metric::FcpP75 => "fcp-p75",
            Metric::TtfbP75 => "ttfb-p75",
        }
    }

    /// Whether the edge measures it; browsers measure the others.
    pub fn is_of_the_edge(self) -> bool {
        matches!(
            self,
            Metric::ErrorShare
                | Metric::LatencyP50
                | Metric::LatencyP95
                | Metric::LatencyP99
                | Metric::FirstByteP95
        )
    }
}

/// The limits of one number; at least one of `max` and `against-live`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Limit {
    /// The most that it may be: a share (`"0.1%"`), a span of time (`"300ms"`), for CLS a number
    /// (`"0.1"`).
    pub max: Option<Max>,
    /// How much worse than the live release over the same minutes: `"no worse"`, `"+20%"`.
    pub against_live: Option<AgainstLive>,
    /// Where the number comes from: `"edge"`, or a name in `[sources]`.
    pub source: Option<String>,
    /// What a Prometheus source is asked; `$release` stands for the release, `$window` for the span
    /// of time such as `120s`.
    pub query: Option<String>,
    /// Fewest requests, or page loads, that a verdict may rest on.
    pub min_samples: Option<u64>,
}

/// The hours in which a rollout may begin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Window {
    /// Days, as `["mon", "tue"]`.
    pub days: Vec<Weekday>,
    /// From this time on, as `"09:00"`.
    pub from: TimeOfDay,
    /// Until this time.
    pub to: TimeOfDay,
    /// Name in the IANA database, as `"Europe/Berlin"`; UTC when nothing is said.
    #[serde(default)]
    pub time_zone: Option<String>,
}

/// Who is told when a rollout begins, holds, goes live or turns back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Notify {
    /// The environment variable that holds the address: an address like this is a secret.
    pub url_env: String,
    /// What is sent there.
    #[serde(default)]
    pub format: NotifyFormat,
}

/// What is sent to those who are told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum NotifyFormat {
    /// What happened, to which release, and why, as JSON.
    #[default]
    Json,
    /// A text, as Slack's incoming webhooks take it.
    Slack,
}

/// A service that knows numbers of a release which the edge cannot see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Source {
    /// What it speaks.
    pub kind: SourceKind,
    /// Its address, as `"http://127.0.0.1:9090"`.
    pub url: String,
    /// The environment variable that holds a bearer token for it.
    #[serde(default)]
    pub token_env: Option<String>,
}

/// What a source speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum SourceKind {
    /// Prometheus' instant queries, as many other databases speak them too.
    Prometheus,
    /// Beacon's numbers of a release.
    Beacon,
}

/// Whose signatures count.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Signing {
    /// Public keys, as `cargo xtask key show` prints them. None: the development key of this machine
    /// is enough, and every surface says so.
    pub trusted: Vec<String>,
}

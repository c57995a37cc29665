//! What is known of an environment before its edge starts: from `xtask.toml`, and from the command
//! line, which counts more.

use super::folder::Folder;
use crate::options::Options;
use crate::server::READY_TIMEOUT;
use clap::Args;
use config::{Config, Environment};
use report::Fault;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Loopback, any free port: its address stands in the store.
const ADMIN: &str = "127.0.0.1:0";
const LISTEN: &str = "127.0.0.1:0";

/// What the command line says of an environment.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Environment")]
pub struct EnvironmentArgs {
    /// Environment to serve: `[environments.NAME]` of xtask.toml, from which the rest is taken.
    #[arg(long, value_name = "NAME", conflicts_with = "release")]
    pub env: Option<String>,
    /// Folder of the environment's store.
    #[arg(long, value_name = "DIR", requires = "env")]
    pub store: Option<PathBuf>,
    /// Address at which the edge is asked for its state and its numbers; anyone who reaches it may ask
    /// [default: a free port of the loopback].
    #[arg(long, value_name = "ADDRESS", requires = "env")]
    pub admin: Option<SocketAddr>,
    /// File of `NAME=value` lines for the releases' servers, mode 0600.
    #[arg(long, value_name = "FILE", requires = "env")]
    pub secrets: Option<PathBuf>,
    /// Folder of what the edge keeps on this machine, the servers' data among it
    /// [default: target/xtask/edge/NAME].
    #[arg(long, value_name = "DIR", requires = "env")]
    pub folder: Option<PathBuf>,
    /// Seconds within which a release's server must be ready [default: the environment's, else 30].
    #[arg(long, value_name = "SECONDS", requires = "env",
          value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub ready_within: Option<u64>,
    /// Start in the background, wait until it serves, and print where.
    #[arg(long, requires = "env", conflicts_with_all = ["stop", "with_parent"])]
    pub detach: bool,
    /// End the environment's edges that run on this machine; with `--listen`, the one that listens there.
    #[arg(long, requires = "env")]
    pub stop: bool,
    /// Set by `--detach`: this process is the one in the background.
    #[arg(long, requires = "env", hide = true)]
    pub detached: bool,
}

/// All that an environment's edge needs to know.
#[derive(Debug, Clone)]
pub struct Settings {
    pub name: String,
    pub store: PathBuf,
    pub listen: SocketAddr,
    pub admin: SocketAddr,
    /// Of the releases' servers, from `xtask.toml`.
    pub env: BTreeMap<String, String>,
    pub secrets: Option<PathBuf>,
    pub folder: Folder,
    pub ready_within: Duration,
    pub connections: Options,
}

impl Settings {
    /// Puts together what the project at `root` and the command line say.
    ///
    /// # Errors
    /// When there is no such environment, or its name or `xtask.toml` is not usable.
    pub fn resolve(
        root: &Path,
        name: &str,
        args: &EnvironmentArgs,
        listen: Option<SocketAddr>,
        connections: &Options,
    ) -> anyhow::Result<Settings> {
        check_name(name)?;
        let environment = match &args.store {
            // All that must be known is known.
            Some(_) if !root.join("xtask.toml").is_file() => None,
            _ => environment(root, name, args.store.is_some())?,
        };
        let environment = environment.as_ref();
        let of_root = |path: &String| root.join(path);
        let address = |text: &str| {
            text.parse().map_err(|_| Fault::usage(format!("expected an address, found {text:?}")))
        };
        let store = args.store.clone().or_else(|| environment.map(|it| of_root(&it.store)));
        let store =
            store.ok_or_else(|| Fault::usage(format!("no store for {name}; give `--store`")))?;
        let mut connections = connections.clone();
        if let Some(tls) = environment.and_then(|it| it.tls.as_ref())
            && connections.scheme() == "http"
        {
            connections.tls_cert = Some(of_root(&tls.cert));
            connections.tls_key = Some(of_root(&tls.key));
        }
        Ok(Settings {
            name: name.to_owned(),
            store,
            listen: match listen.or(environment.map(|it| it.listen.0)) {
                Some(listen) => listen,
                None => address(LISTEN)?,
            },
            admin: match args.admin.or(environment.and_then(|it| it.admin.map(|it| it.0))) {
                Some(admin) => admin,
                None => address(ADMIN)?,
            },
            env: environment.map(|it| it.env.clone()).unwrap_or_default(),
            secrets: args
                .secrets
                .clone()
                .or_else(|| environment.and_then(|it| it.secrets.as_ref()).map(of_root)),
            folder: match &args.folder {
                Some(folder) => Folder::new(folder),
                None => Folder::of_project(root, name),
            },
            ready_within: args
                .ready_within
                .map(Duration::from_secs)
                .or_else(|| environment.and_then(|it| it.ready_within).map(|it| it.0))
                .unwrap_or(READY_TIMEOUT),
            connections,
        })
    }
}

fn environment(root: &Path, name: &str, may_lack: bool) -> anyhow::Result<Option<Environment>> {
    let config = Config::load(root)?;
    if let Some(environment) = config.environments.get(name) {
        return Ok(Some(environment.clone()));
    }
    if may_lack {
        return Ok(None);
    }
    let known: Vec<&str> = config.environments.keys().map(String::as_str).collect();
    let known = match known.is_empty() {
        true => "none".to_owned(),
        false => known.join(", "),
    };
    let message = format!(
        "xtask.toml has no environment {name:?}: expected one of [environments], found {known}"
    );
    Err(Fault::usage(message).into())
}

/// A name that is safe as a folder and as a part of a unit's name.
fn check_name(name: &str) -> Result<(), Fault> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if !name.is_empty() && name.chars().all(is_plain) {
        return Ok(());
    }
    Err(Fault::usage(format!(
        "expected an environment's name of letters, digits, `-` and `_`, found {name:?}"
    )))
}

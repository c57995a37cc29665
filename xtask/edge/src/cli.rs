//! What `xtask edge` understands.

use crate::environment::settings::{EnvironmentArgs, Settings};
use crate::environment::{background, run, unit};
use crate::local_ca::LocalCa;
use crate::options::Options;
use crate::serve;
use anyhow::Context;
use clap::{Parser, Subcommand};
use std::net::SocketAddr;
use std::path::PathBuf;

/// Serve an environment from its store, or one release: its static files, and its server behind them.
///
/// With `--env NAME`, follows the environment's routing: each release that it names is fetched,
/// proved, and its server started, before it gets traffic. Without it, serves one release, to be
/// checked. Either way it prints one line of JSON with its address and serves until TERM or INT.
/// Static files come from the manifest alone, each proved against its digest; all else goes to the
/// server.
///
/// Exit codes: 0 ended as asked; 2 there is no such release or environment; 3 the address is taken, or
/// the server of the one release died or never was ready; 4 the one release is damaged, or others may
/// read the secrets.
#[derive(Debug, Parser)]
#[command(name = "xtask-edge", bin_name = "cargo xtask edge", version)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Folder of the release [default: the latest of the project in the current folder]
    #[arg(long, value_name = "DIR")]
    pub release: Option<PathBuf>,
    /// Address to listen on; port 0 takes a free one [default: the environment's, else 127.0.0.1:0]
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
    /// End when standard input is closed, and so with the process that started this one.
    #[arg(long)]
    pub with_parent: bool,
    #[command(flatten)]
    pub environment: EnvironmentArgs,
    #[command(flatten)]
    pub connections: Options,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a certificate authority for TLS on localhost, once, and say how to trust it.
    ///
    /// It lives in the user's data folder, its key readable by the user alone, and what it signs is
    /// good for localhost only. `--tls-local` uses it.
    Ca,
    /// Print systemd units that keep an environment's edge running; nothing is written.
    Install {
        /// Environment: `[environments.NAME]` of xtask.toml.
        #[arg(long, value_name = "NAME")]
        env: String,
        /// Folder of what the edge keeps, such as /var/lib/slipway/NAME
        /// [default: target/xtask/edge/NAME].
        #[arg(long, value_name = "DIR")]
        folder: Option<PathBuf>,
    },
}

/// What the process in the background gets in the place of `--detach`.
const DETACHED: &str = "--detached";

/// Does what the command line asks for.
///
/// # Errors
/// With the fault that stands for the exit code.
pub async fn run(cli: &Cli) -> anyhow::Result<()> {
    match &cli.command {
        Some(Command::Ca) => ca(),
        Some(Command::Install { env, folder }) => install(cli, env, folder.clone()),
        None => match &cli.environment.env {
            Some(name) => environment(cli, name).await,
            None => serve::release(cli).await,
        },
    }
}

async fn environment(cli: &Cli, name: &str) -> anyhow::Result<()> {
    let root = std::env::current_dir().context("no current folder")?;
    let args = &cli.environment;
    let settings = Settings::resolve(&root, name, args, cli.listen, &cli.connections)?;
    if args.stop {
        return background::stop(&settings, cli.listen.is_some());
    }
    if args.detach {
        let own = |argument: String| match argument.as_str() {
            "--detach" => DETACHED.to_owned(),
            _ => argument,
        };
        let arguments: Vec<String> = std::env::args().skip(1).map(own).collect();
        return background::start(&settings, &arguments);
    }
    if args.detached {
        background::leave_session()?;
        let log = settings.folder.log();
        return tokio::select! {
            result = run::run(&settings, cli.with_parent) => result,
            never = background::bound_log(&log) => match never {},
        };
    }
    run::run(&settings, cli.with_parent).await
}

fn install(cli: &Cli, name: &str, folder: Option<PathBuf>) -> anyhow::Result<()> {
    let root = std::env::current_dir().context("no current folder")?;
    let args = EnvironmentArgs { folder, ..cli.environment.clone() };
    let settings = Settings::resolve(&root, name, &args, cli.listen, &cli.connections)?;
    let program = std::env::current_exe().context("failed to find the edge's program")?;
    let user = std::env::var("USER").unwrap_or_else(|_| "root".to_owned());
    print!("{}", unit::units(&settings, &root, &program, &user)?);
    Ok(())
}

fn ca() -> anyhow::Result<()> {
    let ca = LocalCa::open()?;
    let leaf = ca.leaf()?;
    print!("{}", ca.advice(&leaf));
    Ok(())
}

//! What `xtask edge` understands.

use crate::local_ca::LocalCa;
use crate::options::Options;
use crate::serve;
use clap::{Parser, Subcommand};
use std::net::SocketAddr;
use std::path::PathBuf;

/// Serve a release: its static files, and its server behind them.
///
/// Starts the release's server, if it has one, waits until it is ready, then prints one line of JSON
/// with the address and serves until TERM or INT. Static files come from the manifest alone, each
/// proved against its digest; all else goes to the server.
///
/// Exit codes: 0 ended as asked; 2 there is no such release; 3 the address is taken, or the server
/// died or never was ready; 4 the release is damaged.
#[derive(Debug, Parser)]
#[command(name = "xtask-edge", bin_name = "cargo xtask edge", version)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Folder of the release [default: the latest of the project in the current folder]
    #[arg(long, value_name = "DIR")]
    pub release: Option<PathBuf>,
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
    /// End when standard input is closed, and so with the process that started this one.
    #[arg(long)]
    pub with_parent: bool,
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
}

/// Does what the command line asks for.
///
/// # Errors
/// With the fault that stands for the exit code.
pub async fn run(cli: &Cli) -> anyhow::Result<()> {
    match cli.command {
        Some(Command::Ca) => ca(),
        None => serve::release(cli).await,
    }
}

fn ca() -> anyhow::Result<()> {
    let ca = LocalCa::open()?;
    let leaf = ca.leaf()?;
    print!("{}", ca.advice(&leaf));
    Ok(())
}

//! `beacon serve`.

use crate::config::{Config, Environment, SeedOperator};
use crate::model::Moment;
use crate::state::AppState;
use crate::store::{Store, operators, seed};
use crate::{logging, password, router, server};
use anyhow::Context;
use clap::Args;
use std::io::Write;
use tokio::net::TcpListener;

/// Serve the status page and the operator's pages
#[derive(Debug, Args)]
pub struct Serve {}

impl Serve {
    /// # Errors
    /// A setting, the database or the address cannot be used.
    pub fn run(self) -> anyhow::Result<()> {
        let environment = Environment::of_process();
        let config = Config::read(&environment)?;
        logging::start(&environment)?;
        for name in environment.unknown() {
            tracing::warn!(
                name,
                "unknown variable, ignored; `beacon config` lists those that are known"
            );
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .context("failed to start threads")?;
        runtime.block_on(serve(&config))
    }
}

async fn serve(config: &Config) -> anyhow::Result<()> {
    let stop = server::stop_signal().context("failed to install signal handlers")?;
    // Before the database: a second server on the same address must not touch the first one's.
    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("failed to listen on {}", config.listen))?;
    let bound = listener.local_addr()?;
    let store = Store::open(&config.data)?;
    seed_database(config, &store).await?;
    let has_operator = store.read(operators::exist).await?;
    let state = AppState::new(config, bound, store)?;
    announce(&state, bound, has_operator);
    let is_drained = server::serve(listener, router::router(&state), stop).await;
    if is_drained {
        tracing::info!("ended");
    } else {
        tracing::warn!(after_s = server::DRAIN_TIMEOUT.as_secs(), "ended with requests under way");
    }
    Ok(())
}

async fn seed_database(config: &Config, store: &Store) -> anyhow::Result<()> {
    if config.seed.demo {
        let is_new = store.write(|t| seed::demo(t, Moment::now())).await?;
        tracing::info!(is_new, "demo site");
    }
    if let Some(SeedOperator { email, password }) = config.seed.operator.clone() {
        let hash = tokio::task::spawn_blocking(move || password::hash(&password.0)).await??;
        let is_new = store
            .write(move |t| {
                let is_first = !operators::exist(t)?;
                if is_first {
                    operators::add(t, &email, &hash, Moment::now())?;
                }
                Ok(is_first)
            })
            .await?;
        tracing::info!(is_new, "first operator from the environment");
    }
    Ok(())
}

/// Says on standard output where to look. That nobody reads it is no reason not to serve.
fn announce(state: &AppState, bound: std::net::SocketAddr, has_operator: bool) {
    let mut out = std::io::stdout().lock();
    let folder = state.store.file().display();
    let _ = writeln!(out, "Beacon {} on http://{bound}", env!("CARGO_PKG_VERSION"));
    let public = state.site.public_url.origin();
    if public != format!("http://{bound}") {
        let _ = writeln!(out, "  public address  {public}");
    }
    let _ = writeln!(out, "  database        {folder}");
    if !has_operator {
        let program = std::env::args().next().unwrap_or_else(|| "beacon".to_owned());
        let _ = writeln!(out, "  no operator yet {program} operator add you@example.com");
    }
    let _ = out.flush();
}

//! `load`: how does the application answer under a steady rate?
//!
//! An open loop: requests start on a clock, whatever the answers do, and a latency counts from the
//! moment at which its request was due. A server that stalls therefore shows the stall in every
//! request that was due meanwhile, as its users would see it (coordinated omission: Gil Tene,
//! "How NOT to Measure Latency").

mod generate;
mod plan;
mod tally;

use crate::address::Address;
use crate::client::{Limits, client};
use anyhow::Context;
use config::Config;
use report::{Fault, Finding, Outcome};
use std::time::Instant;

/// How often a rate is measured while this machine is too busy to measure it. The last one counts.
const MAX_RUNS: u32 = 3;

/// Send requests to the paths of `[load]` in xtask.toml at a steady rate, and check the answers.
///
/// Requests start on a clock whatever the answers do, over kept-alive connections, after one
/// second of warm-up at the same rate that is not counted. Latency is counted from the moment at
/// which a request was due to the last byte of its answer; percentiles are exact (nearest rank).
/// Failed are: status 400 and above, no whole answer within 10 s, and requests dropped because
/// 512 were under way. When a latency is beyond its limit but the generator itself was late, the
/// machine was too busy to tell: it is measured again, up to three times in all, and that is said.
/// Exit code 1: a limit was not kept; 2: configuration; 3: nothing answered;
/// 4: refused, because the address is not on this machine.
#[derive(Debug, clap::Parser)]
#[command(name = "xtask-load", bin_name = "cargo xtask load", version)]
pub struct Load {
    /// Address of the application, such as http://127.0.0.1:8080.
    #[arg(long)]
    url: String,
    /// Requests per second, instead of the rate in xtask.toml.
    #[arg(long, value_name = "PER_SECOND")]
    rate: Option<u32>,
    /// How long to send, instead of the time in xtask.toml.
    #[arg(long = "for", value_name = "TIME")]
    duration: Option<config::Duration>,
    /// Load an address that is not on this machine. Only one that is yours to load.
    #[arg(long)]
    allow_remote: bool,
}

impl Load {
    /// Sends what the `xtask.toml` of the current folder declares.
    ///
    /// # Errors
    /// Exit 2 for a configuration that cannot be sent, 3 when nothing answers, 4 for an address
    /// that is not on this machine.
    pub fn run(self) -> anyhow::Result<Outcome> {
        let start = Instant::now();
        let root = std::env::current_dir().context("failed to find the current folder")?;
        let config = Config::load(&root).map_err(|error| Fault::usage(error.to_string()))?;
        let address = Address::parse(&self.url)?;
        if !address.is_loopback() && !self.allow_remote {
            return Err(Fault::refused(format!(
                "{} is not on this machine, and loading a server that is not yours is an attack; \
                 give --allow-remote if it is yours and may be loaded",
                address.shown()
            ))
            .into());
        }
        let plan =
            plan::plan(&config, &address, self.rate, self.duration.map(|duration| duration.0))?;
        let limits = Limits {
            request_timeout: generate::REQUEST_TIMEOUT,
            idle_connections: generate::MAX_IN_FLIGHT,
        };
        let client = client(&address, limits)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .context("failed to start the asynchronous runtime")?;
        generate::warm_up(&runtime, &client, &plan)?;
        let mut runs = 1;
        let mut run = generate::run(&runtime, &client, &plan)?;
        while runs < MAX_RUNS && tally::is_inconclusive(&plan, &run) {
            eprintln!("too slow, but the generator itself was late: measuring again");
            run = generate::run(&runtime, &client, &plan)?;
            runs += 1;
        }
        let mut outcome = tally::conclude(&plan, &run);
        if runs > 1 {
            let message = format!(
                "measured {runs} times: before, latencies were beyond a limit while the generator itself was late"
            );
            outcome.findings.push(Finding::note("load::measured-again", message));
        }
        outcome.duration_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        Ok(outcome)
    }
}

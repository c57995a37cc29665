//! `smoke`: does the application answer as `xtask.toml` declares?
//!
//! Plan, ask, judge: [`plan`] turns the configuration into requests, [`ask`] sends them, [`judge`]
//! compares answers and expectations without touching the network. A wrong answer is never asked
//! for again. Only a service that is not there yet (connection refused, 502, 503) is, until
//! `--wait` is over, and an answer that came after such waiting says so.

mod ask;
mod judge;
mod plan;

use crate::address::Address;
use crate::as_ms;
use crate::client::{Limits, client};
use anyhow::Context;
use ask::Answered;
use config::Config;
use plan::Check;
use report::{Fault, Finding, Level, Measure, Outcome, Unit};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Requests under way at once: enough to be quick, few enough not to disturb the latencies.
const CONCURRENCY: usize = 8;

/// Longest wait for one answer; `within` states what is acceptable, this only ends a hung one.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);

/// Ask the application at a URL the questions of `[[smoke]]` in xtask.toml, concurrently.
///
/// Checked: status, headers, body, JSON values, redirect target, and latency, which is counted
/// from sending the request (connecting included) to the last byte of the answer, while up to
/// eight requests are under way. Every answer must also carry the headers of `[headers]`.
/// Redirects are not followed. Exit code 1: an answer was wrong; 2: nothing to ask, or it cannot
/// be asked so; 3: nothing answered.
#[derive(Debug, clap::Parser)]
#[command(name = "xtask-smoke", bin_name = "cargo xtask smoke", version)]
pub struct Smoke {
    /// Address of the application, such as http://127.0.0.1:8080.
    #[arg(long)]
    url: String,
    /// How long to try again while the service starts (connection refused, 502, 503).
    #[arg(long, value_name = "TIME", default_value = "30s")]
    wait: config::Duration,
}

impl Smoke {
    /// Asks everything that the `xtask.toml` of the current folder declares.
    ///
    /// # Errors
    /// Exit 2 for a configuration that cannot be asked, exit 3 when nothing answered.
    pub fn run(self) -> anyhow::Result<Outcome> {
        let start = Instant::now();
        let root = std::env::current_dir().context("failed to find the current folder")?;
        let config = Config::load(&root).map_err(|error| Fault::usage(error.to_string()))?;
        let address = Address::parse(&self.url)?;
        let checks = plan::plan(&config, &address)?;
        let limits = Limits { request_timeout: REQUEST_TIMEOUT, idle_connections: CONCURRENCY };
        let client = client(&address, limits)?;
        let answered = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .context("failed to start the asynchronous runtime")?
            .block_on(ask_all(&client, &checks, start + self.wait.0))?;
        if let Some(reason) = ask::unreachable(&answered) {
            return Err(Fault::unreachable(format!(
                "nothing answered at {} within {} s: {reason}; start the application, or give its address with --url",
                address.shown(),
                self.wait.0.as_secs_f64(),
            ))
            .into());
        }
        let mut outcome = conclude(&config, &checks, &answered);
        outcome.duration_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        Ok(outcome)
    }
}

/// Asks all checks, at most [`CONCURRENCY`] at a time; the results are in the checks' order.
async fn ask_all(
    client: &reqwest::Client,
    checks: &[Check],
    deadline: Instant,
) -> anyhow::Result<Vec<Answered>> {
    let places = Arc::new(Semaphore::new(CONCURRENCY));
    let mut tasks = JoinSet::new();
    for (index, check) in checks.iter().enumerate() {
        let (client, places, check) = (client.clone(), Arc::clone(&places), check.clone());
        tasks.spawn(async move {
            let _place = places.acquire_owned().await;
            (index, ask::ask(&client, &check, deadline).await)
        });
    }
    let mut answered = Vec::with_capacity(checks.len());
    while let Some(result) = tasks.join_next().await {
        answered.push(result.context("failed to finish a check")?);
    }
    answered.sort_by_key(|(index, _)| *index);
    Ok(answered.into_iter().map(|(_, answered)| answered).collect())
}

fn conclude(config: &Config, checks: &[Check], answered: &[Answered]) -> Outcome {
    let mut findings: Vec<Finding> = Vec::new();
    let mut measures = vec![Measure::new("checks", checks.len() as f64, Unit::Count)];
    let mut failed = 0;
    for (check, answered) in checks.iter().zip(answered) {
        let found = judge::judge(check, &config.headers, answered);
        let is_failed = found.iter().any(|finding| finding.level == Level::Error);
        failed += usize::from(is_failed);
        let word = if is_failed { "FAILED" } else { "ok" };
        match &answered.result {
            Ok(answer) => {
                let latency_ms = as_ms(answer.latency);
                let measure = Measure::new(format!("latency.{}", check.name), latency_ms, Unit::Ms);
                eprintln!(
                    "{word:>6}  {} {} {}",
                    check.name,
                    answer.status,
                    Unit::Ms.show(latency_ms)
                );
                measures.push(match check.expect.within {
                    Some(within) => measure.max(as_ms(within.0)),
                    None => measure,
                });
            }
            Err(failure) => eprintln!("{word:>6}  {} {failure}", check.name),
        }
        findings.extend(found);
    }
    let summary = match failed {
        0 => format!("{0} of {0} checks answered as declared", checks.len()),
        failed => format!("{failed} of {} checks failed", checks.len()),
    };
    Outcome::of(summary, findings, measures)
}

//! The clock, and what it starts.
//!
//! The clock is a thread of its own that sleeps until each request is due: the runtime's timer is
//! only good to a millisecond, which would be counted as latency.

use super::plan::Plan;
use crate::client::reason;
use anyhow::Context;
use report::Fault;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;

/// Requests under way at once. Beyond it a request is dropped and counts as failed: the server is
/// then hundreds of answers behind, and more would only measure this machine.
pub(super) const MAX_IN_FLIGHT: usize = 512;

/// Longest wait for a whole answer; counted as failed, with this latency.
pub(super) const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// Time at the same rate before counting starts: connections open, caches fill.
pub(super) const WARM_UP: Duration = Duration::from_secs(1);

/// One request that was sent.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sample {
    /// Index of its URL in the plan.
    pub(super) path: usize,
    /// From when it was due to the last byte.
    pub(super) latency: Duration,
    pub(super) end: End,
}

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum End {
    Answered(u16),
    TimedOut,
    /// No answer, for this reason.
    Broken(String),
}

/// All that was sent and counted.
#[derive(Debug, Default)]
pub(super) struct Run {
    pub(super) samples: Vec<Sample>,
    /// Requests that were due but not sent, because too many were under way.
    pub(super) dropped: u64,
    /// How late each counted request was started after it was due; the generator's own fault.
    pub(super) lags: Vec<Duration>,
    /// From the first counted request's due time to the last answer.
    pub(super) elapsed: Duration,
}

/// Sends requests that do not count.
///
/// # Errors
/// Exit 3 when nothing was answered.
pub(super) fn warm_up(
    runtime: &Runtime,
    client: &reqwest::Client,
    plan: &Plan,
) -> anyhow::Result<()> {
    let count = (f64::from(plan.rate) * WARM_UP.as_secs_f64()).ceil() as u64;
    eprintln!("warming up for {} s at {}/s", WARM_UP.as_secs(), plan.rate);
    let warm = send(runtime, client, plan, count)?;
    let mut reason = None;
    for sample in warm.samples {
        match sample.end {
            End::Broken(broken) => reason = Some(broken),
            End::Answered(_) | End::TimedOut => return Ok(()),
        }
    }
    Err(Fault::unreachable(format!(
        "nothing answered at {} during the warm-up: {}; start the application, or give its address with --url",
        plan.address,
        reason.unwrap_or_default()
    ))
    .into())
}

/// Sends the plan's requests.
pub(super) fn run(runtime: &Runtime, client: &reqwest::Client, plan: &Plan) -> anyhow::Result<Run> {
    eprintln!("sending {} requests over {} s", plan.requests, plan.duration.as_secs_f64());
    send(runtime, client, plan, plan.requests)
}

fn send(
    runtime: &Runtime,
    client: &reqwest::Client,
    plan: &Plan,
    count: u64,
) -> anyhow::Result<Run> {
    let (samples, received) = channel();
    let places = Arc::new(Semaphore::new(MAX_IN_FLIGHT));
    let mut run = Run::default();
    let start = Instant::now();
    for index in 0..count {
        let due = start + Duration::from_secs_f64(index as f64 / f64::from(plan.rate));
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        run.lags.push(due.elapsed());
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            run.dropped += 1;
            continue;
        };
        // The remainder is below the number of paths.
        let path = (index % plan.urls.len() as u64) as usize;
        let request = client.get(plan.urls[path].clone());
        let samples: Sender<Sample> = samples.clone();
        runtime.spawn(async move {
            let end = ask(request).await;
            // The receiver is only gone when the run itself has failed.
            let _ = samples.send(Sample { path, latency: due.elapsed(), end });
            drop(place);
        });
    }
    drop(samples);
    run.samples.extend(received);
    run.elapsed = start.elapsed();
    if run.samples.len() as u64 + run.dropped != count {
        return Err(anyhow::anyhow!("{count} requests were due"))
            .with_context(|| format!("failed to account for all but {}", run.samples.len()));
    }
    Ok(run)
}

/// Sends one request and reads its answer to the last byte, keeping nothing of it.
async fn ask(request: reqwest::RequestBuilder) -> End {
    let result = async {
        let mut response = request.send().await?;
        while response.chunk().await?.is_some() {}
        Ok::<_, reqwest::Error>(response.status().as_u16())
    }
    .await;
    match result {
        Ok(status) => End::Answered(status),
        Err(error) if error.is_timeout() => End::TimedOut,
        Err(error) => End::Broken(reason(error)),
    }
}

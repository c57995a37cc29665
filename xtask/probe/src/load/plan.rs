//! From `[load]` to a number of requests on a clock, and the limits that they must keep.

use crate::address::Address;
use config::{Config, FILE_NAME};
use report::Fault;
use reqwest::Url;
use std::time::Duration;

/// Most requests of one run: each is remembered (12 bytes), and a check is not a siege.
const MAX_REQUESTS: u64 = 5_000_000;

/// Highest rate: what the generator can keep to on two cores, with room.
const MAX_RATE: u32 = 20_000;

/// What will be sent.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Plan {
    /// Asked for in turn.
    pub(super) urls: Vec<Url>,
    /// Requests per second.
    pub(super) rate: u32,
    /// Requests that are counted.
    pub(super) requests: u64,
    /// The same as time.
    pub(super) duration: Duration,
    pub(super) latency_p95: Option<Duration>,
    pub(super) latency_p99: Option<Duration>,
    /// Largest share of failed requests, 0 to 1.
    pub(super) error_share: f64,
    /// The address, as it may be shown.
    pub(super) address: String,
}

/// What to write when nothing is declared.
const EXAMPLE: &str = "\
write into it what to send and what to keep:

  [load]
  paths       = [\"/\"]
  rate        = 50
  for         = \"10s\"
  latency-p95 = \"100ms\"";

/// # Errors
/// Exit 2 when nothing is declared, or something that cannot be sent.
pub(super) fn plan(
    config: &Config,
    address: &Address,
    rate: Option<u32>,
    duration: Option<Duration>,
) -> anyhow::Result<Plan> {
    let Some(load) = &config.load else {
        let message =
            format!("{FILE_NAME} declares no [load], so there is nothing to send; {EXAMPLE}");
        return Err(Fault::usage(message).into());
    };
    let rate = rate.unwrap_or(load.rate);
    if !(1..=MAX_RATE).contains(&rate) {
        let message = format!("a rate of {rate} per second is not one of 1 to {MAX_RATE}");
        return Err(Fault::usage(message).into());
    }
    let duration = duration.unwrap_or(load.duration.0);
    let requests = (f64::from(rate) * duration.as_secs_f64()).round();
    if !(1.0..=MAX_REQUESTS as f64).contains(&requests) {
        return Err(Fault::usage(format!(
            "{rate} per second for {} s are {requests} requests, expected 1 to {MAX_REQUESTS}; change `rate` or `for`",
            duration.as_secs_f64()
        ))
        .into());
    }
    Ok(Plan {
        urls: load.paths.iter().map(|path| address.join(path)).collect::<anyhow::Result<_>>()?,
        rate,
        requests: requests as u64,
        duration,
        latency_p95: load.latency_p95.map(|limit| limit.0),
        latency_p99: load.latency_p99.map(|limit| limit.0),
        error_share: load.error_share.map_or(0.0, |share| share.0),
        address: address.shown(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(load: &str) -> Result<Plan, String> {
        let config: Config = toml_config(load);
        let address = Address::parse("http://127.0.0.1:1").unwrap();
        plan(&config, &address, None, None).map_err(|error| error.to_string())
    }

    fn toml_config(load: &str) -> Config {
        let text = format!("[project]\nname = \"x\"\n{load}");
        Config::parse(FILE_NAME.as_ref(), &text).unwrap()
    }

    #[test]
    fn a_rate_and_a_time_are_a_number_of_requests() {
        let plan = planned(
            "[load]\npaths = [\"/\", \"/a\"]\nrate = 50\nfor = \"1.5s\"\nerror-share = \"0.1%\"",
        )
        .unwrap();
        assert_eq!((plan.requests, plan.urls.len()), (75, 2));
        assert!((plan.error_share - 0.001).abs() < 1e-12);
    }

    #[test]
    fn what_cannot_be_sent_is_refused() {
        for (load, expected) in [
            ("", "[load]\n  paths"),
            ("[load]\npaths = [\"/\"]\nrate = 50000\nfor = \"1s\"", "not one of 1 to 20000"),
            ("[load]\npaths = [\"/\"]\nrate = 1\nfor = \"1ms\"", "are 0 requests"),
            ("[load]\npaths = [\"/\"]\nrate = 20000\nfor = \"1h\"", "expected 1 to 5000000"),
        ] {
            let message = planned(load).unwrap_err();
            assert!(message.contains(expected), "{message}");
        }
    }
}

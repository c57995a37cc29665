//! Logs: one line per event on standard error, for people on a terminal and as JSON elsewhere.
//! Lines name routes and request ids; never addresses, query strings, cookies or form fields.

use crate::config::{ConfigError, Environment, variables};
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// # Errors
/// The level or the format cannot be used.
pub fn start(environment: &Environment) -> Result<(), ConfigError> {
    let filter = environment
        .parse(&variables::LOG, |text| EnvFilter::try_new(text).ok())?
        .unwrap_or_else(|| EnvFilter::new("info"));
    let is_json = environment
        .parse(&variables::LOG_FORMAT, |text| match text {
            "json" => Some(true),
            "pretty" => Some(false),
            _ => None,
        })?
        .unwrap_or_else(|| !std::io::stderr().is_terminal());
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if is_json {
        builder.json().flatten_event(true).with_current_span(true).with_span_list(false).init();
    } else {
        let is_coloured =
            std::io::stderr().is_terminal() && environment.foreign("NO_COLOR").is_none();
        builder.compact().with_target(false).with_ansi(is_coloured).init();
    }
    Ok(())
}

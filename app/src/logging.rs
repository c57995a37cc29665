//! Logs: one line per event on standard error, for people on a terminal and as JSON elsewhere.
//! Lines name routes and request ids; never addresses, query strings, cookies or form fields.

use crate::config::{ConfigError, Environment, variables};
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

/// # Errors
/// The level or the format cannot be used.
pub fn start(environment: &Environment) -> Result<(), ConfigError> {
    let filter =
        environment.parse(&variables::LOG, filter)?.unwrap_or_else(|| EnvFilter::new("info"));
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

/// A bare word has to be a level: the filter's own grammar would take `loud` for a module's name
/// and log nothing.
fn filter(text: &str) -> Option<EnvFilter> {
    let is_level = |word: &str| word.trim().parse::<LevelFilter>().is_ok();
    let is_sound = text.split(',').all(|part| part.contains('=') || is_level(part));
    is_sound.then(|| EnvFilter::try_new(text).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::filter;

    #[test]
    fn a_filter_is_made_of_levels() {
        for good in ["info", "DEBUG", "info,app=debug", "off"] {
            assert!(filter(good).is_some(), "{good}");
        }
        for bad in ["loud", "info,app", "app=loud"] {
            assert!(filter(bad).is_none(), "{bad}");
        }
    }
}

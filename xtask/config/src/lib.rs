//! `xtask.toml`, typed and validated. Past [`Config::load`] there are types, not strings.
//!
//! `xtask` reads it, and so does every tool: all see the same errors, each with file, line,
//! column, what was expected and what was found.

mod error;
mod load;
mod model;

pub use error::ConfigError;
pub use model::{
    Audit, Build, Cache, Config, Duration, E2e, Expect, IgnoredAdvisory, Load, Project, Server,
    SetupCommand, SmokeCheck, StepConfig, When,
};

/// Name of the configuration file, at the project's root.
pub const FILE_NAME: &str = "xtask.toml";

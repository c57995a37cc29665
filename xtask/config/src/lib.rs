//! `xtask.toml`, typed and validated. Past [`Config::load`] there are types, not strings.
//!
//! `xtask` reads it, and so does every tool: all see the same errors, each with file, line,
//! column, what was expected and what was found.

mod built_in;
mod environment;
mod error;
mod load;
mod locate;
mod model;
mod nearest;
mod notations;
mod validate;
mod validate_environments;
mod values;

#[cfg(test)]
mod reference;

pub use built_in::has_built_in;
pub use environment::{
    EDGE_DATA, Environment, Limit, Metric, Notify, NotifyFormat, Signing, Source, SourceKind,
    Target, Tls, Window, edge_folder,
};
pub use error::{ConfigError, Position};
pub use model::{
    Audit, Build, Cache, Config, E2e, Expect, IgnoredAdvisory, Load, Project, Schema, Server,
    SetupCommand, SmokeCheck, StepConfig, When,
};
pub use nearest::nearest;
pub use notations::{AgainstLive, Gate, ListenAddress, Max, ShiftStep, TimeOfDay, Weekday};
pub use values::{ByteSize, Date, Duration, Share};

/// Name of the configuration file, at the project's root.
pub const FILE_NAME: &str = "xtask.toml";

/// The steps that Slipway brings with it, in the order in which people read them.
pub const BUILTIN_STEPS: [&str; 9] =
    ["fmt", "lint", "test", "build", "audit", "smoke", "e2e", "budget", "load"];

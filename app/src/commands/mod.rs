//! One file per subcommand.

pub mod backup;
pub mod config;
pub mod export_site;
pub mod operator;
pub mod serve;

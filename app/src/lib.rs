//! Beacon: a self-hosted status page, and the live signals behind a promotion's gates.
//!
//! Server-rendered and complete without script. Paths through the code: `router` names every
//! route; a controller parses a request into types of `model`, asks the `store`, and hands what it
//! found to a view. Nothing below `controllers` knows HTTP, nothing above `store` knows SQL.

pub mod assets;
pub mod cli;
pub mod client_address;
pub mod commands;
pub mod config;
pub mod controllers;
pub mod error;
pub mod forms;
pub mod logging;
pub mod metrics;
pub mod middleware;
pub mod model;
pub mod password;
pub mod rate_limit;
pub mod router;
pub mod server;
pub mod session;
pub mod state;
pub mod store;
pub mod token;
pub mod views;

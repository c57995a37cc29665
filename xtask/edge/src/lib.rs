//! The edge: serves releases as they will be served in production. The binary `xtask-edge` is a thin
//! skin over this.

#![deny(clippy::print_stderr, reason = "it panics where nothing can be written; `say!` does not")]

#[macro_use]
pub mod say;

pub mod admin;
pub mod answer;
pub mod body;
pub mod certificate;
pub mod cli;
pub mod client;
pub mod client_id;
pub mod conditional;
pub mod connection;
pub mod edge;
pub mod environment;
pub mod guard;
pub mod heads;
pub mod listen;
pub mod local_ca;
pub mod measured;
pub mod metrics;
pub mod negotiate;
pub mod options;
pub mod page;
pub mod places;
pub mod policy;
pub mod process_id;
pub mod proxy;
pub mod request_id;
pub mod request_path;
pub mod serve;
pub mod server;
pub mod server_record;
pub mod setting;
pub mod site;
pub mod slot;
pub mod stall;
pub mod status;
pub mod stop;
pub mod tls;
pub mod traffic;
pub mod tunnel;
pub mod upstream;
pub mod worker;

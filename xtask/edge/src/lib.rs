//! The edge: serves releases as they will be served in production. The binary `xtask-edge` is a thin
//! skin over this.

pub mod answer;
pub mod body;
pub mod cli;
pub mod client;
pub mod conditional;
pub mod connection;
pub mod edge;
pub mod listen;
pub mod local_ca;
pub mod negotiate;
pub mod options;
pub mod places;
pub mod policy;
pub mod proxy;
pub mod request_id;
pub mod request_path;
pub mod serve;
pub mod server;
pub mod site;
pub mod stall;
pub mod stop;
pub mod tls;
pub mod tunnel;
pub mod upstream;
pub mod worker;

//! The edge: serves releases as they will be served in production. The binary `xtask-edge` is a thin
//! skin over this.

pub mod answer;
pub mod body;
pub mod cli;
pub mod conditional;
pub mod edge;
pub mod listen;
pub mod negotiate;
pub mod policy;
pub mod proxy;
pub mod request_id;
pub mod request_path;
pub mod serve;
pub mod server;
pub mod site;
pub mod stall;
pub mod stop;

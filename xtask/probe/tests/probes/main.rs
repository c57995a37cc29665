//! Both probes as seen from outside: the real binaries against a server on a free port.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod load;
mod server;
mod smoke;
mod support;

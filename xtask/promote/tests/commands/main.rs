//! Promotion as people and build servers meet it: the real binaries, a real edge, a plain site.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod approve;
mod hook;
mod journal;
mod notify;
mod project;
mod promote;
mod refused;
mod rollback;
#[path = "../../../probe/tests/probes/server.rs"]
#[expect(dead_code, reason = "the tests of smoke and load use the rest")]
mod server;
mod stopped;

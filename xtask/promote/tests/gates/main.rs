//! The edge, the gates and the sources as a rollout asks them: fixture servers, fixture commands, and
//! one real edge.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod analysis;
mod edges;
mod http;
mod processes;
mod real_edge;
#[path = "../../../probe/tests/probes/server.rs"]
mod server;
mod upload;
mod world;

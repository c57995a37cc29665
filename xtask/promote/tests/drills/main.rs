//! What must hold on a bad night: candidates that are faulty each in their own way, a hundred
//! switches, stores that fail. The real binaries, a real edge, and visitors who come all the while.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod client;
mod corrupted;
mod disk;
mod lost;
#[path = "../commands/project.rs"]
#[expect(dead_code, reason = "the tests of the commands use the rest")]
mod project;
mod schema;
mod server;
mod shop;
mod slow_or_failing;
mod small_disk;
mod switches;
mod unfit;
mod visitors;

/// Not a test: the server of the releases, which is this very binary.
#[test]
#[ignore = "the other half of the tests: the releases' servers are started with it"]
fn backend() {
    server::run();
}

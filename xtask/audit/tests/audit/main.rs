//! `xtask-audit` as seen from outside: the real binary on small projects and databases.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod acceptance;
mod crates;
mod fetch;
mod lockfile;
mod npm;
mod real;
mod site;
mod support;

//! Every route through the real router, as a browser would ask: one module per controller.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod browser;
mod health;
mod operator;
mod refusals;
mod report;
mod sign_in;
mod status;

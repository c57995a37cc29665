//! Every route through the real router, as a browser would ask: one module per controller.

mod browser;
mod health;
mod operator;
mod refusals;
mod report;
mod sign_in;
mod status;

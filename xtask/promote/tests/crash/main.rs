//! A promoter, an edge or a person may be gone at any instant, and another may act at any instant:
//! what is served is whole, the journal is true, and going on comes to one end.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "../../../release/tests/store/contract.rs"]
mod contract;
mod memory;
mod model;
mod schedules;
mod stalled;
mod steady;

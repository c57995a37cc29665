//! Evidence: what the steps of a run came to, recorded against a release's digest and signed.
//!
//! One document a step, the latest word of each: a step that failed after it had passed is failed.
//! Invariants: a document is signed over its own bytes and has one spelling, so that no byte of it
//! can be changed unseen; it is good for one step of one release; only a step that ran to its end,
//! or was replayed, leaves any.

mod check;
mod document;
mod folder;
mod record;

pub use check::{Checked, Verdict, check};
pub use document::Document;
pub use folder::{EvidenceFolder, EvidenceIo};
pub use record::{EVIDENCE_VERSION, Evidence, FindingCounts, Origin};

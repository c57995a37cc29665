//! The light steps and the commands around them, one file each.

pub mod audit_version;
pub mod cache;
pub mod catalog;
pub mod ci;
pub mod completions;
pub mod diagnostics;
pub mod doctor;
pub mod e2e;
pub mod fmt;
pub mod imports;
pub mod init;
pub mod lint;
pub mod nextest;
pub mod panic_place;
pub mod report;
pub mod requirements;
pub mod serve;
pub mod setup;
pub mod step;
pub mod test;
pub mod test_log;
pub mod versions;

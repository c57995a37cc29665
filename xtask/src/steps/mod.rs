//! The light steps and the commands around them, one file each.

pub mod cache;
pub mod catalog;
pub mod ci;
pub mod completions;
pub mod doctor;
pub mod e2e;
pub mod fmt;
pub mod init;
pub mod lint;
pub mod report;
pub mod setup;
pub mod test;

//! An environment on one edge: its routing watched, its releases loaded and drained, its servers kept
//! running.

pub mod activation;
pub mod background;
pub mod entry;
pub mod fleet;
pub mod folder;
pub mod load;
pub mod pinned;
pub mod presence;
pub mod retired;
pub mod run;
pub mod settings;
pub mod supervise;
pub mod unit;
pub mod watch;

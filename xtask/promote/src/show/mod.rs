//! What those who follow a promotion are told, and those who follow.

mod back;
mod brief;
mod json;
mod plan;
mod record;
mod status;
mod terminal;

pub use back::{GoneBack, gone_back_text};
pub use json::{JsonLines, LINES_VERSION};
pub use plan::plan_text;
pub use record::record_text;
pub use status::status_text;
pub use terminal::Terminal;

#[cfg(test)]
mod tests;

use crate::journal::RolloutId;
use crate::plan::PromotionPlan;
use crate::rollout::Event;
use release::ReleaseId;
use report::Exit;
use std::time::Duration;

/// Something that happened on a release's way through the environments.
#[derive(Debug)]
pub enum Told<'a> {
    Plan(&'a PromotionPlan),
    /// A rollout in this environment.
    Rollout {
        environment: &'a str,
        event: &'a Event<'a>,
    },
    /// The rollout there stopped before its end.
    Stopped {
        environment: &'a str,
        rollout: Option<RolloutId>,
        reason: &'a str,
    },
    Warning(&'a str),
    /// Nothing more comes.
    Ended(&'a Ended),
}

/// What a promotion came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    pub release: ReleaseId,
    pub exit: Exit,
    /// Where it went live now.
    pub went_live: Vec<String>,
    /// Where it turned back, and why.
    pub turned_back: Option<(String, String)>,
    pub took: Duration,
    /// The records that were written, relative to the project's root.
    pub records: Vec<String>,
}

/// Follows a promotion. Whatever becomes of it, the promotion goes on.
pub trait Follower {
    fn on(&mut self, at: jiff::Timestamp, told: &Told<'_>);
}

//! The subcommands, one a file, each a binary of its own.

mod freeze;
mod history;
mod promote;
mod rollback;
mod status;

pub use freeze::{Freeze, Unfreeze};
pub use history::History;
pub use promote::Promote;
pub use rollback::{Followed, Rollback};
pub use status::Status;

//! The command that keeps a copy of the data.

use super::{Gates, process, shell, verdict};
use crate::journal::Verdict;
use crate::rollout::{Backup, Judgement};
use crate::state::Rollout;
use std::time::Duration;

/// Tells the command where the data is, and which release is about to change it.
const DATA_ENV: &str = "XTASK_DATA";
const RELEASE_ENV: &str = "XTASK_RELEASE";

/// How long a copy may take.
const LIMIT: Duration = Duration::from_secs(60 * 60);

impl Backup for Gates {
    fn back_up(
        &self,
        command: &str,
        rollout: &Rollout,
        is_stopped: &dyn Fn() -> bool,
    ) -> Judgement {
        let mut command = shell::script(command);
        command.current_dir(&self.root).env(RELEASE_ENV, rollout.release.as_str());
        // Where the edges run elsewhere, the command knows how to get there, or fails.
        match self.target.data_folder() {
            Some(folder) => command.env(DATA_ENV, folder),
            None => command.env_remove(DATA_ENV),
        };
        let ran = process::run(command, LIMIT, is_stopped);
        let judgement = verdict::of_shell(&ran, LIMIT, None);
        match judgement.verdict {
            Verdict::Pass => Judgement { reason: verdict::last_line(&ran), ..judgement },
            _ => judgement,
        }
    }
}

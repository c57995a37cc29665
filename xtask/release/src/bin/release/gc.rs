//! `xtask release gc`.

use clap::Args;
use release::KEPT_RELEASES;
use release::command::{self, Project};
use release::evidence::EvidenceFolder;
use report::Exit;

#[derive(Debug, Args)]
pub struct Gc {
    /// How many to keep, the most lately built ones.
    #[arg(long, value_name = "N", default_value_t = KEPT_RELEASES)]
    keep: usize,
    /// Say what would be deleted, and delete nothing.
    #[arg(long)]
    dry_run: bool,
}

impl Gc {
    pub fn run(self) -> anyhow::Result<Exit> {
        let project = Project::here()?;
        let releases = project.releases();
        let deleted: Vec<_> = if self.dry_run {
            let old = releases.prunable(self.keep).map_err(command::release_fault)?;
            old.into_iter().map(|release| release.id).collect()
        } else {
            releases.prune(self.keep).map_err(command::release_fault)?
        };
        let mut text = String::new();
        for id in &deleted {
            if !self.dry_run {
                EvidenceFolder::of(&project.root, id).delete()?;
            }
            let word = if self.dry_run { "would delete" } else { "deleted" };
            text += &format!("{word} {id}\n");
        }
        if deleted.is_empty() {
            text += "nothing to delete\n";
        }
        command::print(&text)?;
        Ok(Exit::Passed)
    }
}

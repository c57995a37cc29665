//! The checkout's input files as one run sees them.

use crate::pipeline::cache::STATE_FOLDER;
use crate::pipeline::fingerprint::{Fingerprint, Ingredients};
use crate::pipeline::name;
use crate::pipeline::step::Step;
use anyhow::Context;
use inputs::{Change, Checkout, Matcher};
use std::path::Path;

/// The checkout's input files, hashed once, through the stat cache.
///
/// The order in which a run uses it: [`Snapshot::take`]; for each step, once all it needs are
/// done, [`Snapshot::refresh`] if one of them ran or put files back, [`Snapshot::fingerprint`],
/// then replay or run; after a run [`Snapshot::first_change`] before storing; at the end
/// [`Snapshot::save`]. Without the refresh, a step that reads what another makes could be taken
/// for one that read what was there before.
#[derive(Debug)]
pub struct Snapshot {
    checkout: Checkout,
}

impl Snapshot {
    /// Walks `root` once, matches the inputs of all steps in one pass, and hashes what a step
    /// reads and the stat cache does not know.
    ///
    /// # Errors
    /// When a glob is malformed, naming its step, or the root cannot be read. A file that cannot
    /// be read is no error, but an input of its own kind.
    pub fn take(root: &Path, steps: &[Step]) -> anyhow::Result<Snapshot> {
        let lists = steps.iter().map(|step| &step.inputs[..]).collect::<Vec<_>>();
        let matcher = Matcher::new(&lists).map_err(|error| {
            let of = steps.iter().find(|step| Matcher::new(&[&step.inputs]).is_err());
            let of = of.map(|step| format!("inputs of step `{}`: ", step.name));
            report::Fault::usage(format!("{}{error}", of.unwrap_or_default()))
        })?;
        let record = root.join(STATE_FOLDER).join("files.stat");
        let checkout =
            Checkout::take(root, matcher, &record).context("failed to gather the inputs")?;
        Ok(Snapshot { checkout })
    }

    /// Looks at the inputs of one step again, because a step that it needs has run or has put
    /// files back since the snapshot was taken.
    pub fn refresh(&mut self, index: usize) -> anyhow::Result<()> {
        self.checkout.refresh(index).context("failed to gather the inputs again")
    }

    /// The ingredients of the step at `index` of the steps given to [`Snapshot::take`]. `needs`:
    /// fingerprints of the needed steps.
    pub fn fingerprint(
        &self,
        index: usize,
        step: &Step,
        needs: &[(&str, Option<Fingerprint>)],
    ) -> Ingredients {
        let files = self.checkout.files(index).clone();
        Ingredients::of(step, needs, files, |name| std::env::var_os(name))
    }

    /// The first input of a step that is not what it was when the snapshot was taken, as a person
    /// reads it: `src/a.rs changed`; `None` when all are. Asked after the step ran: only then may
    /// its outcome be stored.
    pub fn first_change(&self, index: usize) -> anyhow::Result<Option<String>> {
        let change =
            self.checkout.first_change(index).context("failed to look at the inputs again")?;
        Ok(change.map(|change| match change {
            Change::Added(path) => format!("{} was added", name::show(&path)),
            Change::Removed(path) => format!("{} was removed", name::show(&path)),
            Change::Changed(path) => format!("{} changed", name::show(&path)),
            Change::Written(path) => format!("{} was written", name::show(&path)),
        }))
    }

    /// Keeps the stat cache for the next run, if it has anything new.
    pub fn save(&self) -> anyhow::Result<()> {
        self.checkout.save().context("the next run hashes all inputs again")
    }
}

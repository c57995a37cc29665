//! What each step's result depends on, and whether the cache has it.
//!
//! All fingerprints are taken before anything runs, so that the schedule knows what will be
//! replayed. A step that needs one which has run meanwhile is looked at again before it starts: its
//! inputs may have been made anew. A step that needs one whose result is not what its fingerprint
//! says (it failed and was allowed to, its inputs changed under it, it was skipped on request, it is
//! never cached) has no fingerprint, and so neither a hit nor a place in the cache.

use crate::pipeline::cache::{Cache, Entry, Lookup};
use crate::pipeline::fingerprint::{Fingerprint, Ingredients, Snapshot};
use crate::pipeline::plan::Plan;
use crate::pipeline::select::{Part, Selection};
use crate::pipeline::step::Step;
use std::path::Path;

/// What the steps of a run depend on.
pub struct Freshness {
    snapshot: Snapshot,
    /// For each step of the plan, its index among those that the snapshot knows.
    known: Vec<Option<usize>>,
    ingredients: Vec<Option<Ingredients>>,
}

impl Freshness {
    /// Looks at the inputs of all steps that take part.
    ///
    /// # Errors
    /// When the checkout cannot be read.
    pub fn take(root: &Path, plan: &Plan, selection: &Selection) -> anyhow::Result<Freshness> {
        let mut known = vec![None; plan.steps.len()];
        let mut steps: Vec<Step> = Vec::new();
        for (at, step) in plan.steps.iter().enumerate() {
            if matches!(selection.part(at), Part::Member | Part::Preparation) {
                known[at] = Some(steps.len());
                steps.push(step.clone());
            }
        }
        let snapshot = Snapshot::take(root, &steps)?;
        let ingredients = vec![None; plan.steps.len()];
        let mut freshness = Freshness { snapshot, known, ingredients };
        for &step in &plan.order {
            freshness.mix(plan, step, |_| true);
        }
        Ok(freshness)
    }

    pub fn ingredients(&self, step: usize) -> Option<&Ingredients> {
        self.ingredients[step].as_ref()
    }

    /// The ingredients of every step that takes part.
    pub fn all(&self) -> Vec<Ingredients> {
        self.ingredients.iter().flatten().cloned().collect()
    }

    pub fn fingerprint(&self, step: usize) -> Option<Fingerprint> {
        self.ingredients(step)?.fingerprint()
    }

    /// Looks at a step again. `is_sound` says of a need whether its result is what its fingerprint
    /// says.
    ///
    /// # Errors
    /// When the inputs cannot be read.
    pub fn refresh(
        &mut self,
        plan: &Plan,
        step: usize,
        is_sound: impl Fn(usize) -> bool,
    ) -> anyhow::Result<()> {
        if let Some(known) = self.known[step] {
            self.snapshot.refresh(known)?;
        }
        self.mix(plan, step, is_sound);
        Ok(())
    }

    /// A file or other input of a step that is not what it was when the step was looked at.
    ///
    /// # Errors
    /// When the inputs cannot be read.
    pub fn first_change(&self, step: usize) -> anyhow::Result<Option<String>> {
        self.known[step].map_or(Ok(None), |known| self.snapshot.first_change(known))
    }

    /// Keeps what was learned about the files for the next run.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(&self) -> anyhow::Result<()> {
        self.snapshot.save()
    }

    fn mix(&mut self, plan: &Plan, step: usize, is_sound: impl Fn(usize) -> bool) {
        let Some(known) = self.known[step] else { return };
        let needs: Vec<(&str, Option<Fingerprint>)> = plan.needs[step]
            .iter()
            .map(|need| {
                let is_known = plan.steps[*need].cache && is_sound(*need);
                let fingerprint = self.fingerprint(*need).filter(|_| is_known);
                (plan.name(*need), fingerprint)
            })
            .collect();
        self.ingredients[step] = Some(self.snapshot.fingerprint(known, &plan.steps[step], &needs));
    }
}

/// What the cache has for a step; a damaged entry is a miss with a warning.
pub fn look_up(
    cache: &Cache,
    step: &Step,
    fingerprint: Option<Fingerprint>,
    warn: &mut dyn FnMut(String),
) -> Option<Box<Entry>> {
    if !step.cache {
        return None;
    }
    match cache.lookup(&step.name, &fingerprint?) {
        Lookup::Hit(entry) => Some(entry),
        Lookup::Miss => None,
        Lookup::Damaged(warning) => {
            warn(warning);
            None
        }
    }
}

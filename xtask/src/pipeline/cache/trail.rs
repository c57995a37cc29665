//! What the last runs of each step in this checkout were made of, so that a difference can be told.

use super::blobs::{list_folder, read_if_there, write_atomically};
use crate::pipeline::fingerprint::{Fingerprint, Ingredients};
use crate::pipeline::name;
use report::Status;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};

/// The ingredients of the last runs of each step.
#[derive(Debug)]
pub struct Trail {
    folder: PathBuf,
}

/// How the last run of a step ended, and what it was made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    pub status: Status,
    pub ingredients: Ingredients,
}

/// How many runs of a step are remembered. The last one is what a step is compared with; an older
/// one is looked up when a step that needs this one last ran with that.
const REMEMBERED_RUNS: usize = 6;

impl Trail {
    pub fn new(state: &Path) -> Trail {
        Trail { folder: state.join("ingredients") }
    }

    /// Remembers what a run was made of. One without a fingerprint is not remembered: it runs
    /// every time, and why is plain.
    pub fn remember(&self, ingredients: &Ingredients, status: Status) -> anyhow::Result<()> {
        let Some(fingerprint) = ingredients.fingerprint() else { return Ok(()) };
        let folder = self.folder.join(name::file_name(&ingredients.step));
        let mark = Mark { status, ingredients: ingredients.clone() };
        write_atomically(&folder.join(format!("{fingerprint}.json")), &serde_json::to_vec(&mark)?)?;
        write_atomically(&folder.join("last"), fingerprint.to_string().as_bytes())?;
        let mut marks = Vec::new();
        for file in list_folder(&folder)? {
            if file.path().extension().is_some_and(|extension| extension == "json") {
                marks.push((file.metadata()?.modified()?, file.path()));
            }
        }
        marks.sort();
        for (_, path) in marks.iter().rev().skip(REMEMBERED_RUNS) {
            // Another runner may have been faster.
            let _ = fs::remove_file(path);
        }
        Ok(())
    }

    /// The last run of a step; `None` when there was none, or what is remembered is damaged.
    pub fn last(&self, step: &str) -> Option<Mark> {
        let last = read_if_there(&self.folder.join(name::file_name(step)).join("last")).ok()??;
        self.at(step, &str::from_utf8(&last).ok()?.parse().ok()?)
    }

    /// The run of a step that had a fingerprint, if it is still remembered.
    pub fn at(&self, step: &str, fingerprint: &Fingerprint) -> Option<Mark> {
        let folder = self.folder.join(name::file_name(step));
        let bytes = read_if_there(&folder.join(format!("{fingerprint}.json"))).ok()??;
        let mark: Mark = serde_json::from_slice(&bytes).ok()?;
        // Its own fingerprint is its checksum.
        (mark.ingredients.fingerprint() == Some(*fingerprint)).then_some(mark)
    }
}

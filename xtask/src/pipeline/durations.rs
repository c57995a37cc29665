//! How long each step took the last times, so that the longest path can go first and a person can
//! be told what to expect.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Relative to the project's root.
const FILE: &str = "target/xtask/state/durations.json";

/// Runs remembered for each step. The median of so few follows a change within three runs, and one
/// run on a busy machine does not move it.
const REMEMBERED: usize = 5;

/// What a step is taken for when nothing at all is known.
const UNKNOWN: Duration = Duration::from_secs(1);

/// The durations of a project's steps.
#[derive(Debug, Default)]
pub struct Durations {
    path: PathBuf,
    steps: BTreeMap<String, Remembered>,
    has_changed: bool,
}

/// Oldest first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Remembered {
    ms: Vec<u64>,
}

impl Durations {
    /// Reads what is remembered. Nothing is, when the file is not there or is damaged: it is only a
    /// forecast, and written anew at the end of the run.
    pub fn load(root: &Path) -> Durations {
        let path = root.join(FILE);
        let steps = std::fs::read(&path)
            .ok()
            .and_then(|json| serde_json::from_slice(&json).ok())
            .unwrap_or_default();
        Durations { path, steps, has_changed: false }
    }

    /// How long a step will probably take, if it ran before: the median.
    pub fn expected(&self, step: &str) -> Option<Duration> {
        let mut ms = self.steps.get(step)?.ms.clone();
        ms.sort_unstable();
        ms.get(ms.len() / 2).copied().map(Duration::from_millis)
    }

    /// The same, and for a step that never ran the median of the others.
    pub fn forecast(&self, step: &str) -> Duration {
        self.expected(step).unwrap_or_else(|| {
            let mut known: Vec<Duration> =
                self.steps.keys().filter_map(|step| self.expected(step)).collect();
            known.sort_unstable();
            known.get(known.len() / 2).copied().unwrap_or(UNKNOWN)
        })
    }

    /// Remembers that a step ran to its end.
    pub fn remember(&mut self, step: &str, took: Duration) {
        let ms = &mut self.steps.entry(step.to_owned()).or_default().ms;
        ms.push(u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
        let beyond = ms.len().saturating_sub(REMEMBERED);
        ms.drain(..beyond);
        self.has_changed = true;
    }

    /// Writes what was remembered, by a rename: of two runners at once, the later one's is kept.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self) -> anyhow::Result<()> {
        if !self.has_changed {
            return Ok(());
        }
        let folder = self.path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(&serde_json::to_vec(&self.steps)?)?;
        file.persist(&self.path)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_the_last_runs_survives_a_save() {
        let root = tempfile::tempdir().unwrap();
        let mut durations = Durations::load(root.path());
        assert_eq!(durations.forecast("build"), UNKNOWN);
        for ms in [9_000, 9_000, 100, 5_000, 110, 90, 120] {
            durations.remember("build", Duration::from_millis(ms));
        }
        durations.save().unwrap();
        let durations = Durations::load(root.path());
        assert_eq!(durations.expected("build"), Some(Duration::from_millis(110)));
        assert_eq!(durations.expected("new"), None);
        assert_eq!(durations.forecast("new"), Duration::from_millis(110));
    }

    #[test]
    fn a_damaged_file_is_as_good_as_none() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join(FILE);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, "{\"build\": {\"ms\": [1").unwrap();
        assert_eq!(Durations::load(root.path()).expected("build"), None);
    }
}

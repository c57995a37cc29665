//! A run's own folder, `target/xtask/runs/<run>/`: its report, the steps' outputs and what they
//! leave for people. The last runs are kept.

use anyhow::Context;
use report::Report;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Relative to the project's root.
const RUNS: &str = "target/xtask/runs";

/// Text file in [`RUNS`] that holds the id of the last run that ended.
const LATEST: &str = "latest";

/// Runs that are kept.
const KEPT: usize = 20;

/// Ids that are tried before giving up: runners started in the same second with the same pid, in
/// containers that share the checkout.
const MAX_TRIES: u32 = 100;

/// The folder of one run.
#[derive(Debug)]
pub struct Folder {
    /// Sortable: `20261123-084312-4711`, the time in UTC and the runner's pid.
    pub run: String,
    /// Absolute.
    pub path: PathBuf,
    /// Why the folder is not in its place, when it could not be made there.
    pub warning: Option<String>,
    runs: PathBuf,
    /// Keeps a folder that stands in for the real one until the end of the run.
    _stand_in: Option<tempfile::TempDir>,
}

impl Folder {
    /// Makes a folder that no other run has. Where the disk is full or read-only, a temporary one:
    /// the run goes on.
    ///
    /// # Errors
    /// When there is no place for a temporary folder either.
    pub fn create(root: &Path, now: jiff::Timestamp) -> anyhow::Result<Folder> {
        let runs = root.join(RUNS);
        let id = format!("{}-{}", now.strftime("%Y%m%d-%H%M%S"), std::process::id());
        match make(&runs, &id) {
            Ok((run, path)) => Ok(Folder { run, path, warning: None, runs, _stand_in: None }),
            Err(error) => {
                let stand_in =
                    tempfile::tempdir().context("failed to make a folder for the run")?;
                Ok(Folder {
                    run: id,
                    path: stand_in.path().to_path_buf(),
                    warning: Some(format!(
                        "this run leaves no report: failed to make a folder in {}: {error}",
                        runs.display()
                    )),
                    runs,
                    _stand_in: Some(stand_in),
                })
            }
        }
    }

    /// Where a step writes its outcome.
    pub fn outcome(&self, step: &str) -> PathBuf {
        self.path.join("outcomes").join(format!("{step}.json"))
    }

    /// Where a step leaves files for people.
    pub fn artifacts(&self, step: &str) -> PathBuf {
        self.path.join("artifacts").join(step)
    }

    /// Where a step's captured output is kept.
    pub fn output(&self, step: &str) -> PathBuf {
        self.path.join("output").join(format!("{step}.log"))
    }

    /// Keeps what a step printed. `attempt` is named for those that were tried again.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep_output(
        &self,
        step: &str,
        attempt: Option<u32>,
        bytes: &[u8],
    ) -> anyhow::Result<()> {
        let path = match attempt {
            None => self.output(step),
            Some(attempt) => self.output(&format!("{step}.attempt-{attempt}")),
        };
        std::fs::create_dir_all(self.path.join("output"))
            .and_then(|()| std::fs::write(&path, bytes))
            .with_context(|| format!("failed to keep the output of {step}"))
    }

    /// Makes an artifact that an earlier run left in its folder this run's, and gives its new path.
    /// One that lies elsewhere stays where it is. Paths are relative to the root.
    ///
    /// # Errors
    /// When it cannot be linked or copied.
    pub fn adopt(&self, root: &Path, artifact: &str) -> anyhow::Result<String> {
        let within = artifact.strip_prefix(RUNS).and_then(|rest| rest.strip_prefix('/'));
        let Some((run, rest)) = within.and_then(|within| within.split_once('/')) else {
            return Ok(artifact.to_owned());
        };
        if run == self.run || !is_id(run) || self.warning.is_some() {
            return Ok(artifact.to_owned());
        }
        link(&root.join(artifact), &self.path.join(rest))
            .with_context(|| format!("failed to take over the artifact {artifact}"))?;
        Ok(format!("{RUNS}/{}/{rest}", self.run))
    }

    /// Writes the report, says that this was the last run, and removes the oldest.
    ///
    /// # Errors
    /// When the report cannot be written.
    pub fn finish(&self, report: &Report) -> anyhow::Result<()> {
        let path = self.path.join("report.json");
        // All that is in these is in the report.
        std::fs::remove_dir_all(self.path.join("outcomes")).ok();
        std::fs::write(&path, serde_json::to_vec_pretty(report)?)
            .with_context(|| format!("failed to write {}", path.display()))?;
        if self.warning.is_some() {
            return Ok(());
        }
        let mut latest = tempfile::NamedTempFile::new_in(&self.runs)?;
        writeln!(latest, "{}", self.run)?;
        latest.persist(self.runs.join(LATEST))?;
        remove_oldest(&self.runs);
        Ok(())
    }
}

fn make(runs: &Path, id: &str) -> std::io::Result<(String, PathBuf)> {
    std::fs::create_dir_all(runs)?;
    let mut run = id.to_owned();
    for attempt in 2..=MAX_TRIES {
        let path = runs.join(&run);
        match std::fs::create_dir(&path) {
            Ok(()) => {
                std::fs::create_dir(path.join("outcomes"))?;
                return Ok((run, path));
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                run = format!("{id}-{attempt}");
            }
            Err(error) => return Err(error),
        }
    }
    Err(std::io::ErrorKind::AlreadyExists.into())
}

/// A second name for a file, or for all files of a folder: artifacts are written once.
fn link(from: &Path, to: &Path) -> std::io::Result<()> {
    if from.is_dir() {
        for entry in std::fs::read_dir(from)? {
            let name = entry?.file_name();
            link(&from.join(&name), &to.join(&name))?;
        }
        return Ok(());
    }
    std::fs::create_dir_all(to.parent().unwrap_or(to))?;
    match std::fs::hard_link(from, to) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            std::fs::copy(from, to).map(|_| ())
        }
        _ => Ok(()),
    }
}

/// Two runners may remove the same folder at once, and a person may have it open: what cannot be
/// removed now is removed by a later run.
fn remove_oldest(runs: &Path) {
    let Ok(entries) = std::fs::read_dir(runs) else { return };
    let mut ids: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| is_id(name))
        .collect();
    ids.sort_unstable();
    for id in ids.iter().rev().skip(KEPT) {
        std::fs::remove_dir_all(runs.join(id)).ok();
    }
}

/// Only what looks like a run is ever removed.
fn is_id(name: &str) -> bool {
    let parts: Vec<&str> = name.split('-').collect();
    let is_number =
        |part: &&str| !part.is_empty() && part.chars().all(|digit| digit.is_ascii_digit());
    (3..=4).contains(&parts.len())
        && parts[0].len() == 8
        && parts[1].len() == 6
        && parts.iter().all(is_number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_runs_of_one_second_have_two_folders() {
        let root = tempfile::tempdir().unwrap();
        let now = jiff::Timestamp::now();
        let first = Folder::create(root.path(), now).unwrap();
        let second = Folder::create(root.path(), now).unwrap();
        assert_eq!(second.run, format!("{}-2", first.run));
        assert!(first.path.is_dir() && second.path.is_dir());
    }

    #[test]
    fn the_last_runs_are_kept_and_nothing_else_is_touched() {
        let root = tempfile::tempdir().unwrap();
        let runs = root.path().join(RUNS);
        for second in 0..30 {
            std::fs::create_dir_all(runs.join(format!("20261123-0843{second:02}-7"))).unwrap();
        }
        std::fs::create_dir(runs.join("mine")).unwrap();
        remove_oldest(&runs);
        let mut left: Vec<_> = std::fs::read_dir(&runs)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort_unstable();
        assert_eq!(left.len(), KEPT + 1);
        assert_eq!((left[0].as_str(), left[20].as_str()), ("20261123-084310-7", "mine"));
    }

    #[test]
    fn an_artifact_of_an_earlier_run_is_taken_over() {
        let root = tempfile::tempdir().unwrap();
        let now = jiff::Timestamp::now();
        let earlier = Folder::create(root.path(), now).unwrap();
        let shots = earlier.artifacts("e2e").join("shots");
        std::fs::create_dir_all(&shots).unwrap();
        std::fs::write(shots.join("home.png"), "home").unwrap();
        let later = Folder::create(root.path(), now).unwrap();
        let path = format!("{RUNS}/{}/artifacts/e2e/shots", earlier.run);
        let adopted = later.adopt(root.path(), &path).unwrap();
        assert_eq!(adopted, format!("{RUNS}/{}/artifacts/e2e/shots", later.run));
        std::fs::remove_dir_all(&earlier.path).unwrap();
        let kept = std::fs::read_to_string(root.path().join(adopted).join("home.png")).unwrap();
        assert_eq!(kept, "home");
        let release = "target/xtask/releases/x";
        assert_eq!(later.adopt(root.path(), release).unwrap(), release);
    }

    #[test]
    fn where_no_folder_can_be_made_a_temporary_one_stands_in() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("target"), "a file in the way").unwrap();
        let folder = Folder::create(root.path(), jiff::Timestamp::now()).unwrap();
        assert!(folder.warning.is_some() && folder.path.is_dir());
    }
}

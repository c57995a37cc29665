//! A run that is over, read back from its folder to be shown again.

use super::closing::{self, Kept};
use super::html::{excerpt, page, way_to_root};
use super::look::Look;
use super::{Color, Reader, junit, relative, sarif, written};
use anyhow::Context;
use report::{Fault, Report, SCHEMA_VERSION, StepReport};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// Where runs are kept, under the project's root.
const RUNS: &str = "target/xtask/runs";
/// Bytes of one step's output that are read back: its end.
const READ_BYTES: u64 = 16 * 1024 * 1024;
/// Runs that an error offers instead of one that is not there.
const OFFERED_RUNS: usize = 5;

/// A run that is over.
#[derive(Debug)]
pub struct Stored {
    root: PathBuf,
    folder: PathBuf,
    report: Report,
    outputs: BTreeMap<String, Kept>,
}

impl Stored {
    /// Reads a run by its id, or the last one.
    ///
    /// # Errors
    /// A [`Fault`] of usage when there is no such run or its report cannot be understood.
    pub fn open(root: &Path, run: Option<&str>) -> anyhow::Result<Stored> {
        let runs = root.join(RUNS);
        let run = match run {
            Some(run) => run.to_owned(),
            None => latest(&runs)?,
        };
        let is_name = !run.is_empty() && !run.starts_with('.') && !run.contains(['/', '\\']);
        let folder = runs.join(&run);
        if !is_name || !folder.is_dir() {
            return Err(no_such_run(&runs, &run).into());
        }
        let report = read(&folder.join("report.json"))?;
        let output = |step: &StepReport| {
            let path = root.join(step.output.as_ref()?);
            Some((step.name.clone(), end_of(&path).ok()?))
        };
        let outputs = report.steps.iter().filter_map(output).collect();
        Ok(Stored { root: root.to_owned(), folder, report, outputs })
    }

    /// Where its HTML report is; written anew when it is not there.
    pub fn html_path(&self) -> anyhow::Result<PathBuf> {
        let path = self.folder.join("report.html");
        if !path.is_file() {
            written::write(&path, &self.html()?)?;
        }
        Ok(path)
    }

    /// What the run showed at its end.
    pub fn terminal(&self, color: Color) -> String {
        let look = Look::of_stdout(Reader::Person, color);
        let report = &self.report;
        let path = relative(&self.folder.join("report.html"), &self.root);
        closing::failures(&look, report, |name| self.outputs.get(name))
            + "\n"
            + &closing::table(&look, report)
            + "\n"
            + &closing::verdict(&look, report, &path)
    }

    pub fn json(&self) -> anyhow::Result<String> {
        Ok(serde_json::to_string_pretty(&self.report)? + "\n")
    }

    pub fn html(&self) -> anyhow::Result<String> {
        let way = way_to_root(&self.folder.join("report.html"), &self.root)?;
        let excerpts = self.report.steps.iter().filter_map(|step| {
            let kept = self.outputs.get(&step.name)?;
            let excerpt = excerpt(&kept.bytes, kept.omitted_bytes, step.outcome.status);
            Some((step.name.clone(), excerpt))
        });
        Ok(page(&self.report, &excerpts.collect(), &way))
    }

    pub fn junit(&self) -> String {
        junit::document(&self.report)
    }

    pub fn sarif(&self) -> anyhow::Result<String> {
        Ok(serde_json::to_string_pretty(&sarif::document(&self.report))? + "\n")
    }
}

fn latest(runs: &Path) -> anyhow::Result<String> {
    match std::fs::read_to_string(runs.join("latest")) {
        Ok(run) => Ok(run.trim().to_owned()),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let runs = runs.display();
            Err(Fault::usage(format!(
                "no run is kept in {runs}: run `cargo xtask ci` first, or name a checkout with -C"
            ))
            .into())
        }
        Err(error) => Err(error).context(format!("failed to read the last run in {RUNS}")),
    }
}

fn no_such_run(runs: &Path, run: &str) -> Fault {
    let entries = std::fs::read_dir(runs).into_iter().flatten().flatten();
    let mut kept: Vec<String> = entries
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    kept.sort_unstable_by(|one, other| other.cmp(one));
    kept.truncate(OFFERED_RUNS);
    let kept = if kept.is_empty() { "none".to_owned() } else { kept.join(", ") };
    Fault::usage(format!("no run `{run}` is kept in {}, the last are: {kept}", runs.display()))
}

fn read(path: &Path) -> anyhow::Result<Report> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| {
        Fault::usage(format!("failed to read {shown}: {error}; the run may not have ended"))
    })?;
    let report: Report = serde_json::from_str(&text)
        .map_err(|error| Fault::usage(format!("{shown} is not a report: {error}")))?;
    if report.version > SCHEMA_VERSION {
        let found = report.version;
        let message =
            format!("{shown} has version {found}, this xtask reads up to {SCHEMA_VERSION}");
        return Err(Fault::usage(message).into());
    }
    Ok(report)
}

/// The end of a file that may be long.
fn end_of(path: &Path) -> std::io::Result<Kept> {
    let mut file = File::open(path)?;
    let omitted_bytes = file.metadata()?.len().saturating_sub(READ_BYTES);
    file.seek(SeekFrom::Start(omitted_bytes))?;
    let mut bytes = Vec::new();
    file.take(READ_BYTES).read_to_end(&mut bytes)?;
    Ok(Kept { bytes, omitted_bytes })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::fixture;

    fn kept() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let report = fixture::failed();
        let folder = root.path().join(RUNS).join(&report.run);
        written::write(&folder.join("report.json"), &serde_json::to_string(&report).unwrap())
            .unwrap();
        written::write(&root.path().join(RUNS).join("latest"), &format!("{}\n", report.run))
            .unwrap();
        std::fs::create_dir_all(folder.join("output")).unwrap();
        for (name, kept) in fixture::outputs() {
            std::fs::write(folder.join(format!("output/{name}.log")), kept.bytes).unwrap();
        }
        root
    }

    #[test]
    fn the_last_run_is_shown_again() {
        let root = kept();
        let stored = Stored::open(root.path(), None).unwrap();
        let shown = stored.terminal(Color::Never);
        assert!(shown.contains("lint failed after 12.1s, the first cause: 1 error"));
        assert!(shown.contains("running 412 tests"));
        let page = std::fs::read_to_string(stored.html_path().unwrap()).unwrap();
        assert_eq!(page, stored.html().unwrap());
        assert!(page.contains("href=\"../../../../target/xtask/releases/"));
        let json: Report = serde_json::from_str(&stored.json().unwrap()).unwrap();
        assert_eq!(json, fixture::failed());
    }

    #[test]
    fn a_run_that_is_not_there_names_those_that_are() {
        let root = kept();
        for run in ["20200101-000000-1", "..", "", "../runs"] {
            let error = Stored::open(root.path(), Some(run)).unwrap_err();
            assert_eq!(Fault::exit_of(&error), report::Exit::Usage);
            assert!(error.to_string().ends_with("the last are: 20261123-084312-4711"), "{error}");
        }
        let nothing = tempfile::tempdir().unwrap();
        let error = Stored::open(nothing.path(), None).unwrap_err();
        assert!(error.to_string().contains("run `cargo xtask ci` first"), "{error}");
    }

    #[test]
    fn a_report_of_a_later_version_is_refused() {
        let root = kept();
        let report = Report { version: SCHEMA_VERSION + 1, ..fixture::failed() };
        let path = root.path().join(RUNS).join(&report.run).join("report.json");
        std::fs::write(&path, serde_json::to_string(&report).unwrap()).unwrap();
        let error = Stored::open(root.path(), None).unwrap_err().to_string();
        assert!(error.contains("has version 2, this xtask reads up to 1"), "{error}");
        std::fs::write(&path, "{\"version\":").unwrap();
        let error = Stored::open(root.path(), None).unwrap_err().to_string();
        assert!(error.contains("is not a report"), "{error}");
    }
}

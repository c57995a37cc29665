//! Reports that a step's command wrote, JUnit XML and SARIF, read in as findings.
//!
//! They come from tools of any kind, so nothing about them is trusted: a file that is too large, cut
//! off or no such report becomes a finding that names it.

mod junit;
mod sarif;

use inputs::{Globs, Leaving};
use report::{Finding, Place};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Largest report that is read. GitHub takes 10 MB of compressed SARIF; nobody reads more.
const MAX_FILE_BYTES: u64 = 64 << 20;

/// Files read for one step; a suite may write one for each of its programs.
const MAX_FILES: usize = 500;

/// Findings taken from one file: what SARIF's readers keep.
const MAX_FINDINGS: usize = 5_000;

/// How much earlier than the clock a file system may say that a file was written: the kernel stamps
/// files by its tick, at most 10 ms.
const TICK: Duration = Duration::from_millis(20);

/// Reads the reports that match the globs, relative to the root, and that were written since a time:
/// one that an earlier run left says nothing about this one. A glob without such a file is a warning:
/// the command was expected to write one.
///
/// # Errors
/// When a glob is none, which `xtask.toml`'s validation has seen to.
pub fn read(
    root: &Path,
    junit: &[String],
    sarif: &[String],
    since: SystemTime,
) -> anyhow::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let formats: [(&str, &[String], Parse); 2] =
        [("junit", junit, junit::parse), ("sarif", sarif, sarif::parse)];
    for (format, globs, parse) in formats {
        for glob in globs {
            let mut files = matching(root, glob)?;
            let is_there = !files.is_empty();
            files.retain(|file| is_new(file, since));
            if files.is_empty() {
                let message = if is_there {
                    format!("{format} = {glob:?} matches only files that this step did not write")
                } else {
                    format!("no file matches {format} = {glob:?}")
                };
                findings.push(Finding::warning("import::missing", message));
            }
            for file in files {
                findings.extend(read_file(root, &file, format, parse));
            }
        }
    }
    Ok(findings)
}

/// A report's text to findings, or what is wrong with it and in which line.
type Parse = fn(&Path, &str) -> Result<Vec<Finding>, Malformed>;

/// Why a report cannot be read.
#[derive(Debug, PartialEq, Eq)]
struct Malformed {
    message: String,
    line: Option<u32>,
}

fn read_file(root: &Path, file: &Path, format: &str, parse: Parse) -> Vec<Finding> {
    let shown = relative(root, &file.to_string_lossy());
    let fail = |message: String, line: Option<u32>| {
        let place = Place::File { path: shown.clone(), line, column: None, end_line: None };
        vec![Finding::error("import::malformed", message).at(place)]
    };
    let size_bytes = file.metadata().map_or(0, |metadata| metadata.len());
    if size_bytes > MAX_FILE_BYTES {
        let limit = MAX_FILE_BYTES >> 20;
        return fail(
            format!("expected at most {limit} MiB of {format}, found {size_bytes} bytes"),
            None,
        );
    }
    let text = match std::fs::read(file) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) => return fail(format!("failed to read the {format} report: {error}"), None),
    };
    match parse(root, text.trim_start_matches('\u{feff}')) {
        Err(Malformed { message, line }) => fail(format!("not a {format} report: {message}"), line),
        Ok(mut findings) => {
            let left_out = findings.len().saturating_sub(MAX_FINDINGS);
            findings.truncate(MAX_FINDINGS);
            if left_out > 0 {
                let message = format!("{left_out} more findings of this report were left out");
                findings.push(Finding::warning("import::limit", message).at(Place::file(shown)));
            }
            findings
        }
    }
}

/// Whether a file was written since a time. One that does not say is read.
fn is_new(file: &Path, since: SystemTime) -> bool {
    let written = file.metadata().and_then(|metadata| metadata.modified());
    written.map_or(true, |written| written + TICK >= since)
}

/// The files that match a glob, sorted; ignored ones too, because reports mostly are.
fn matching(root: &Path, glob: &str) -> anyhow::Result<Vec<PathBuf>> {
    let found = inputs::collect(root, &Globs::new(&[glob])?, &[b".git"])?;
    let is_file = |leaving: &Leaving| matches!(leaving, Leaving::File { .. });
    let files = found.iter().filter(|(_, leaving)| is_file(leaving));
    let mut files: Vec<PathBuf> = files.map(|(path, _)| root.join(inputs::as_path(path))).collect();
    files.truncate(MAX_FILES);
    Ok(files)
}

/// A path of a report, relative to the root where it lies under it, with `/` between its parts.
fn relative(root: &Path, path: &str) -> String {
    let path = Path::new(path);
    let canonical = root.canonicalize();
    let inside = path
        .strip_prefix(root)
        .or_else(|_| path.strip_prefix(canonical.as_deref().unwrap_or(root)))
        .unwrap_or(path);
    let text = inside.to_string_lossy().replace('\\', "/");
    text.strip_prefix("./").map_or(text.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_that_cannot_be_read_is_a_finding_that_names_it() {
        let temp = tempfile::tempdir().unwrap();
        let root = temp.path();
        std::fs::create_dir(root.join("out")).unwrap();
        std::fs::write(root.join("out/cut.xml"), "<testsuites><testsuite name='a'").unwrap();
        std::fs::write(root.join("out/cut.sarif"), "{\"runs\": [").unwrap();
        let globs = |glob: &str| vec![glob.to_owned()];
        let since = SystemTime::UNIX_EPOCH;
        let found = read(root, &globs("out/*.xml"), &globs("**/*.sarif"), since).unwrap();
        let places: Vec<String> =
            found.iter().map(|f| f.place.as_ref().unwrap().to_string()).collect();
        assert_eq!(places, ["out/cut.xml:1", "out/cut.sarif:1"]);
        let missing = read(root, &globs("none.xml"), &[], since).unwrap();
        assert_eq!(missing[0].rule, "import::missing");
    }

    #[test]
    fn a_report_of_an_earlier_run_is_not_read() {
        let temp = tempfile::tempdir().unwrap();
        let report = temp.path().join("report.xml");
        std::fs::write(&report, "<testsuites/>").unwrap();
        let now = SystemTime::now();
        let old = now - Duration::from_secs(60);
        std::fs::File::open(&report).unwrap().set_modified(old).unwrap();
        let globs = ["report.xml".to_owned()];
        let found = read(temp.path(), &globs, &[], now).unwrap();
        assert_eq!(found[0].rule, "import::missing");
        assert!(found[0].message.contains("did not write"), "{}", found[0].message);
        assert!(read(temp.path(), &globs, &[], old).unwrap().is_empty());
    }
}

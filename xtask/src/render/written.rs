//! Files that a run leaves at its end: JUnit, SARIF and the HTML report.

use super::Renderer;
use crate::pipeline::event::Event;
use anyhow::Context;
use report::Report;
use std::path::{Path, PathBuf};

/// Writes one document about the finished run to a file.
pub struct Written {
    path: PathBuf,
    document: fn(&Report) -> anyhow::Result<String>,
}

impl Written {
    pub fn new(path: PathBuf, document: fn(&Report) -> anyhow::Result<String>) -> Written {
        Written { path, document }
    }
}

impl Renderer for Written {
    fn on(&mut self, event: &Event<'_>) -> anyhow::Result<()> {
        match event {
            Event::RunFinished { report } => write(&self.path, &(self.document)(report)?),
            _ => Ok(()),
        }
    }
}

/// Writes a file by a rename, so that a reader never sees half of one; makes its folder. What is
/// there already and is no regular file, as `/dev/stdout` and a pipe are not, is written to and
/// never replaced.
pub fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let is_replaceable = std::fs::symlink_metadata(path).map_or(true, |there| there.is_file());
    folder
        .map_or(Ok(()), std::fs::create_dir_all)
        .and_then(
            |()| if is_replaceable { replace(path, text) } else { std::fs::write(path, text) },
        )
        .with_context(|| format!("failed to write {}", path.display()))
}

fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(format!(".{}.partial", std::process::id()));
    let partial = PathBuf::from(partial);
    let written = std::fs::write(&partial, text).and_then(|()| std::fs::rename(&partial, path));
    if written.is_err() {
        // The error that is told is the first one.
        std::fs::remove_file(&partial).ok();
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_written_through_and_nothing_else_is_touched() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("out.partial"), "a person's own").unwrap();
        std::fs::write(at("target"), "old").unwrap();
        std::os::unix::fs::symlink("target", at("link")).unwrap();
        write(&at("out.xml"), "new").unwrap();
        write(&at("link"), "new").unwrap();
        write(&at("target/below"), "new").unwrap_err();
        let mut names: Vec<_> = std::fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, ["link", "out.partial", "out.xml", "target"]);
        assert!(at("link").is_symlink());
        assert_eq!(std::fs::read_to_string(at("target")).unwrap(), "new");
        assert_eq!(std::fs::read_to_string(at("out.partial")).unwrap(), "a person's own");
    }
}

//! Where a command runs: the project's root and what lies under it.

use anyhow::Context as _;
use config::{Config, FILE_NAME};
use report::Fault;
use std::path::{Path, PathBuf};

/// Where a command runs.
#[derive(Debug, Clone)]
pub struct Context {
    /// The project's root: the nearest folder at or above the start that holds an `xtask.toml`,
    /// else the top of the git checkout, else the start itself. Absolute.
    pub root: PathBuf,
}

impl Context {
    /// Finds the root from a folder, or from the current one.
    ///
    /// # Errors
    /// When the folder is not there: exit code 2.
    pub fn new(directory: Option<&Path>) -> anyhow::Result<Context> {
        let start = match directory {
            Some(directory) => directory.canonicalize().map_err(|error| {
                Fault::usage(format!(
                    "expected a folder after -C, found {:?}: {error}",
                    directory.display()
                ))
            })?,
            None => std::env::current_dir().context("failed to find the current folder")?,
        };
        if !start.is_dir() {
            let found = start.display();
            return Err(Fault::usage(format!("expected a folder after -C, found {found}")).into());
        }
        Ok(Context { root: root_of(&start).to_path_buf() })
    }

    /// The project's configuration.
    ///
    /// # Errors
    /// When there is none, or it is wrong: exit code 2.
    pub fn config(&self) -> anyhow::Result<Config> {
        Config::load(&self.root).map_err(|error| Fault::usage(error.to_string()).into())
    }

    /// A shell in the root, for `cmd!`.
    ///
    /// # Errors
    /// When the current folder is gone.
    pub fn shell(&self) -> anyhow::Result<xshell::Shell> {
        let shell = xshell::Shell::new().context("failed to find the current folder")?;
        shell.change_dir(&self.root);
        Ok(shell)
    }

    /// A file or folder under the root as reports name it: relative, with `/` between its parts.
    /// One that lies elsewhere keeps its whole path.
    pub fn relative(&self, path: &Path) -> String {
        let inside = path.strip_prefix(&self.root).unwrap_or(path);
        inside.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/")
    }
}

fn root_of(start: &Path) -> &Path {
    let above = |name: &str| start.ancestors().find(|folder| folder.join(name).exists());
    above(FILE_NAME).or_else(|| above(".git")).unwrap_or(start)
}

#[cfg(test)]
mod tests {
    use super::*;
    use report::Exit;

    #[test]
    fn the_root_is_the_nearest_configuration_then_the_checkout_then_the_start() {
        let temp = tempfile::tempdir().unwrap();
        let top = temp.path().canonicalize().unwrap();
        let deep = top.join("web/pages");
        std::fs::create_dir_all(&deep).unwrap();
        let root = || Context::new(Some(&deep)).unwrap().root;
        assert_eq!(root(), deep);
        std::fs::create_dir(top.join(".git")).unwrap();
        assert_eq!(root(), top);
        std::fs::write(top.join("web/xtask.toml"), "").unwrap();
        assert_eq!(root(), top.join("web"));
    }

    #[test]
    fn a_missing_configuration_names_the_command_that_writes_one() {
        let temp = tempfile::tempdir().unwrap();
        let error = Context::new(Some(temp.path())).unwrap().config().unwrap_err();
        assert_eq!(Fault::exit_of(&error), Exit::Usage);
        assert!(error.to_string().contains("cargo xtask init"), "{error}");
    }
}

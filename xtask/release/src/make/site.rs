//! The files of a site, as the project's build left them.
//!
//! Invariants: only regular files, each with a UTF-8 path; a symbolic link is followed when it
//! stays inside the site and refused when it leaves it; what must not be published (hidden files,
//! the runner's own folder) is left out and said.

use config::Build;
use globset::{Glob, GlobSet, GlobSetBuilder};
use inputs::Stamp;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

/// Most files that a site may have: far beyond real ones, and a bound for a folder of links that
/// multiply.
const MAX_FILES: usize = 100_000;

/// The one hidden name that is meant for the public (RFC 8615).
const WELL_KNOWN: &str = ".well-known";

/// Paths of a project that are never part of its site, for a site that is the project's root.
const NEVER_PUBLISHED: [&str; 3] = ["xtask.toml", "target/xtask", "node_modules"];

/// The files of a site.
#[derive(Debug, Default)]
pub struct Site {
    /// Sorted by path.
    pub files: Vec<SiteFile>,
    /// Hidden files and folders that were left out, relative to the site.
    pub left_out: Vec<String>,
}

/// One file of a site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteFile {
    /// Relative to the site, with `/` between its parts.
    pub path: String,
    /// Where its contents are.
    pub source: PathBuf,
    pub size_bytes: u64,
    /// What the file system says of it.
    pub stamp: Stamp,
}

/// Why a folder cannot be a site.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    #[error("the site folder {} is missing; {}", site.display(), should_have(.by.as_deref()))]
    Missing { site: PathBuf, by: Option<String> },
    #[error("the site {} is not a folder; {}", site.display(), should_have(.by.as_deref()))]
    NotAFolder { site: PathBuf, by: Option<String> },
    #[error("the site folder {} is empty; {}", site.display(), should_have(.by.as_deref()))]
    Empty { site: PathBuf, by: Option<String> },
    #[error("expected file names in UTF-8, found {name:?} in {}; rename it or exclude it by `[build].exclude`", folder.display())]
    NotUtf8 { folder: PathBuf, name: std::ffi::OsString },
    #[error("{} is a symbolic link that leaves the site, to {}; copy the file into the site, or exclude it by `[build].exclude`", link.display(), target.display())]
    Leaves { link: PathBuf, target: PathBuf },
    #[error("{} is a symbolic link to a folder that holds it", link.display())]
    Loop { link: PathBuf },
    #[error("{} is a symbolic link to nothing", link.display())]
    Dangling { link: PathBuf },
    #[error("{} is neither a file nor a folder; a release holds regular files only", path.display())]
    NotRegular { path: PathBuf },
    #[error("{} has more than {MAX_FILES} files; is `[build].site` the right folder?", site.display())]
    TooMany { site: PathBuf },
    #[error("`[build].exclude`: {0}")]
    Exclude(#[from] globset::Error),
    #[error("failed to read {}", path.display())]
    Io { path: PathBuf, source: io::Error },
}

fn should_have(by: Option<&str>) -> String {
    match by {
        Some(command) => format!("`{command}` ([build].run in xtask.toml) should have left it"),
        None => "[build].site in xtask.toml names it, and [build] has no `run` to make it".into(),
    }
}

impl Site {
    /// Finds the files of the site that `build` describes, in the project at `root`.
    ///
    /// # Errors
    /// When there are none, or when one of them cannot be published.
    pub fn scan(root: &Path, build: &Build) -> Result<Site, SiteError> {
        let by = build.run.clone();
        let named = root.join(&build.site);
        let site = match fs::canonicalize(&named) {
            Ok(site) => site,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(SiteError::Missing { site: build.site.clone().into(), by });
            }
            Err(source) => return Err(SiteError::Io { path: named, source }),
        };
        if !site.is_dir() {
            return Err(SiteError::NotAFolder { site: build.site.clone().into(), by });
        }
        let root = fs::canonicalize(root).unwrap_or_else(|_| root.into());
        let mut scan = Scan {
            never: NEVER_PUBLISHED.iter().map(|path| root.join(path)).collect(),
            exclude: excluded(&build.exclude)?,
            root: site.clone(),
            found: Site::default(),
        };
        scan.folder(&site, "", &mut vec![site.clone()])?;
        let mut found = scan.found;
        if found.files.is_empty() {
            return Err(SiteError::Empty { site: build.site.clone().into(), by });
        }
        found.files.sort_by(|a, b| a.path.cmp(&b.path));
        found.left_out.sort();
        Ok(found)
    }
}

fn excluded(globs: &[String]) -> Result<GlobSet, globset::Error> {
    let mut set = GlobSetBuilder::new();
    for glob in globs {
        set.add(Glob::new(glob)?);
    }
    set.build()
}

struct Scan {
    root: PathBuf,
    never: Vec<PathBuf>,
    exclude: GlobSet,
    found: Site,
}

impl Scan {
    /// `prefix`: the folder's path in the site, with a `/` at its end. `above`: the real folders
    /// that lead here, this one last.
    fn folder(
        &mut self,
        folder: &Path,
        prefix: &str,
        above: &mut Vec<PathBuf>,
    ) -> Result<(), SiteError> {
        let failed = |source| SiteError::Io { path: folder.into(), source };
        for entry in fs::read_dir(folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let source = entry.path();
            if self.never.contains(&source)
                || entry.file_name() == ".git"
                || self.exclude.is_match(relative(prefix, &entry))
            {
                continue;
            }
            let name = entry
                .file_name()
                .into_string()
                .map_err(|name| SiteError::NotUtf8 { folder: folder.into(), name })?;
            let path = format!("{prefix}{name}");
            if name.starts_with('.') && name != WELL_KNOWN {
                self.found.left_out.push(path);
                continue;
            }
            // Of the link itself, where it is one.
            let metadata = entry
                .metadata()
                .map_err(|error| SiteError::Io { path: source.clone(), source: error })?;
            self.entry(source, path, metadata, above)?;
        }
        Ok(())
    }

    fn entry(
        &mut self,
        source: PathBuf,
        path: String,
        mut metadata: Metadata,
        above: &mut Vec<PathBuf>,
    ) -> Result<(), SiteError> {
        let mut real = source;
        if metadata.is_symlink() {
            real = self.resolve(&real, above)?;
            metadata = fs::metadata(&real)
                .map_err(|source| SiteError::Io { path: real.clone(), source })?;
        }
        if metadata.is_dir() {
            above.push(real.clone());
            self.folder(&real, &format!("{path}/"), above)?;
            above.pop();
            return Ok(());
        }
        if !metadata.is_file() {
            return Err(SiteError::NotRegular { path: real });
        }
        if self.found.files.len() == MAX_FILES {
            return Err(SiteError::TooMany { site: self.root.clone() });
        }
        let stamp = Stamp::of(&metadata);
        self.found.files.push(SiteFile { path, source: real, size_bytes: metadata.len(), stamp });
        Ok(())
    }

    fn resolve(&self, link: &Path, above: &[PathBuf]) -> Result<PathBuf, SiteError> {
        let target = match fs::canonicalize(link) {
            Ok(target) => target,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(SiteError::Dangling { link: link.into() });
            }
            Err(source) => return Err(SiteError::Io { path: link.into(), source }),
        };
        if !target.starts_with(&self.root) {
            return Err(SiteError::Leaves { link: link.into(), target });
        }
        if above.contains(&target) {
            return Err(SiteError::Loop { link: link.into() });
        }
        Ok(target)
    }
}

fn relative(prefix: &str, entry: &fs::DirEntry) -> PathBuf {
    Path::new(prefix).join(entry.file_name())
}

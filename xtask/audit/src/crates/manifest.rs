//! The project's `Cargo.toml` files, read for the lines on which dependencies are declared.
//!
//! Tolerant: a manifest that cannot be read costs the line that would have been named, nothing
//! more. Cargo itself is not asked, so that this works on a machine without it.

use super::lockfile::Package;
use crate::text::line_at;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::fmt;
use std::path::{Component, Path, PathBuf};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

const MANIFEST: &str = "Cargo.toml";

/// Most manifests that are read: more than any workspace known has.
const MAX_MANIFESTS: usize = 5_000;

/// The dependencies that the project's own packages declare.
#[derive(Debug, Default)]
pub(super) struct Manifests {
    /// By package and dependency.
    declared: HashMap<(String, String), Declaration>,
    /// The packages whose manifests were found.
    own: BTreeSet<String>,
}

/// Where a dependency is declared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Declaration {
    /// Relative to the project's root.
    pub(super) path: String,
    /// 1-based.
    pub(super) line: u32,
    /// The line of the root manifest that sets the version, for `workspace = true`.
    workspace_line: Option<u32>,
}

impl fmt::Display for Declaration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.path, self.line)?;
        match self.workspace_line {
            Some(line) => write!(f, ", its version at {MANIFEST}:{line}"),
            None => Ok(()),
        }
    }
}

impl Manifests {
    /// Reads the root's manifest, its workspace's members, and their path dependencies.
    pub(super) fn read(root: &Path) -> Manifests {
        let mut manifests = Manifests::default();
        let Ok(text) = std::fs::read_to_string(root.join(MANIFEST)) else { return manifests };
        let Ok(document) = DeTable::parse(&text) else { return manifests };
        let workspace = table(document.get_ref(), "workspace");
        let shared = workspace.and_then(|workspace| table(workspace, "dependencies"));
        let shared = shared.map(|shared| shared_dependencies(&text, shared)).unwrap_or_default();

        let mut queue = VecDeque::from([PathBuf::new()]);
        let members =
            workspace.and_then(|workspace| workspace.get("members")?.get_ref().as_array());
        for member in members.into_iter().flatten().filter_map(|member| member.get_ref().as_str()) {
            queue.extend(expand(root, member));
        }
        queue.extend(shared.values().filter_map(|shared| shared.path.clone()));
        let mut seen = BTreeSet::new();
        while let Some(folder) = queue.pop_front() {
            if seen.len() == MAX_MANIFESTS {
                break;
            }
            if seen.insert(folder.clone()) {
                queue.extend(manifests.add(root, &folder, &shared).unwrap_or_default());
            }
        }
        manifests
    }

    /// Whether the manifest of a package of this name was found.
    pub(super) fn has(&self, name: &str) -> bool {
        self.own.contains(name)
    }

    /// Where the first dependency of a route is declared.
    pub(super) fn declaration(&self, route: &[&Package]) -> Option<Declaration> {
        // The last of the project's own packages on the way is the one that goes outside.
        let own = route.iter().rposition(|package| package.is_own())?;
        let dependency = route.get(own + 1)?;
        let key = (route[own].name().to_owned(), dependency.name().to_owned());
        self.declared.get(&key).cloned()
    }

    /// Adds one manifest's declarations; gives the folders of its path dependencies.
    fn add(
        &mut self,
        root: &Path,
        folder: &Path,
        shared: &BTreeMap<String, Shared>,
    ) -> Option<Vec<PathBuf>> {
        let path = folder.join(MANIFEST);
        let text = std::fs::read_to_string(root.join(&path)).ok()?;
        let document = DeTable::parse(&text).ok()?;
        let document = document.get_ref();
        let package = table(document, "package")?.get("name")?.get_ref().as_str()?.to_owned();
        let shown: Vec<_> =
            path.components().map(|part| part.as_os_str().to_string_lossy()).collect();
        let shown = shown.join("/");
        let targets = table(document, "target").into_iter().flatten();
        let tables = targets.filter_map(|(_, target)| target.get_ref().as_table());
        let mut folders = Vec::new();
        for table_of_kinds in std::iter::once(document).chain(tables) {
            for kind in ["dependencies", "build-dependencies", "dev-dependencies"] {
                for (key, value) in table(table_of_kinds, kind).into_iter().flatten() {
                    let details = value.get_ref().as_table();
                    let text_of =
                        |name| details.and_then(|details| details.get(name)?.get_ref().as_str());
                    let is_shared = details
                        .and_then(|details| details.get("workspace")?.get_ref().as_bool())
                        .unwrap_or(false);
                    let shared = shared.get(key.get_ref().as_ref()).filter(|_| is_shared);
                    let name = text_of("package")
                        .or_else(|| shared.map(|shared| shared.package.as_str()))
                        .unwrap_or(key.get_ref());
                    let declaration = Declaration {
                        path: shown.clone(),
                        line: line_at(&text, key.span().start),
                        workspace_line: shared.map(|shared| shared.line),
                    };
                    self.declared.entry((package.clone(), name.to_owned())).or_insert(declaration);
                    folders.extend(text_of("path").map(|path| normal(&folder.join(path))));
                }
            }
        }
        Some(folders)
    }
}

/// An entry of `[workspace.dependencies]`.
#[derive(Debug)]
struct Shared {
    package: String,
    path: Option<PathBuf>,
    line: u32,
}

fn shared_dependencies(text: &str, table: &DeTable<'_>) -> BTreeMap<String, Shared> {
    table
        .iter()
        .map(|(key, value)| {
            let details = value.get_ref().as_table();
            let text_of = |name| details.and_then(|details| details.get(name)?.get_ref().as_str());
            let shared = Shared {
                package: text_of("package").unwrap_or(key.get_ref()).to_owned(),
                path: text_of("path").map(|path| normal(Path::new(path))),
                line: line_at(text, key.span().start),
            };
            (key.get_ref().to_string(), shared)
        })
        .collect()
}

fn table<'a, 'i>(table: &'a DeTable<'i>, key: &str) -> Option<&'a DeTable<'i>> {
    table.get(key).map(Spanned::get_ref).and_then(DeValue::as_table)
}

/// A path without `.`, and with `..` only at its start, where it leads out of the root.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if normal.file_name().is_some() => {
                normal.pop();
            }
            part => normal.push(part),
        }
    }
    normal
}

/// The folders that a member pattern such as `crates/*` names. `*` and `?` match within a part.
fn expand(root: &Path, pattern: &str) -> Vec<PathBuf> {
    let mut folders = vec![PathBuf::new()];
    for part in pattern.split('/').filter(|part| !part.is_empty() && *part != ".") {
        folders = folders
            .into_iter()
            .flat_map(|folder| {
                if !part.contains(['*', '?']) {
                    return vec![folder.join(part)];
                }
                let entries = root.join(&folder).read_dir().into_iter().flatten().flatten();
                let mut matching: Vec<PathBuf> = entries
                    .filter(|entry| is_match(part.as_bytes(), entry.file_name().as_encoded_bytes()))
                    .map(|entry| folder.join(entry.file_name()))
                    .collect();
                matching.sort_unstable();
                matching
            })
            .collect();
    }
    folders
}

fn is_match(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern, name) {
        ([], []) => true,
        ([b'*', rest @ ..], _) => {
            is_match(rest, name) || (!name.is_empty() && is_match(pattern, &name[1..]))
        }
        ([b'?', rest @ ..], [_, name @ ..]) => is_match(rest, name),
        ([p, rest @ ..], [n, name @ ..]) => p == n && is_match(rest, name),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_within_a_part() {
        for (pattern, name, expected) in [
            ("*", "a", true),
            ("a*c", "abbc", true),
            ("a*c", "ab", false),
            ("?", "ab", false),
            ("x-?", "x-1", true),
        ] {
            assert_eq!(is_match(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn paths_are_made_plain() {
        assert_eq!(normal(Path::new("a/../b/./c")), PathBuf::from("b/c"));
        assert_eq!(normal(Path::new("a/../../b")), PathBuf::from("../b"));
    }
}

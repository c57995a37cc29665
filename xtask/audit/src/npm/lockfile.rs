//! `package-lock.json`, versions 1 to 3, with the line of every entry.

use crate::text::{conflict_line, line_number};
use anyhow::Context;
use report::{Fault, Place};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::path::Path;

pub(crate) const LOCK_FILE: &str = "package-lock.json";
pub(crate) const MANIFEST: &str = "package.json";

/// Largest file that is read: lock files of 3,000 packages have 1.5 MB.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

const REMEDY: &str = "restore it with `git checkout -- package-lock.json`, or make it anew with `npm install --package-lock-only`";

/// The kinds of dependencies that npm installs or expects.
pub(super) const KINDS: [&str; 4] =
    ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"];

/// A whole lock file.
#[derive(Debug)]
pub(super) struct Locked {
    pub(super) entries: Vec<Entry>,
    /// What the lock file says of the project itself (folder "") and of its workspaces, by folder;
    /// nothing in version 1.
    pub(super) projects: BTreeMap<String, Map<String, Value>>,
    /// The project's name, to begin routes with.
    name: String,
}

/// One entry: a folder below `node_modules`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Entry {
    /// `node_modules/a/node_modules/b`.
    #[serde(skip)]
    pub(super) key: String,
    /// 1-based.
    #[serde(skip)]
    line: u32,
    /// Only for an alias: the package that really is installed.
    name: Option<String>,
    pub(super) version: Option<String>,
    pub(super) resolved: Option<String>,
    pub(super) integrity: Option<String>,
    link: bool,
    #[serde(alias = "bundled")]
    in_bundle: bool,
    pub(super) has_install_script: bool,
    dependencies: BTreeMap<String, Value>,
    optional_dependencies: BTreeMap<String, Value>,
    peer_dependencies: BTreeMap<String, Value>,
    /// Version 1 names dependencies so.
    requires: Value,
}

impl Entry {
    /// The package's name, whatever its folder is called.
    pub(super) fn name(&self) -> &str {
        self.name.as_deref().unwrap_or_else(|| self.folder())
    }

    fn folder(&self) -> &str {
        self.key.rsplit_once("node_modules/").map_or(&self.key, |(_, name)| name)
    }

    pub(super) fn version(&self) -> &str {
        self.version.as_deref().unwrap_or("?")
    }

    pub(super) fn place(&self) -> Place {
        Place::line(LOCK_FILE, self.line)
    }

    /// Whether it is fetched from somewhere: not a workspace of the project, a link to one, or part
    /// of another package's archive.
    fn is_installed(&self) -> bool {
        self.key.contains("node_modules/") && !self.link && !self.in_bundle
    }

    fn requirements(&self) -> impl Iterator<Item = &str> {
        let requires = self.requires.as_object().into_iter().flat_map(Map::keys);
        let tables = [&self.dependencies, &self.optional_dependencies, &self.peer_dependencies];
        tables.into_iter().flat_map(BTreeMap::keys).chain(requires).map(String::as_str)
    }
}

impl Locked {
    pub(super) fn load(root: &Path) -> anyhow::Result<Locked> {
        let text = read(root, LOCK_FILE)?;
        let document: Value = parse(&text, LOCK_FILE)?;
        let version = document.get("lockfileVersion").and_then(Value::as_u64);
        let lines = key_lines(&text);
        let mut flat = Vec::new();
        let mut projects = BTreeMap::new();
        match (version, document.get("packages"), document.get("dependencies")) {
            (Some(2 | 3), Some(Value::Object(packages)), _) => {
                flat.extend(packages.iter().map(|(key, value)| (key.clone(), value)));
                let own = packages.iter().filter(|(key, _)| is_own(key));
                projects.extend(
                    own.filter_map(|(key, value)| Some((key.clone(), value.as_object()?.clone()))),
                );
            }
            (Some(1), None, dependencies) => {
                nested(dependencies, "", &mut flat);
            }
            _ => {
                return Err(Fault::usage(format!(
                    "{LOCK_FILE}:1: expected a lock file of version 1, 2 or 3, found version {}; {REMEDY}",
                    version.map_or("none".to_owned(), |version| version.to_string())
                ))
                .into());
            }
        }
        let is_flat = version != Some(1);
        let mut entries = Vec::new();
        for (key, value) in flat.into_iter().filter(|(key, _)| !key.is_empty()) {
            let name = key.rsplit_once("node_modules/").map_or(key.as_str(), |(_, name)| name);
            let line = lines.get(if is_flat { key.as_str() } else { name }).copied().unwrap_or(1);
            let mut value = value.clone();
            if let (false, Some(object)) = (is_flat, value.as_object_mut()) {
                // In version 1 these are the nested entries themselves, listed on their own.
                object.remove("dependencies");
            }
            let entry: Entry = serde_json::from_value(value).map_err(|error| {
                Fault::usage(format!(
                    "{LOCK_FILE}:{line}: the entry {key:?} cannot be read: {error}; {REMEDY}"
                ))
            })?;
            entries.push(Entry { key, line, ..entry });
        }
        let name = document.get("name").and_then(Value::as_str).unwrap_or("the project").to_owned();
        Ok(Locked { entries, projects, name })
    }

    /// The entries that are fetched from somewhere.
    pub(super) fn installed(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.is_installed())
    }

    /// The shortest way from the project to each entry, as `app > express > qs`, by key.
    pub(super) fn routes(&self) -> HashMap<&str, String> {
        let by_key: HashMap<&str, &Entry> =
            self.entries.iter().map(|entry| (entry.key.as_str(), entry)).collect();
        let mut routes: HashMap<&str, String> = HashMap::new();
        let mut queue = VecDeque::new();
        let kinds =
            self.projects.get("").into_iter().flat_map(|project| {
                KINDS.iter().filter_map(|kind| project.get(*kind)?.as_object())
            });
        let direct: BTreeSet<&str> = kinds.flat_map(Map::keys).map(String::as_str).collect();
        let workspaces = self.entries.iter().filter(|entry| !entry.key.contains("node_modules/"));
        for workspace in workspaces {
            routes.insert(&workspace.key, workspace.name().to_owned());
            queue.push_back(workspace);
        }
        for entry in
            direct.iter().filter_map(|name| by_key.get(format!("node_modules/{name}").as_str()))
        {
            routes.insert(&entry.key, format!("{} > {}", self.name, entry.name()));
            queue.push_back(entry);
        }
        while let Some(entry) = queue.pop_front() {
            let before = routes.get(entry.key.as_str()).cloned().unwrap_or_default();
            for next in entry.requirements().filter_map(|name| resolve(&by_key, &entry.key, name)) {
                if !routes.contains_key(next.key.as_str()) {
                    routes.insert(&next.key, format!("{before} > {}", next.name()));
                    queue.push_back(next);
                }
            }
        }
        routes
    }
}

/// Whether an entry is of the project itself or one of its workspaces. Only folders below the root
/// are: a lock file may say anything.
fn is_own(key: &str) -> bool {
    let is_inside = !key.starts_with('/') && key.split('/').all(|part| part != "..");
    is_inside && !key.contains("node_modules/")
}

/// The entry that a `require` of this name finds, as Node looks it up: in the nearest
/// `node_modules` on the way up.
fn resolve<'a>(by_key: &HashMap<&str, &'a Entry>, from: &str, name: &str) -> Option<&'a Entry> {
    let mut folder = from;
    loop {
        let key = if folder.is_empty() {
            format!("node_modules/{name}")
        } else {
            format!("{folder}/node_modules/{name}")
        };
        if let Some(entry) = by_key.get(key.as_str()) {
            return Some(entry);
        }
        if folder.is_empty() {
            return None;
        }
        folder = folder.rsplit_once("/node_modules/").map_or("", |(folder, _)| folder);
    }
}

/// The entries of version 1, in which each holds those below it.
fn nested<'a>(dependencies: Option<&'a Value>, folder: &str, flat: &mut Vec<(String, &'a Value)>) {
    for (name, value) in dependencies.and_then(Value::as_object).into_iter().flatten() {
        let key = format!("{folder}node_modules/{name}");
        flat.push((key.clone(), value));
        nested(value.get("dependencies"), &format!("{key}/"), flat);
    }
}

/// The text of a file at the project's root.
///
/// # Errors
/// Exit 2 when it cannot be read, is too large, or holds conflict markers.
pub(super) fn read(root: &Path, name: &str) -> anyhow::Result<String> {
    let path = root.join(name);
    let size = path.metadata().with_context(|| format!("failed to read {name}"))?.len();
    if size > MAX_BYTES {
        return Err(
            Fault::usage(format!("{name} has {size} bytes, expected at most {MAX_BYTES}")).into()
        );
    }
    let text = std::fs::read_to_string(&path)
        .map_err(|error| Fault::usage(format!("failed to read {name}: {error}")))?;
    match conflict_line(&text) {
        Some(line) => Err(Fault::usage(format!(
            "{name}:{line}: a merge conflict stands here; settle {MANIFEST} first, then run `npm install --package-lock-only`"
        ))
        .into()),
        None => Ok(text),
    }
}

/// # Errors
/// Exit 2 when the text is not JSON, as when the file is cut off.
pub(super) fn parse(text: &str, name: &str) -> anyhow::Result<Value> {
    serde_json::from_str(text).map_err(|error| {
        let what = if error.is_eof() { "the file is cut off" } else { "the file is damaged" };
        let remedy = if name == LOCK_FILE { REMEDY } else { "mend it, then run `npm install`" };
        Fault::usage(format!(
            "{name}:{}:{}: {what}: {error}; {remedy}",
            error.line(),
            error.column()
        ))
        .into()
    })
}

/// The line of each key that opens an object, the first of its name.
fn key_lines(text: &str) -> HashMap<String, u32> {
    let mut lines = HashMap::new();
    for (index, line) in text.lines().enumerate() {
        let key = line
            .trim()
            .strip_suffix('{')
            .map(str::trim_end)
            .and_then(|line| line.strip_suffix(':'));
        if let Some(Ok(key)) = key.map(|key| serde_json::from_str::<String>(key.trim_end())) {
            lines.entry(key).or_insert_with(|| line_number(index));
        }
    }
    lines
}

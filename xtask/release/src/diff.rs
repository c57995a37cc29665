//! What is different between two releases: files, headers, the server.

use crate::{CacheClass, FileEntry, Manifest, ServerEntry};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What is different between two releases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Sorted by path.
    pub files: Vec<FileChange>,
    /// By name: the header's value in either release.
    pub headers: BTreeMap<String, Sides<String>>,
    /// What else is different, by name: `commit`, `server.sha256`, `lockfile Cargo.lock`.
    pub facts: BTreeMap<String, Sides<String>>,
}

/// A file that is not the same in both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileChange {
    pub path: String,
    pub kind: ChangeKind,
    pub size_bytes: Sides<u64>,
    /// How the same contents are sent in either release, as far as that is different: `cache`,
    /// `content type`, `variants`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub sent: BTreeMap<String, Sides<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeKind {
    Added,
    Removed,
    /// Other contents.
    Changed,
    /// The same contents, sent otherwise: content type, cache class or variants.
    Sent,
}

/// Something in either release; `None` where it is not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sides<T> {
    pub before: Option<T>,
    pub after: Option<T>,
}

impl Difference {
    /// What is different in `after`.
    pub fn of(before: &Manifest, after: &Manifest) -> Difference {
        let files = both(files(before), files(after));
        let files = files.filter_map(|(path, sides)| FileChange::of(path, &sides));
        let headers = both(before.headers.iter(), after.headers.iter());
        let headers = headers
            .filter(|(_, sides)| sides.before != sides.after)
            .map(|(name, sides)| (name.clone(), sides.cloned()));
        let facts =
            both(facts(before), facts(after)).filter(|(_, sides)| sides.before != sides.after);
        Difference { files: files.collect(), headers: headers.collect(), facts: facts.collect() }
    }

    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.headers.is_empty() && self.facts.is_empty()
    }
}

impl FileChange {
    fn of(path: &str, sides: &Sides<&FileEntry>) -> Option<FileChange> {
        let kind = match (sides.before, sides.after) {
            (None, _) => ChangeKind::Added,
            (_, None) => ChangeKind::Removed,
            (Some(before), Some(after)) if before.sha256 != after.sha256 => ChangeKind::Changed,
            (Some(before), Some(after)) if before != after => ChangeKind::Sent,
            _ => return None,
        };
        let size = |entry: Option<&FileEntry>| entry.map(|entry| entry.size_bytes);
        let size_bytes = Sides { before: size(sides.before), after: size(sides.after) };
        let sent = match (kind, sides.before, sides.after) {
            (ChangeKind::Sent, Some(before), Some(after)) => {
                let sent = both(sending(before), sending(after));
                sent.filter(|(_, sides)| sides.before != sides.after).collect()
            }
            _ => BTreeMap::new(),
        };
        Some(FileChange { path: path.to_owned(), kind, size_bytes, sent })
    }
}

/// How a file is sent.
fn sending(file: &FileEntry) -> impl Iterator<Item = (String, String)> {
    let cache = match file.cache {
        CacheClass::Immutable => "immutable",
        CacheClass::Revalidate => "revalidate",
    };
    let variants = file.variants.iter();
    let variants = variants.map(|it| format!("{} ({} B)", it.encoding.token(), it.size_bytes));
    let variants = variants.collect::<Vec<_>>().join(", ");
    [
        ("cache", cache.to_owned()),
        ("content type", file.content_type.clone()),
        ("variants", if variants.is_empty() { "none".to_owned() } else { variants }),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
}

impl<T: Clone> Sides<&T> {
    fn cloned(&self) -> Sides<T> {
        Sides { before: self.before.cloned(), after: self.after.cloned() }
    }
}

fn files(manifest: &Manifest) -> impl Iterator<Item = (&str, &FileEntry)> {
    manifest.files.iter().map(|file| (file.path.as_str(), file))
}

/// Every key of either, sorted, with what either has for it.
fn both<K: Ord + Clone, V>(
    before: impl Iterator<Item = (K, V)>,
    after: impl Iterator<Item = (K, V)>,
) -> impl Iterator<Item = (K, Sides<V>)> {
    let (mut before, mut after): (BTreeMap<K, V>, BTreeMap<K, V>) =
        (before.collect(), after.collect());
    let keys: BTreeSet<K> = before.keys().chain(after.keys()).cloned().collect();
    keys.into_iter().map(move |key| {
        let sides = Sides { before: before.remove(&key), after: after.remove(&key) };
        (key, sides)
    })
}

fn facts(manifest: &Manifest) -> impl Iterator<Item = (String, String)> {
    let mut facts = vec![
        ("project".to_owned(), manifest.project.clone()),
        ("compression".to_owned(), manifest.compression.clone()),
    ];
    let optional = [("commit", &manifest.commit), ("created", &manifest.created)];
    facts.extend(
        optional.into_iter().filter_map(|(name, value)| {
            value.as_ref().map(|value| (name.to_owned(), value.clone()))
        }),
    );
    if manifest.has_uncommitted_changes {
        facts.push(("uncommitted changes".to_owned(), "yes".to_owned()));
    }
    let toolchain = manifest.toolchain.iter();
    facts.extend(toolchain.map(|(name, value)| (format!("toolchain {name}"), value.clone())));
    let lockfiles = manifest.lockfiles.iter();
    facts.extend(lockfiles.map(|(name, value)| (format!("lockfile {name}"), value.to_string())));
    facts.extend(manifest.server.iter().flat_map(server));
    facts.into_iter()
}

fn server(server: &ServerEntry) -> Vec<(String, String)> {
    let mut facts = vec![
        ("server.path".to_owned(), server.path.clone()),
        ("server.size_bytes".to_owned(), server.size_bytes.to_string()),
        ("server.sha256".to_owned(), server.sha256.to_string()),
        ("server.args".to_owned(), server.args.join(" ")),
        ("server.ready".to_owned(), server.ready.clone()),
        ("server.listen_env".to_owned(), server.listen_env.clone()),
    ];
    if let Some(schema) = server.schema {
        facts.push(("server.schema.version".to_owned(), schema.version.to_string()));
        facts.push(("server.schema.keeps".to_owned(), schema.keeps.to_string()));
    }
    let env = server.env.iter();
    facts.extend(env.map(|(name, value)| (format!("server.env {name}"), value.clone())));
    facts
}

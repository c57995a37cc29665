//! The manifest: all that is known about a release, in JSON that the same sources give byte for
//! byte.
//!
//! Invariants: files are sorted by path and unique; paths are relative, with `/` between their
//! parts, and stay inside the release; the id is made from the manifest's own contents, so a
//! manifest that was changed no longer has its id.

use crate::{CacheClass, ReleaseError, ReleaseId, Sha256};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// Version of the manifest's format. 2 added the toolchain and the lockfiles.
pub const MANIFEST_VERSION: u32 = 2;

/// The oldest version that is read.
const OLDEST_VERSION: u32 = 1;

/// What a release is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`MANIFEST_VERSION`] of the writer.
    pub version: u32,
    pub id: ReleaseId,
    /// The project's name.
    pub project: String,
    /// The commit that it was built from, if it was built from one.
    pub commit: Option<String>,
    /// The commit's date: RFC 3339, UTC.
    pub created: Option<String>,
    /// Whether the checkout held changes that are not in the commit.
    pub has_uncommitted_changes: bool,
    /// What it was built with: program to what that says of its version. Since version 2.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub toolchain: BTreeMap<String, String>,
    /// Digests of the lockfiles at the project's root, by name. Since version 2.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub lockfiles: BTreeMap<String, Sha256>,
    /// How the variants were made: encoders, their levels, and the rule that keeps one.
    pub compression: String,
    /// Response headers of the policy, lowercase name to value.
    pub headers: BTreeMap<String, String>,
    pub server: Option<ServerEntry>,
    /// Sorted by path.
    pub files: Vec<FileEntry>,
}

/// A static file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// Relative to `site/`: `index.html`, `assets/app.css`.
    pub path: String,
    pub size_bytes: u64,
    pub sha256: Sha256,
    /// Value of the `content-type` header.
    pub content_type: String,
    pub cache: CacheClass,
    /// The same contents, precompressed, where that saves; in the order of [`Encoding::ALL`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variants: Vec<Variant>,
}

/// A file's contents in a content coding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    pub encoding: Encoding,
    /// Relative to `site/`: the file's path and the encoding's extension.
    pub path: String,
    pub size_bytes: u64,
    pub sha256: Sha256,
}

/// The release's server process, and how it is started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerEntry {
    /// The binary, relative to the release: `server/beacon`.
    pub path: String,
    pub size_bytes: u64,
    pub sha256: Sha256,
    pub args: Vec<String>,
    /// Environment that it is started with; declared in `xtask.toml`, so never secrets.
    pub env: BTreeMap<String, String>,
    /// Path that answers 2xx when the server is ready.
    pub ready: String,
    /// Name of the environment variable that tells it where to listen, as `127.0.0.1:PORT`.
    pub listen_env: String,
    /// The database's schema that it works with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<config::Schema>,
}

/// A content coding (IANA's names).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// Brotli, RFC 7932.
    Br,
    /// Zstandard, RFC 8878.
    Zstd,
    /// RFC 1952.
    Gzip,
}

impl Encoding {
    /// In the order in which a manifest lists them.
    pub const ALL: [Encoding; 3] = [Encoding::Br, Encoding::Zstd, Encoding::Gzip];

    /// The name in `accept-encoding` and `content-encoding`.
    pub fn token(self) -> &'static str {
        match self {
            Encoding::Br => "br",
            Encoding::Zstd => "zstd",
            Encoding::Gzip => "gzip",
        }
    }

    /// What a variant's file name ends in.
    pub fn extension(self) -> &'static str {
        match self {
            Encoding::Br => "br",
            Encoding::Zstd => "zst",
            Encoding::Gzip => "gz",
        }
    }
}

impl Manifest {
    /// The id that these contents give: all but the id itself counts.
    pub fn contents_id(&self) -> Result<ReleaseId, serde_json::Error> {
        // Struct fields are written in the order of their declaration, and the maps are sorted.
        let first = (
            self.version,
            &self.project,
            &self.commit,
            &self.created,
            self.has_uncommitted_changes,
            &self.compression,
            &self.headers,
            &self.server,
            &self.files,
        );
        let json = if self.version == 1 {
            serde_json::to_vec(&first)?
        } else {
            serde_json::to_vec(&(first, &self.toolchain, &self.lockfiles))?
        };
        Ok(ReleaseId::new(self.created.as_deref(), &Sha256::of(&json)))
    }

    /// The JSON that `manifest.json` holds.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self).map(|json| json + "\n")
    }

    /// Reads a manifest and checks all that can be checked without the files; `path` is where it
    /// came from, for the errors.
    ///
    /// # Errors
    /// When it is not JSON, not a manifest, of a version that is not known, when a path leaves the release, or
    /// when its id is not the one that its contents give.
    pub fn parse(json: &[u8], path: &Path) -> Result<Manifest, ReleaseError> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u64,
        }
        let malformed = |reason: String| ReleaseError::Malformed { path: path.into(), reason };
        let supported = u64::from(OLDEST_VERSION)..=u64::from(MANIFEST_VERSION);
        let parsed = serde_json::from_slice::<Manifest>(json);
        let version = match &parsed {
            Ok(manifest) => u64::from(manifest.version),
            // Of a later version, perhaps, with more in it.
            Err(_) => match serde_json::from_slice::<Versioned>(json) {
                Ok(Versioned { version }) => version,
                Err(error) => return Err(malformed(error.to_string())),
            },
        };
        if !supported.contains(&version) {
            return Err(ReleaseError::Version {
                path: path.into(),
                expected: MANIFEST_VERSION,
                found: version,
            });
        }
        let manifest = parsed.map_err(|error| malformed(error.to_string()))?;
        if version == 1 && !(manifest.toolchain.is_empty() && manifest.lockfiles.is_empty()) {
            return Err(malformed("version 1 has neither toolchain nor lockfiles".to_owned()));
        }
        if let Some(entry) = manifest.paths().find(|entry| !is_inside(entry)) {
            return Err(ReleaseError::UnsafePath { path: path.into(), entry: entry.to_owned() });
        }
        if let Some(pair) = manifest.files.windows(2).find(|pair| pair[0].path >= pair[1].path) {
            return Err(malformed(format!(
                "expected files sorted by path, found {:?} before {:?}",
                pair[0].path, pair[1].path
            )));
        }
        let id = manifest.contents_id().map_err(|error| malformed(error.to_string()))?;
        if id != manifest.id {
            return Err(ReleaseError::Id {
                path: path.into(),
                expected: id.into(),
                found: manifest.id.into(),
            });
        }
        Ok(manifest)
    }

    /// The file with this path.
    pub fn file(&self, path: &str) -> Option<&FileEntry> {
        self.files.get(self.place(path)?)
    }

    /// The place among the files of the one with this path.
    pub(crate) fn place(&self, path: &str) -> Option<usize> {
        self.files.binary_search_by(|file| file.path.as_str().cmp(path)).ok()
    }

    /// Bytes that travel when every file is asked for once in this encoding; a file without that
    /// variant travels as it is. `None`: all as they are.
    pub fn transfer_bytes(&self, encoding: Option<Encoding>) -> u64 {
        let bytes = |file: &FileEntry| {
            let variant = file.variants.iter().find(|variant| Some(variant.encoding) == encoding);
            variant.map_or(file.size_bytes, |variant| variant.size_bytes)
        };
        self.files.iter().map(bytes).sum()
    }

    fn paths(&self) -> impl Iterator<Item = &str> {
        let variants = self.files.iter().flat_map(|file| &file.variants);
        self.files
            .iter()
            .map(|file| file.path.as_str())
            .chain(variants.map(|variant| variant.path.as_str()))
            .chain(self.server.iter().map(|server| server.path.as_str()))
    }
}

/// Whether a path is relative and each of its parts is a plain name.
fn is_inside(path: &str) -> bool {
    !path.contains('\0') && path.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn digest() -> impl Strategy<Value = Sha256> {
        any::<[u8; 8]>().prop_map(|bytes| Sha256::of(&bytes))
    }

    fn file() -> impl Strategy<Value = FileEntry> {
        let encodings = proptest::sample::subsequence(Encoding::ALL.to_vec(), 0..=3);
        (
            "[a-z é\n\"]{1,8}(/[a-z.]{0,3}[a-z]){0,2}",
            any::<u64>(),
            digest(),
            any::<bool>(),
            encodings,
        )
            .prop_map(|(path, size_bytes, sha256, is_immutable, encodings)| FileEntry {
                variants: encodings
                    .into_iter()
                    .map(|encoding| Variant {
                        encoding,
                        path: format!("{path}.{}", encoding.extension()),
                        size_bytes: size_bytes / 2,
                        sha256,
                    })
                    .collect(),
                path,
                size_bytes,
                sha256,
                content_type: "text/plain".into(),
                cache: if is_immutable { CacheClass::Immutable } else { CacheClass::Revalidate },
            })
    }

    fn manifest() -> impl Strategy<Value = Manifest> {
        let headers = proptest::collection::btree_map("[a-z-]{1,12}", ".{0,20}", 0..4);
        let files = proptest::collection::vec(file(), 0..6);
        let toolchain = proptest::collection::btree_map("[a-z]{1,6}", "[a-z .0-9]{1,12}", 0..3);
        let lockfiles = proptest::collection::btree_map("[a-z.]{1,9}", digest(), 0..3);
        let facts = (toolchain, lockfiles, OLDEST_VERSION..=MANIFEST_VERSION);
        (files, headers, proptest::option::of("[0-9a-f]{40}"), any::<bool>(), facts).prop_map(
            |(mut files, headers, commit, has_uncommitted_changes, facts)| {
                let (mut toolchain, mut lockfiles, version) = facts;
                if version == 1 {
                    toolchain.clear();
                    lockfiles.clear();
                }
                files.sort_by(|a, b| a.path.cmp(&b.path));
                files.dedup_by(|a, b| a.path == b.path);
                let mut manifest = Manifest {
                    version,
                    id: ReleaseId::new(None, &Sha256::of(b"")),
                    project: "beacon".into(),
                    created: commit.as_ref().map(|_| "2026-11-23T09:15:00Z".into()),
                    commit,
                    has_uncommitted_changes,
                    toolchain,
                    lockfiles,
                    compression: "none".into(),
                    headers,
                    server: None,
                    files,
                };
                manifest.id = manifest.contents_id().unwrap();
                manifest
            },
        )
    }

    proptest! {
        #[test]
        fn a_manifest_survives_its_json(manifest in manifest()) {
            let json = manifest.to_json().unwrap();
            let read = Manifest::parse(json.as_bytes(), Path::new("manifest.json")).unwrap();
            prop_assert_eq!(&read, &manifest);
            prop_assert_eq!(read.to_json().unwrap(), json);
        }

        #[test]
        fn a_changed_manifest_no_longer_has_its_id(manifest in manifest(), name in "[a-z]{1,9}") {
            prop_assume!(name != manifest.project);
            let changed = Manifest { project: name, ..manifest };
            let error = Manifest::parse(changed.to_json().unwrap().as_bytes(), Path::new("m"));
            let is_refused = matches!(error, Err(ReleaseError::Id { .. }));
            prop_assert!(is_refused);
        }
    }

    #[test]
    fn a_path_that_leaves_the_release_is_refused() {
        for path in ["/etc/passwd", "../x", "a//b", "a/./b", "a/..", "", "a\0b"] {
            assert!(!is_inside(path), "{path:?}");
        }
        assert!(is_inside("assets/..app.css"));
    }

    #[test]
    fn nothing_can_hide_in_an_old_version() {
        let mut manifest = Manifest {
            version: 1,
            id: ReleaseId::new(None, &Sha256::of(b"")),
            project: "beacon".into(),
            commit: None,
            created: None,
            has_uncommitted_changes: false,
            toolchain: BTreeMap::new(),
            lockfiles: BTreeMap::new(),
            compression: "none".into(),
            headers: BTreeMap::new(),
            server: None,
            files: Vec::new(),
        };
        manifest.id = manifest.contents_id().unwrap();
        let parse = |manifest: &Manifest| {
            Manifest::parse(manifest.to_json().unwrap().as_bytes(), Path::new("m"))
        };
        assert_eq!(parse(&manifest).unwrap(), manifest);
        manifest.toolchain.insert("rustc".into(), "rustc 1.95.0".into());
        assert!(matches!(parse(&manifest), Err(ReleaseError::Malformed { .. })));
    }

    #[test]
    fn a_manifest_of_a_later_version_says_so() {
        let error = Manifest::parse(br#"{"version": 3, "new": 1}"#, Path::new("m")).unwrap_err();
        assert_eq!(error.to_string(), "m: expected manifest version 2 or older, found 3");
    }
}

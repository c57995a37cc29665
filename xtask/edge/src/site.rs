//! The static files of a release, proved and made ready to send: nothing is looked up, digested or
//! negotiated on disk when a request comes.
//!
//! Invariant: only paths of the manifest are routes, so no request can name another file.

use crate::negotiate::{self, Choice};
use crate::policy::Policy;
use anyhow::Context;
use hyper::HeaderMap;
use hyper::body::Bytes;
use hyper::header::{
    ACCEPT_ENCODING, ACCEPT_RANGES, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE,
    ETAG, HeaderValue, VARY,
};
use release::make::in_parallel;
use release::{CacheClass, Encoding, FileEntry, Release, ReleaseError, Sha256};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Larger files are read from the disk as they are sent.
const MAX_FILE_BYTES_IN_MEMORY: u64 = 1024 * 1024;

/// All files in memory together: what a small machine has to spare.
const MAX_BYTES_IN_MEMORY: u64 = 128 * 1024 * 1024;

/// Digits of a digest in an entity tag: 128 bits, beyond any accident.
const ETAG_DIGITS: usize = 32;

/// The static files of a release.
#[derive(Debug, Default)]
pub struct Site {
    files: HashMap<String, Arc<File>>,
}

/// What a path of a request leads to.
#[derive(Debug, Clone)]
pub enum Route<'a> {
    File(&'a Arc<File>),
    /// A folder without the `/` at its end.
    Folder,
}

/// A static file in all its codings.
#[derive(Debug, Clone)]
pub struct File {
    /// Its name changes with its contents.
    is_immutable: bool,
    identity: Representation,
    /// From the smallest to the largest.
    variants: Vec<(Encoding, Representation)>,
    encodings: Vec<Encoding>,
}

/// A static file in one coding.
#[derive(Debug, Clone)]
pub struct Representation {
    /// All the headers of a 200.
    pub headers: HeaderMap,
    /// Quoted, strong.
    pub etag: String,
    pub size_bytes: u64,
    pub is_identity: bool,
    pub contents: Contents,
}

/// Where the bytes are.
#[derive(Debug, Clone)]
pub enum Contents {
    Memory(Bytes),
    Disk(PathBuf),
}

impl Site {
    /// Proves every file of a release and makes it ready.
    ///
    /// # Errors
    /// When a file is not what the manifest says.
    pub fn load(release: &Release, policy: &Policy) -> anyhow::Result<Site> {
        let loader = Loader { release, policy, in_memory: AtomicU64::new(0) };
        let files = in_parallel(&release.manifest().files, |file| {
            loader.file(file).map(|loaded| (format!("/{}", file.path), Arc::new(loaded)))
        })?;
        Ok(Site { files: files.into_iter().collect() })
    }

    /// The immutable file at a decoded path: whatever release it is asked from, it is the same.
    pub fn asset(&self, path: &str) -> Option<&Arc<File>> {
        self.files.get(path).filter(|file| file.is_immutable)
    }

    /// What a page of this release that is still open somewhere may ask for once the release is gone:
    /// the immutable files. Nothing of them is held in memory.
    pub fn retire(&self, release: &Release) -> Site {
        let on_disk = |representation: &Representation, path: &str| Representation {
            contents: Contents::Disk(release.site_path(path)),
            ..representation.clone()
        };
        let retire = |entry: &FileEntry| {
            let file = self.asset(&format!("/{}", entry.path))?;
            let variants = file.variants.iter().filter_map(|(encoding, variant)| {
                let entry = entry.variants.iter().find(|entry| entry.encoding == *encoding)?;
                Some((*encoding, on_disk(variant, &entry.path)))
            });
            let retired = File {
                is_immutable: true,
                identity: on_disk(&file.identity, &entry.path),
                variants: variants.collect(),
                encodings: file.encodings.clone(),
            };
            Some((format!("/{}", entry.path), Arc::new(retired)))
        };
        Site { files: release.manifest().files.iter().filter_map(retire).collect() }
    }

    /// What a decoded path leads to: a file; the index of a folder; a page that is asked for
    /// without its `.html`, as static site generators link to it.
    pub fn route(&self, path: &str) -> Option<Route<'_>> {
        if let Some(file) = self.files.get(path) {
            return Some(Route::File(file));
        }
        if path.ends_with('/') {
            return self.files.get(&format!("{path}index.html")).map(Route::File);
        }
        if let Some(file) = self.files.get(&format!("{path}.html")) {
            return Some(Route::File(file));
        }
        self.files.contains_key(&format!("{path}/index.html")).then_some(Route::Folder)
    }
}

impl File {
    /// The representation that a client wants; `None` when it refuses all.
    pub fn negotiate(&self, request: &HeaderMap) -> Option<&Representation> {
        let fields = request.get_all(ACCEPT_ENCODING).iter().filter_map(|it| it.to_str().ok());
        match negotiate::choose(fields, &self.encodings) {
            Choice::Identity => Some(&self.identity),
            Choice::NotAcceptable => None,
            Choice::Encoded(wanted) => self
                .variants
                .iter()
                .find(|(encoding, _)| *encoding == wanted)
                .map(|(_, representation)| representation),
        }
    }
}

struct Loader<'a> {
    release: &'a Release,
    policy: &'a Policy,
    in_memory: AtomicU64,
}

impl Loader<'_> {
    fn file(&self, file: &FileEntry) -> anyhow::Result<File> {
        let headers = self.headers(file)?;
        let mut variants = file
            .variants
            .iter()
            .map(|variant| {
                let mut headers = headers.clone();
                let token = variant.encoding.token();
                headers.insert(CONTENT_ENCODING, HeaderValue::from_static(token));
                let tag = format!("\"{}-{token}\"", tag(file.sha256));
                let (size, sha256) = (variant.size_bytes, variant.sha256);
                self.representation(headers, tag, &variant.path, size, sha256)
                    .map(|representation| (variant.encoding, representation))
            })
            .collect::<anyhow::Result<Vec<_>>>()?;
        variants.sort_by_key(|(encoding, variant)| (variant.size_bytes, *encoding));
        let tag = format!("\"{}\"", tag(file.sha256));
        let mut identity =
            self.representation(headers, tag, &file.path, file.size_bytes, file.sha256)?;
        identity.is_identity = true;
        identity.headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        let encodings = variants.iter().map(|(encoding, _)| *encoding).collect();
        let is_immutable = file.cache == CacheClass::Immutable;
        Ok(File { is_immutable, identity, variants, encodings })
    }

    fn headers(&self, file: &FileEntry) -> anyhow::Result<HeaderMap> {
        let mut headers = HeaderMap::new();
        let content_type = HeaderValue::from_str(&file.content_type)
            .with_context(|| format!("the content type of {} cannot be sent", file.path))?;
        headers.insert(CONTENT_TYPE, content_type);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(file.cache.cache_control()));
        if !file.variants.is_empty() {
            headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        }
        self.policy.complete(&mut headers);
        Ok(headers)
    }

    fn representation(
        &self,
        mut headers: HeaderMap,
        etag: String,
        path: &str,
        size: u64,
        sha256: Sha256,
    ) -> anyhow::Result<Representation> {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(size));
        headers.insert(ETAG, HeaderValue::from_str(&etag)?);
        let contents = self.contents(path, size, sha256)?;
        Ok(Representation { headers, etag, size_bytes: size, is_identity: false, contents })
    }

    fn contents(&self, path: &str, size: u64, sha256: Sha256) -> Result<Contents, ReleaseError> {
        let fits = size <= MAX_FILE_BYTES_IN_MEMORY
            && self.in_memory.fetch_add(size, Ordering::Relaxed) + size <= MAX_BYTES_IN_MEMORY;
        if fits {
            return self.release.read(path, size, sha256).map(|it| Contents::Memory(it.into()));
        }
        let path = self.release.site_path(path);
        Release::check(&path, size, sha256)?;
        Ok(Contents::Disk(path))
    }
}

fn tag(sha256: Sha256) -> String {
    sha256.to_string()[..ETAG_DIGITS].to_owned()
}

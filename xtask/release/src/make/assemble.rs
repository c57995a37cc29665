//! The files of a release that is being made, in a folder aside.

use super::known::Known;
use super::parallel::in_parallel;
use super::reuse::{Earlier, EarlierFile};
use super::site::SiteFile;
use super::variants::{self, MAX_COMPRESSED_BYTES};
use super::{MakeError, ServerFile};
use crate::open::{SERVER, SITE};
use crate::{
    CacheClasses, Digester, Encoding, FileEntry, ReleaseError, Releases, ServerEntry, Sha256,
    Variant, content_type, is_compressible,
};
use config::Server;
use std::collections::HashSet;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A release's folder while its files are put into it.
#[derive(Debug)]
pub struct Assembly<'a> {
    folder: &'a Path,
    earlier: Earlier<'a>,
    taken: HashSet<&'a str>,
    classes: CacheClasses,
    reused_files: AtomicUsize,
}

impl<'a> Assembly<'a> {
    /// Of the files with these digests, in their order, in a folder that is empty.
    ///
    /// # Errors
    /// When the earlier releases cannot be listed.
    pub fn new(
        folder: &'a Path,
        files: &'a [SiteFile],
        digests: &[Sha256],
        releases: &Releases,
        known: &'a Known,
    ) -> Result<Assembly<'a>, ReleaseError> {
        let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
        let mut earlier = Earlier::open(releases, known)?;
        earlier.open_more(|earlier| {
            let missing = files.iter().zip(digests).filter(|(file, sha256)| {
                file.size_bytes <= MAX_COMPRESSED_BYTES
                    && is_compressible(&content_type(&file.path, true))
                    && earlier.file(**sha256).is_none()
            });
            missing.map(|(file, _)| file.size_bytes).sum()
        });
        Ok(Assembly {
            folder,
            earlier,
            taken: taken(files),
            classes: CacheClasses::of_site(&paths),
            reused_files: AtomicUsize::new(0),
        })
    }

    /// How many files, and their variants with them, were taken over from an earlier release.
    pub fn reused_files(&self) -> usize {
        self.reused_files.load(Ordering::Relaxed)
    }

    /// Puts the site's files there, with their variants. Gives them sorted by path.
    ///
    /// # Errors
    /// When one of them cannot be read or written.
    pub fn files(
        &self,
        files: &[SiteFile],
        digests: &[Sha256],
    ) -> Result<Vec<FileEntry>, ReleaseError> {
        // Sorted by path: a folder's files stand together.
        let mut last = None;
        for file in files {
            let folder = self.target(&file.path).parent().map(Path::to_path_buf);
            if folder != last {
                let folder = folder.as_deref().unwrap_or(self.folder);
                fs::create_dir_all(folder).map_err(ReleaseError::io("create", folder))?;
            }
            last = folder;
        }
        // The largest first, so that none of them is begun when all others are done.
        let mut largest_first: Vec<(&SiteFile, Sha256)> =
            files.iter().zip(digests.iter().copied()).collect();
        largest_first.sort_by_key(|(file, _)| std::cmp::Reverse(file.size_bytes));
        let mut entries = in_parallel(&largest_first, |(file, sha256)| self.file(file, *sha256))?;
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(entries)
    }

    fn file(&self, file: &SiteFile, sha256: Sha256) -> Result<FileEntry, ReleaseError> {
        if let Some(earlier) = self.earlier.file(sha256)
            && let Some(entry) = self.take_over(file, &earlier)?
        {
            self.reused_files.fetch_add(1, Ordering::Relaxed);
            return Ok(entry);
        }
        let target = self.target(&file.path);
        if file.size_bytes > MAX_COMPRESSED_BYTES {
            let (sha256, size_bytes) = copy(&file.source, &target)?;
            // Not read whole, so not known to be UTF-8 throughout.
            let kind = content_type(&file.path, false);
            return Ok(self.entry(file, size_bytes, sha256, kind, Vec::new()));
        }
        // What is read now counts, should it have changed since it was digested.
        let contents = fs::read(&file.source).map_err(ReleaseError::io("read", &file.source))?;
        write(&target, &contents)?;
        let sha256 = Sha256::of(&contents);
        let kind = content_type(&file.path, std::str::from_utf8(&contents).is_ok());
        let variants =
            if is_compressible(&kind) { self.variants(&file.path, &contents)? } else { Vec::new() };
        Ok(self.entry(file, contents.len() as u64, sha256, kind, variants))
    }

    /// The file and its variants as an earlier release has them; `None` when it has not all of them
    /// any more.
    fn take_over(
        &self,
        file: &SiteFile,
        earlier: &EarlierFile,
    ) -> Result<Option<FileEntry>, ReleaseError> {
        let same = earlier.entry();
        let kind = if same.size_bytes > MAX_COMPRESSED_BYTES {
            Some(content_type(&file.path, false))
        } else {
            earlier.content_type_at(&file.path)
        };
        let Some(kind) = kind else { return Ok(None) };
        let mut names = vec![(same.path.clone(), same.sha256, file.path.clone())];
        let mut variants = Vec::new();
        for variant in &same.variants {
            let path = format!("{}.{}", file.path, variant.encoding.extension());
            if !self.taken.contains(path.as_str()) {
                names.push((variant.path.clone(), variant.sha256, path.clone()));
                variants.push(Variant { path, ..variant.clone() });
            }
        }
        for (at, (from, sha256, to)) in names.iter().enumerate() {
            let source = earlier.release().site_path(from);
            if !self.earlier.link(&source, *sha256, &self.target(to))? {
                for (.., to) in names.iter().take(at) {
                    let path = self.target(to);
                    fs::remove_file(&path).map_err(ReleaseError::io("delete", &path))?;
                }
                return Ok(None);
            }
        }
        Ok(Some(self.entry(file, same.size_bytes, same.sha256, kind, variants)))
    }

    fn entry(
        &self,
        file: &SiteFile,
        size_bytes: u64,
        sha256: Sha256,
        content_type: String,
        variants: Vec<Variant>,
    ) -> FileEntry {
        let cache = self.classes.class(&file.path);
        FileEntry { path: file.path.clone(), size_bytes, sha256, content_type, cache, variants }
    }

    fn variants(&self, path: &str, contents: &[u8]) -> Result<Vec<Variant>, ReleaseError> {
        let mut variants = Vec::new();
        for encoding in Encoding::ALL {
            let name = format!("{path}.{}", encoding.extension());
            if self.taken.contains(name.as_str()) {
                continue;
            }
            let bytes = variants::encode(encoding, contents)
                .map_err(ReleaseError::io("compress", Path::new(path)))?;
            let Some(bytes) = bytes else { continue };
            write(&self.target(&name), &bytes)?;
            let (size_bytes, sha256) = (bytes.len() as u64, Sha256::of(&bytes));
            variants.push(Variant { encoding, path: name, size_bytes, sha256 });
        }
        Ok(variants)
    }

    /// Puts the server's binary there. Its mode becomes 0755: whether it can be run is what matters,
    /// and the rest is the accident of a umask that must not change the release.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub fn server(&self, file: &ServerFile, server: &Server) -> Result<ServerEntry, MakeError> {
        let folder = self.folder.join(SERVER);
        fs::create_dir_all(&folder).map_err(ReleaseError::io("create", &folder))?;
        let target = folder.join(&file.name);
        let earlier = self.earlier.server(file.sha256).and_then(|release| {
            Some((release.server_path()?, release.manifest().server.as_ref()?.size_bytes))
        });
        let linked = match earlier {
            Some((source, size_bytes)) if self.earlier.link(&source, file.sha256, &target)? => {
                Some((file.sha256, size_bytes))
            }
            _ => None,
        };
        let (sha256, size_bytes) = match linked {
            Some(linked) => linked,
            None => copy(&file.source, &target)?,
        };
        fs::set_permissions(&target, fs::Permissions::from_mode(0o755))
            .map_err(ReleaseError::io("make executable", &target))?;
        Ok(ServerEntry {
            path: format!("{SERVER}/{}", file.name),
            size_bytes,
            sha256,
            args: server.args.clone(),
            env: server.env.clone(),
            ready: server.ready.clone(),
            listen_env: server.listen_env.clone(),
            schema: server.schema,
        })
    }

    fn target(&self, path: &str) -> std::path::PathBuf {
        self.folder.join(SITE).join(path)
    }
}

/// Names that are files or folders of the site itself, and so not free for a variant.
fn taken(files: &[SiteFile]) -> HashSet<&str> {
    let mut taken = HashSet::new();
    for file in files {
        taken.insert(file.path.as_str());
        taken.extend(file.path.match_indices('/').map(|(at, _)| &file.path[..at]));
    }
    taken
}

fn write(path: &Path, contents: &[u8]) -> Result<(), ReleaseError> {
    fs::write(path, contents).map_err(ReleaseError::io("write", path))
}

/// Copies a file and gives the digest and the size of the very bytes that were copied.
fn copy(source: &Path, target: &Path) -> Result<(Sha256, u64), ReleaseError> {
    let from = File::open(source).map_err(ReleaseError::io("open", source))?;
    let to = File::create(target).map_err(ReleaseError::io("create", target))?;
    let mut digester = Digester::new(to);
    digester.copy_from(from).map_err(ReleaseError::io("copy", source))?;
    Ok(digester.finish())
}

//! The contents of a release that is being made: taken over from an earlier release, or made anew in
//! a folder aside. No name of the release is given to them here.

use super::crash;
use super::known::Known;
use super::layout::{Name, Source};
use super::outgoing::Outgoing;
use super::parallel::in_parallel;
use super::reuse::{Earlier, EarlierFile};
use super::site::SiteFile;
use super::variants::{self, MAX_COMPRESSED_BYTES};
use super::{MakeError, ServerFile};
use crate::open::{SERVER, SITE};
use crate::{
    CacheClasses, Digester, Encoding, FileEntry, Release, ReleaseDir, ReleaseError, ServerEntry,
    Sha256, Variant, content_type, is_compressible,
};
use config::Server;
use std::collections::HashSet;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The mode of a server's binary: whether it can be run is what matters, and the rest is the
/// accident of a umask that must not change the release.
const EXECUTABLE: u32 = 0o755;

/// The contents of a release while they are put together.
#[derive(Debug)]
pub struct Assembly<'a> {
    /// Where contents are made.
    aside: &'a Path,
    known: &'a Known,
    earlier: Earlier<'a>,
    outgoing: Option<&'a Outgoing>,
    taken: HashSet<&'a str>,
    classes: CacheClasses,
    reused_files: AtomicUsize,
    made_files: AtomicUsize,
}

impl<'a> Assembly<'a> {
    /// Of the files with these digests, in their order; in a folder `aside` that is empty. `earlier`
    /// releases, the most lately built first, without the `outgoing` one.
    pub fn new(
        aside: &'a Path,
        files: &'a [SiteFile],
        digests: &[Sha256],
        (earlier, outgoing): (Vec<ReleaseDir>, Option<&'a Outgoing>),
        known: &'a Known,
    ) -> Assembly<'a> {
        let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
        let mut earlier = Earlier::open(earlier, known);
        earlier.open_more(|earlier| {
            let missing = files.iter().zip(digests).filter(|(file, sha256)| {
                earlier.file(**sha256).is_none()
                    && file.size_bytes <= MAX_COMPRESSED_BYTES
                    && is_compressible(&content_type(&file.path, true))
            });
            missing.map(|(file, _)| file.size_bytes).sum()
        });
        Assembly {
            aside,
            known,
            earlier,
            outgoing,
            taken: taken(files),
            classes: CacheClasses::of_site(&paths),
            reused_files: AtomicUsize::new(0),
            made_files: AtomicUsize::new(0),
        }
    }

    /// How many files, and their variants with them, were taken over from an earlier release.
    pub fn reused_files(&self) -> usize {
        self.reused_files.load(Ordering::Relaxed)
    }

    /// The release that [`Source::Base`] speaks of.
    pub fn base(&self) -> Option<&Release> {
        self.earlier.base()
    }

    /// Proves the names that are in the base there, where the outgoing release stood for them, whose
    /// folder could not be had after all.
    ///
    /// # Errors
    /// When one of them is not what it should be; the next build makes it anew.
    pub fn prove_base(&self, names: &[Name]) -> Result<(), ReleaseError> {
        let (Some(base), Some(_)) = (self.base(), self.outgoing) else { return Ok(()) };
        for name in names.iter().filter(|name| name.source == Source::Base) {
            self.earlier.prove(&base.dir().join(&name.path), name.sha256)?;
        }
        Ok(())
    }

    /// The site's files sorted by path, and the names of them and their variants.
    ///
    /// # Errors
    /// When one of them cannot be read or written.
    pub fn files(
        &self,
        files: &[SiteFile],
        digests: &[Sha256],
    ) -> Result<(Vec<FileEntry>, Vec<Name>), ReleaseError> {
        // The largest first, so that none of them is begun when all others are done.
        let mut largest_first: Vec<(&SiteFile, Sha256)> =
            files.iter().zip(digests.iter().copied()).collect();
        largest_first.sort_by_key(|(file, _)| std::cmp::Reverse(file.size_bytes));
        let made = in_parallel(&largest_first, |(file, sha256)| self.file(file, *sha256))?;
        let (mut entries, names): (Vec<_>, Vec<_>) = made.into_iter().unzip();
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        Ok((entries, names.into_iter().flatten().collect()))
    }

    fn file(
        &self,
        file: &SiteFile,
        sha256: Sha256,
    ) -> Result<(FileEntry, Vec<Name>), ReleaseError> {
        if let Some(earlier) = self.earlier.file_at(&file.path, sha256)
            && let Some(taken_over) = self.take_over(file, &earlier)?
        {
            self.reused_files.fetch_add(1, Ordering::Relaxed);
            return Ok(taken_over);
        }
        if file.size_bytes > MAX_COMPRESSED_BYTES {
            let made = self.next_made();
            let (sha256, size_bytes) = copy(&file.source, &made)?;
            // Not read whole, so not known to be UTF-8 throughout.
            let kind = content_type(&file.path, false);
            let name = Name { path: inside(&file.path), sha256, source: Source::Made(made) };
            return Ok((self.entry(file, size_bytes, sha256, kind, Vec::new()), vec![name]));
        }
        // What is read now counts, should it have changed since it was digested.
        let contents = fs::read(&file.source).map_err(ReleaseError::io("read", &file.source))?;
        let name = self.write(&file.path, &contents)?;
        let sha256 = name.sha256;
        let kind = content_type(&file.path, std::str::from_utf8(&contents).is_ok());
        let (variants, mut names) = if is_compressible(&kind) {
            self.variants(&file.path, &contents)?
        } else {
            Default::default()
        };
        names.push(name);
        Ok((self.entry(file, contents.len() as u64, sha256, kind, variants), names))
    }

    /// The file and its variants as an earlier release has them; `None` when it has not all of them
    /// any more.
    fn take_over(
        &self,
        file: &SiteFile,
        earlier: &EarlierFile,
    ) -> Result<Option<(FileEntry, Vec<Name>)>, ReleaseError> {
        let same = earlier.entry();
        let kind = if same.size_bytes > MAX_COMPRESSED_BYTES {
            Some(content_type(&file.path, false))
        } else {
            earlier.content_type_at(&file.path)
        };
        let Some(kind) = kind else { return Ok(None) };
        let mut wanted = vec![(same.path.as_str(), same.sha256, file.path.clone())];
        let mut variants = Vec::new();
        for variant in &same.variants {
            let path = format!("{}.{}", file.path, variant.encoding.extension());
            if !self.taken.contains(path.as_str()) {
                wanted.push((variant.path.as_str(), variant.sha256, path.clone()));
                variants.push(Variant { path, ..variant.clone() });
            }
        }
        let mut names = Vec::with_capacity(wanted.len());
        for (from, sha256, to) in wanted {
            let from = inside(from);
            let name = self.take_over_name(earlier.release(), &from, sha256, inside(&to))?;
            let Some(name) = name else {
                return Ok(None);
            };
            names.push(name);
        }
        Ok(Some((self.entry(file, same.size_bytes, same.sha256, kind, variants), names)))
    }

    /// A name for a file of an earlier release, `from` its path there; `None` when that is not what
    /// it should be.
    fn take_over_name(
        &self,
        earlier: &Release,
        from: &str,
        sha256: Sha256,
        path: String,
    ) -> Result<Option<Name>, ReleaseError> {
        let file = earlier.dir().join(from);
        let is_of_base = self.base().is_some_and(|base| std::ptr::eq(base, earlier));
        let source = if is_of_base && from == path {
            // What looks like a file that is known is that file, whichever release it is found in.
            let is_there = self.outgoing.is_some_and(|it| it.holds(from, sha256, self.known));
            (is_there || self.earlier.is_sound(&file, sha256)?).then_some(Source::Base)
        } else {
            let made = self.next_made();
            self.earlier.link(&file, sha256, &made)?.then_some(Source::Made(made))
        };
        Ok(source.map(|source| Name { path, sha256, source }))
    }

    /// A path for contents that are made.
    fn next_made(&self) -> PathBuf {
        self.aside.join(self.made_files.fetch_add(1, Ordering::Relaxed).to_string())
    }

    fn write(&self, path: &str, contents: &[u8]) -> Result<Name, ReleaseError> {
        let made = self.next_made();
        crash::point();
        File::create_new(&made)
            .and_then(|mut file| file.write_all(contents))
            .map_err(ReleaseError::io("write", &made))?;
        Ok(Name { path: inside(path), sha256: Sha256::of(contents), source: Source::Made(made) })
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

    fn variants(
        &self,
        path: &str,
        contents: &[u8],
    ) -> Result<(Vec<Variant>, Vec<Name>), ReleaseError> {
        let mut variants = Vec::new();
        let mut names = Vec::new();
        for encoding in Encoding::ALL {
            let path = format!("{path}.{}", encoding.extension());
            if self.taken.contains(path.as_str()) {
                continue;
            }
            let bytes = variants::encode(encoding, contents)
                .map_err(ReleaseError::io("compress", Path::new(&path)))?;
            let Some(bytes) = bytes else { continue };
            let name = self.write(&path, &bytes)?;
            let (size_bytes, sha256) = (bytes.len() as u64, name.sha256);
            variants.push(Variant { encoding, path, size_bytes, sha256 });
            names.push(name);
        }
        Ok((variants, names))
    }

    /// The server's binary.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub fn server(
        &self,
        file: &ServerFile,
        server: &Server,
    ) -> Result<(ServerEntry, Name), MakeError> {
        let path = format!("{SERVER}/{}", file.name);
        let (name, size_bytes) = match self.earlier_server(file, &path)? {
            Some(taken_over) => taken_over,
            None => {
                let made = self.next_made();
                let (sha256, size_bytes) = copy(&file.source, &made)?;
                (Name { path: path.clone(), sha256, source: Source::Made(made) }, size_bytes)
            }
        };
        if let Source::Made(made) = &name.source {
            make_executable(made)?;
        }
        let entry = ServerEntry {
            path,
            size_bytes,
            sha256: name.sha256,
            args: server.args.clone(),
            env: server.env.clone(),
            ready: server.ready.clone(),
            listen_env: server.listen_env.clone(),
            schema: server.schema,
        };
        Ok((entry, name))
    }

    /// The base's server, if it is this one, and its size.
    fn earlier_server(
        &self,
        file: &ServerFile,
        path: &str,
    ) -> Result<Option<(Name, u64)>, ReleaseError> {
        let Some(base) = self.earlier.server(file.sha256) else { return Ok(None) };
        let Some(server) = &base.manifest().server else { return Ok(None) };
        let mode =
            fs::metadata(base.dir().join(&server.path)).map(|it| it.permissions().mode() & 0o777);
        if !mode.is_ok_and(|mode| mode == EXECUTABLE) {
            return Ok(None);
        }
        let name = self.take_over_name(base, &server.path, file.sha256, path.to_owned())?;
        Ok(name.map(|name| (name, server.size_bytes)))
    }
}

fn make_executable(path: &Path) -> Result<(), ReleaseError> {
    let is_right = |mode: u32| mode & 0o777 == EXECUTABLE;
    if fs::metadata(path).is_ok_and(|metadata| is_right(metadata.permissions().mode())) {
        return Ok(());
    }
    fs::set_permissions(path, fs::Permissions::from_mode(EXECUTABLE))
        .map_err(ReleaseError::io("make executable", path))
}

/// The path in the release of a path of the site.
fn inside(path: &str) -> String {
    format!("{SITE}/{path}")
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

/// Copies a file and gives the digest and the size of the very bytes that were copied.
fn copy(source: &Path, target: &Path) -> Result<(Sha256, u64), ReleaseError> {
    let from = File::open(source).map_err(ReleaseError::io("open", source))?;
    let to = File::create_new(target).map_err(ReleaseError::io("create", target))?;
    let mut digester = Digester::new(to);
    digester.copy_from(from).map_err(ReleaseError::io("copy", source))?;
    Ok(digester.finish())
}

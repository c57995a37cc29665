//! The files that lists of globs ask for, with their digests.

use crate::content::{self, BUFFER_BYTES, Hashed};
use crate::record::{Records, Remembered};
use crate::walk::{Walked, walk};
use crate::{Digest, Error, Kind, Matcher, Stamp, clock};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The files of a checkout that lists of globs ask for, hashed once.
#[derive(Debug)]
pub struct Checkout {
    root: PathBuf,
    record: PathBuf,
    matcher: Matcher,
    records: Records,
    lists: Vec<FileList>,
    /// Whether a file was hashed, so that there may be something to remember.
    has_news: bool,
}

/// A file with its digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    pub path: Box<[u8]>,
    pub kind: Kind,
    /// Of path, kind and content.
    pub digest: Digest,
    /// Its stamp from before it was read; `None` for one known from elsewhere.
    stamp: Option<Stamp>,
    /// Whether its stamp stands for this digest until it changes.
    is_settled: bool,
}

/// The files of one list, sorted by path.
#[derive(Debug, Clone, Default)]
pub struct FileList {
    table: Arc<Vec<File>>,
    picks: Arc<Vec<u32>>,
}

/// How one file differs between two times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    Added(Box<[u8]>),
    Removed(Box<[u8]>),
    Changed(Box<[u8]>),
    /// The content is the same, but it was written in between.
    Written(Box<[u8]>),
}

impl Checkout {
    /// Walks `root` once and hashes what the lists ask for, unless the stat cache `record` knows it.
    ///
    /// # Errors
    /// When the root cannot be read.
    pub fn take(root: &Path, matcher: Matcher, record: &Path) -> Result<Checkout, Error> {
        let root = &root.canonicalize().map_err(Error::io("find the folder", root))?;
        let records = Records::load(record);
        let walked = walk(root, &matcher)?;
        let mut picks = vec![Vec::new(); matcher.len()];
        let sets = walked.sets.clone();
        let (files, has_news) = resolve(root, record, walked, records.iter(), |file, set| {
            for list in &sets[set as usize] {
                picks[*list as usize].push(file);
            }
        });
        let table = Arc::new(files);
        let lists = picks
            .into_iter()
            .map(|picks| FileList { table: Arc::clone(&table), picks: Arc::new(picks) })
            .collect();
        Ok(Checkout {
            root: root.to_owned(),
            record: record.to_owned(),
            matcher,
            records,
            lists,
            has_news,
        })
    }

    /// The files of a list.
    pub fn files(&self, list: usize) -> &FileList {
        &self.lists[list]
    }

    /// Looks at the files of one list again.
    ///
    /// # Errors
    /// When the root cannot be read.
    pub fn refresh(&mut self, list: usize) -> Result<(), Error> {
        let (now, has_news) = self.now(list)?;
        self.lists[list] = now;
        self.has_news |= has_news;
        Ok(())
    }

    /// The first difference between a list as it was taken and as it is now. A file that was
    /// written meanwhile differs even if it holds again what it held: who read it in between read
    /// something else.
    ///
    /// # Errors
    /// When the root cannot be read.
    pub fn first_change(&self, list: usize) -> Result<Option<Change>, Error> {
        let (now, _) = self.now(list)?;
        let taken = &self.lists[list];
        let written = || {
            let mut both = taken.iter().zip(now.iter());
            both.find(|(before, after)| before.is_written_since(after))
                .map(|(before, _)| Change::Written(before.path.clone()))
        };
        Ok(taken.changes(&now).next().or_else(written))
    }

    fn now(&self, list: usize) -> Result<(FileList, bool), Error> {
        let walked = walk(&self.root, &self.matcher.only(list))?;
        let known = self.lists[list].iter().filter_map(File::remembered);
        let mut picks = Vec::new();
        let (files, has_news) =
            resolve(&self.root, &self.record, walked, known, |file, _| picks.push(file));
        Ok((FileList { table: Arc::new(files), picks: Arc::new(picks) }, has_news))
    }

    /// Remembers the digests for the next time, if there is any news.
    ///
    /// # Errors
    /// When the stat cache cannot be written: a full disk, a folder without permission.
    pub fn save(&self) -> Result<(), Error> {
        if !self.has_news {
            return Ok(());
        }
        let mut known = BTreeMap::new();
        for list in &self.lists {
            known.extend(list.iter().map(|file| (&*file.path, file.remembered())));
        }
        let unseen = (self.records.iter())
            .filter(|old| !known.contains_key(old.path))
            .map(|old| (old.path, Some(old)))
            .collect::<Vec<_>>();
        if unseen.len() <= MAX_UNSEEN {
            known.extend(unseen);
        }
        self.records.replace(&self.record, known.into_values().flatten())
    }
}

/// How many files the stat cache keeps that no list asked for this time. Another selection of
/// steps may ask for them next; files that are gone for good must not pile up.
const MAX_UNSEEN: usize = 50_000;

impl File {
    fn is_written_since(&self, after: &File) -> bool {
        let both = self.stamp.zip(after.stamp);
        both.is_some_and(|(before, after)| !before.is_unwritten(&after))
    }

    fn remembered(&self) -> Option<Remembered<'_>> {
        let stamp = self.stamp.filter(|_| self.is_settled)?;
        Some(Remembered { path: &self.path, stamp, digest: self.digest })
    }
}

impl FileList {
    /// A list of files known from elsewhere, sorted by path.
    pub fn of(files: impl IntoIterator<Item = (Box<[u8]>, Kind, Digest)>) -> FileList {
        let table = files
            .into_iter()
            .map(|(path, kind, digest)| File { path, kind, digest, stamp: None, is_settled: false })
            .collect::<Vec<_>>();
        let picks = (0..u32::try_from(table.len()).unwrap_or(u32::MAX)).collect();
        FileList { table: Arc::new(table), picks: Arc::new(picks) }
    }

    pub fn iter(&self) -> impl Iterator<Item = &File> {
        self.picks.iter().map(|pick| &self.table[*pick as usize])
    }

    pub fn len(&self) -> usize {
        self.picks.len()
    }

    pub fn is_empty(&self) -> bool {
        self.picks.is_empty()
    }

    /// The digest of all files of the list: their paths, kinds and contents.
    pub fn digest(&self) -> Digest {
        let mut leaves = Vec::with_capacity(self.len() * size_of::<Digest>());
        for file in self.iter() {
            leaves.extend_from_slice(&file.digest);
        }
        *blake3::hash(&leaves).as_bytes()
    }

    /// What changed from this list to another, in order of path.
    pub fn changes<'a>(&'a self, to: &'a FileList) -> impl Iterator<Item = Change> + 'a {
        let mut before = self.iter().peekable();
        let mut after = to.iter().peekable();
        std::iter::from_fn(move || {
            loop {
                let order = match (before.peek(), after.peek()) {
                    (None, None) => return None,
                    (Some(_), None) => std::cmp::Ordering::Less,
                    (None, Some(_)) => std::cmp::Ordering::Greater,
                    (Some(old), Some(new)) => old.path.cmp(&new.path),
                };
                match order {
                    std::cmp::Ordering::Less => {
                        return before.next().map(|old| Change::Removed(old.path.clone()));
                    }
                    std::cmp::Ordering::Greater => {
                        return after.next().map(|new| Change::Added(new.path.clone()));
                    }
                    std::cmp::Ordering::Equal => {
                        let (old, new) = (before.next()?, after.next()?);
                        if old.digest != new.digest {
                            return Some(Change::Changed(new.path.clone()));
                        }
                    }
                }
            }
        })
    }
}

impl PartialEq for FileList {
    fn eq(&self, other: &FileList) -> bool {
        self.changes(other).next().is_none()
    }
}

/// Gives every file that was seen its digest: a known one where path and stamp are the same, else
/// by hashing. `known` is sorted by path. Files that are gone by now are left out; `each` is told
/// the index and set of every other one.
fn resolve<'a>(
    root: &Path,
    record: &Path,
    walked: Walked,
    known: impl Iterator<Item = Remembered<'a>>,
    mut each: impl FnMut(u32, u32),
) -> (Vec<File>, bool) {
    let mut known = known.peekable();
    let mut digests: Vec<Option<Digest>> = Vec::with_capacity(walked.files.len());
    let mut unknown: Vec<usize> = Vec::new();
    for (index, seen) in walked.files.iter().enumerate() {
        while known.next_if(|known| *known.path < *seen.path).is_some() {}
        let hit = known
            .peek()
            .filter(|known| *known.path == *seen.path && known.stamp == seen.stamp)
            .map(|known| known.digest);
        if hit.is_none() {
            unknown.push(index);
        }
        digests.push(hit);
    }
    let mut hashed = hash_all(root, record, &walked, &unknown).into_iter();
    let mut files = Vec::with_capacity(walked.files.len());
    for (seen, digest) in walked.files.into_iter().zip(digests) {
        let (kind, digest, settled) = match digest {
            Some(digest) => (seen.stamp.kind, digest, Some(seen.stamp)),
            None => match hashed.next().flatten() {
                Some(hashed) => (hashed.kind, hashed.digest, hashed.stamp),
                None => continue,
            },
        };
        let (stamp, is_settled) = (Some(settled.unwrap_or(seen.stamp)), settled.is_some());
        each(u32::try_from(files.len()).unwrap_or(u32::MAX), seen.set);
        files.push(File { path: seen.path, kind, digest, stamp, is_settled });
    }
    (files, !unknown.is_empty())
}

/// Reading waits on the disk as much as it computes; past this many threads nothing is gained.
const MAX_THREADS: usize = 8;
/// Fewer files than this are hashed sooner than a thread starts.
const FILES_PER_THREAD: usize = 64;

/// Hashes the files at the indices, in parallel; the results in the order of the indices. Only a
/// stamp that was settled before the first file was read stays with its result.
fn hash_all(root: &Path, record: &Path, walked: &Walked, unknown: &[usize]) -> Vec<Option<Hashed>> {
    if unknown.is_empty() {
        return Vec::new();
    }
    let now = record.parent().and_then(clock::now_ns).unwrap_or(i64::MIN);
    let next = AtomicUsize::new(0);
    let work = || {
        let mut buffer = vec![0; BUFFER_BYTES];
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(index) = unknown.get(at) else { return done };
            let seen = &walked.files[*index];
            let mut hashed = content::leaf(root, &seen.path, &seen.stamp, &mut buffer);
            if let Some(hashed) = &mut hashed {
                hashed.stamp = hashed.stamp.filter(|stamp| stamp.is_settled(now));
            }
            done.push((at, hashed));
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = (unknown.len() / FILES_PER_THREAD + 1).min(cores).min(MAX_THREADS);
    let mut results = (0..unknown.len()).map(|_| None).collect::<Vec<_>>();
    std::thread::scope(|scope| {
        let others = (1..threads).map(|_| scope.spawn(work)).collect::<Vec<_>>();
        let mut done = work();
        for other in others {
            // A thread that panicked leaves its files without a digest; the panic goes on.
            done.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        for (at, hashed) in done {
            results[at] = hashed;
        }
    });
    results
}

#[cfg(test)]
#[path = "checkout_tests.rs"]
mod tests;

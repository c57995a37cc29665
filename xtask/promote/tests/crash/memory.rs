//! A store in memory, and a way to lose touch with it at a given operation.

use crate::contract;
use release::store::{Etag, Key, Store, StoreError, Stored};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Objects that outlive whoever wrote them.
#[derive(Debug, Default)]
pub struct Memory {
    objects: Mutex<BTreeMap<Key, Vec<u8>>>,
}

impl Memory {
    pub fn with(contents: BTreeMap<Key, Vec<u8>>) -> Memory {
        Memory { objects: Mutex::new(contents) }
    }

    /// All that is kept, to be compared.
    pub fn contents(&self) -> BTreeMap<Key, Vec<u8>> {
        self.objects.lock().unwrap().clone()
    }
}

/// Equal contents have equal tags, as in a folder.
fn etag(bytes: &[u8]) -> Etag {
    Etag::of(bytes)
}

impl Store for Memory {
    fn read(&self, key: &Key) -> Result<Option<Stored>, StoreError> {
        let objects = self.objects.lock().unwrap();
        Ok(objects.get(key).map(|bytes| Stored { bytes: bytes.clone(), etag: etag(bytes) }))
    }

    fn create(&self, key: &Key, bytes: &[u8]) -> Result<Etag, StoreError> {
        let mut objects = self.objects.lock().unwrap();
        if objects.contains_key(key) {
            return Err(StoreError::Exists { key: key.clone() });
        }
        objects.insert(key.clone(), bytes.to_vec());
        Ok(etag(bytes))
    }

    fn replace(&self, key: &Key, bytes: &[u8], seen: &Etag) -> Result<Etag, StoreError> {
        let mut objects = self.objects.lock().unwrap();
        if objects.get(key).is_none_or(|present| etag(present) != *seen) {
            return Err(StoreError::Changed { key: key.clone() });
        }
        objects.insert(key.clone(), bytes.to_vec());
        Ok(etag(bytes))
    }

    fn delete(&self, key: &Key) -> Result<(), StoreError> {
        self.objects.lock().unwrap().remove(key);
        Ok(())
    }

    fn list(&self, prefix: &Key) -> Result<Vec<Key>, StoreError> {
        let objects = self.objects.lock().unwrap();
        let prefix = format!("{prefix}/");
        Ok(objects.keys().filter(|key| key.as_str().starts_with(&prefix)).cloned().collect())
    }

    fn has(&self, key: &Key, size_bytes: u64) -> Result<bool, StoreError> {
        let objects = self.objects.lock().unwrap();
        Ok(objects.get(key).is_some_and(|bytes| bytes.len() as u64 == size_bytes))
    }

    fn put_file(&self, key: &Key, file: &Path) -> Result<(), StoreError> {
        let bytes = std::fs::read(file).unwrap();
        self.objects.lock().unwrap().insert(key.clone(), bytes);
        Ok(())
    }

    fn open(&self, key: &Key) -> Result<Option<Box<dyn Read + Send>>, StoreError> {
        let objects = self.objects.lock().unwrap();
        let bytes = objects.get(key).cloned();
        Ok(bytes.map(|bytes| Box::new(std::io::Cursor::new(bytes)) as Box<dyn Read + Send>))
    }

    fn place(&self, _: &Key) -> Option<PathBuf> {
        None
    }

    fn flush(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

#[test]
fn memory_keeps_the_contract() {
    contract::check(&|| Box::new(Memory::default()));
}

/// A process's own view of the store: at one operation something happens to the process.
pub struct Mortal<'a> {
    pub memory: &'a Memory,
    /// Operations that are still done.
    left: AtomicU64,
    fate: Fate<'a>,
}

/// What happens at the operation.
pub enum Fate<'a> {
    /// It dies before the operation is done.
    Before,
    /// It dies once the operation is done, and hears no answer.
    After,
    /// It sleeps through whatever this does, and then goes on.
    Sleeps(Mutex<Option<Box<dyn FnOnce() + Send + 'a>>>),
}

impl std::fmt::Debug for Mortal<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mortal").field("left", &self.left).finish_non_exhaustive()
    }
}

impl<'a> Mortal<'a> {
    pub fn new(memory: &'a Memory, operations: u64, fate: Fate<'a>) -> Mortal<'a> {
        Mortal { memory, left: AtomicU64::new(operations), fate }
    }

    /// One that lives on.
    pub fn immortal(memory: &'a Memory) -> Mortal<'a> {
        Mortal::new(memory, u64::MAX / 2, Fate::Before)
    }

    /// Operations done so far, of one made with this many.
    pub fn done(&self, operations: u64) -> u64 {
        operations - self.left.load(Ordering::Relaxed)
    }

    fn act<T>(&self, act: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
        let left = self.left.load(Ordering::Relaxed);
        match (&self.fate, left) {
            (Fate::Before, 0) => return Err(dead()),
            (Fate::After, 0) => return Err(dead()),
            (Fate::After, 1) => {
                self.left.store(0, Ordering::Relaxed);
                let _unheard = act();
                return Err(dead());
            }
            (Fate::Sleeps(meanwhile), 0) => {
                if let Some(meanwhile) = meanwhile.lock().unwrap().take() {
                    meanwhile();
                }
                return act();
            }
            _ => {}
        }
        self.left.store(left - 1, Ordering::Relaxed);
        act()
    }
}

fn dead() -> StoreError {
    StoreError::NoStore { place: "memory".into(), reason: "this process is dead".into() }
}

impl Store for Mortal<'_> {
    fn read(&self, key: &Key) -> Result<Option<Stored>, StoreError> {
        self.act(|| self.memory.read(key))
    }

    fn create(&self, key: &Key, bytes: &[u8]) -> Result<Etag, StoreError> {
        self.act(|| self.memory.create(key, bytes))
    }

    fn replace(&self, key: &Key, bytes: &[u8], seen: &Etag) -> Result<Etag, StoreError> {
        self.act(|| self.memory.replace(key, bytes, seen))
    }

    fn delete(&self, key: &Key) -> Result<(), StoreError> {
        self.act(|| self.memory.delete(key))
    }

    fn list(&self, prefix: &Key) -> Result<Vec<Key>, StoreError> {
        self.act(|| self.memory.list(prefix))
    }

    fn has(&self, key: &Key, size_bytes: u64) -> Result<bool, StoreError> {
        self.act(|| self.memory.has(key, size_bytes))
    }

    fn put_file(&self, key: &Key, file: &Path) -> Result<(), StoreError> {
        self.act(|| self.memory.put_file(key, file))
    }

    fn open(&self, key: &Key) -> Result<Option<Box<dyn Read + Send>>, StoreError> {
        self.act(|| self.memory.open(key))
    }

    fn place(&self, key: &Key) -> Option<PathBuf> {
        self.memory.place(key)
    }

    fn flush(&self) -> Result<(), StoreError> {
        self.act(|| self.memory.flush())
    }
}

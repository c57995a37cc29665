//! What every store promises, as one suite. `make` gives an empty store each time it is called.

use release::store::{Key, Store, StoreError};
use std::collections::BTreeSet;
use std::io::Read;
use std::sync::Barrier;

/// Writers that run against each other.
const WRITERS: usize = 8;

/// Rounds of a race: enough that a lost one is seen.
const ROUNDS: usize = 25;

pub fn check(make: &dyn Fn() -> Box<dyn Store>) {
    what_was_created_is_read_back(make().as_ref());
    what_is_there_is_not_created_again(make().as_ref());
    only_what_was_seen_is_replaced(make().as_ref());
    a_deleted_object_is_gone(make().as_ref());
    keys_are_listed_by_prefix(make().as_ref());
    files_are_put_and_opened(make().as_ref());
    of_many_who_create_one_wins(make().as_ref());
    no_increment_is_lost(make().as_ref());
    no_partial_document_is_ever_seen(make().as_ref());
}

fn key(text: &str) -> Key {
    text.parse().unwrap()
}

fn what_was_created_is_read_back(store: &dyn Store) {
    let key = key("a/b.json");
    assert_eq!(store.read(&key).unwrap(), None);
    let etag = store.create(&key, b"one").unwrap();
    let stored = store.read(&key).unwrap().unwrap();
    assert_eq!((stored.bytes.as_slice(), &stored.etag), (&b"one"[..], &etag));
    assert!(store.has(&key, 3).unwrap() && !store.has(&key, 4).unwrap());
}

fn what_is_there_is_not_created_again(store: &dyn Store) {
    let key = key("once");
    store.create(&key, b"one").unwrap();
    let error = store.create(&key, b"two").unwrap_err();
    assert!(matches!(error, StoreError::Exists { .. }) && error.is_conflict(), "{error}");
    assert_eq!(store.read(&key).unwrap().unwrap().bytes, b"one");
}

fn only_what_was_seen_is_replaced(store: &dyn Store) {
    let key = key("doc");
    let first = store.create(&key, b"one").unwrap();
    let second = store.replace(&key, b"two", &first).unwrap();
    let error = store.replace(&key, b"three", &first).unwrap_err();
    assert!(matches!(error, StoreError::Changed { .. }) && error.is_conflict(), "{error}");
    assert_eq!(store.read(&key).unwrap().unwrap().bytes, b"two");
    store.replace(&key, b"three", &second).unwrap();
    store.delete(&key).unwrap();
    let third = store.create(&key, b"four").unwrap();
    store.delete(&key).unwrap();
    let error = store.replace(&key, b"five", &third).unwrap_err();
    assert!(error.is_conflict(), "what is gone is not replaced: {error}");
    assert_eq!(store.read(&key).unwrap(), None);
}

fn a_deleted_object_is_gone(store: &dyn Store) {
    let key = key("folder/gone");
    store.delete(&key).unwrap();
    store.create(&key, b"one").unwrap();
    store.delete(&key).unwrap();
    assert_eq!(store.read(&key).unwrap(), None);
    assert!(store.open(&key).unwrap().is_none());
    store.create(&key, b"two").unwrap();
}

fn keys_are_listed_by_prefix(store: &dyn Store) {
    assert_eq!(store.list(&key("journal")).unwrap(), []);
    for name in ["journal/2", "journal/1", "journal/deep/3", "journals/4", "other"] {
        store.create(&key(name), b"").unwrap();
    }
    let listed = store.list(&key("journal")).unwrap();
    assert_eq!(listed, ["journal/1", "journal/2", "journal/deep/3"].map(key));
}

fn files_are_put_and_opened(store: &dyn Store) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, vec![7; 300_000]).unwrap();
    let key = key("blobs/ab/abc");
    store.put_file(&key, &file).unwrap();
    store.put_file(&key, &file).unwrap();
    store.flush().unwrap();
    let mut read = Vec::new();
    store.open(&key).unwrap().unwrap().read_to_end(&mut read).unwrap();
    assert_eq!(read, std::fs::read(&file).unwrap());
    if let Some(place) = store.place(&key) {
        assert_eq!(std::fs::read(place).unwrap(), read);
    }
}

fn of_many_who_create_one_wins(store: &dyn Store) {
    for round in 0..ROUNDS {
        let key = key(&format!("race/{round}"));
        let start = Barrier::new(WRITERS);
        let won: usize = std::thread::scope(|scope| {
            let writers: Vec<_> = (0..WRITERS)
                .map(|writer| {
                    let (key, start) = (&key, &start);
                    scope.spawn(move || {
                        start.wait();
                        match store.create(key, writer.to_string().as_bytes()) {
                            Ok(_) => 1,
                            Err(StoreError::Exists { .. }) => 0,
                            Err(error) => panic!("{error}"),
                        }
                    })
                })
                .collect();
            writers.into_iter().map(|writer| writer.join().unwrap()).sum()
        });
        assert_eq!(won, 1);
    }
}

fn no_increment_is_lost(store: &dyn Store) {
    let key = key("counter");
    store.create(&key, b"0").unwrap();
    std::thread::scope(|scope| {
        for _ in 0..WRITERS {
            scope.spawn(|| {
                for _ in 0..ROUNDS {
                    increment(store, &key);
                }
            });
        }
    });
    let counted = store.read(&key).unwrap().unwrap().bytes;
    assert_eq!(String::from_utf8(counted).unwrap(), (WRITERS * ROUNDS).to_string());
}

fn increment(store: &dyn Store, key: &Key) {
    loop {
        let seen = store.read(key).unwrap().unwrap();
        let count: usize = String::from_utf8(seen.bytes).unwrap().parse().unwrap();
        match store.replace(key, (count + 1).to_string().as_bytes(), &seen.etag) {
            Ok(_) => return,
            Err(error) => assert!(error.is_conflict(), "{error}"),
        }
    }
}

fn no_partial_document_is_ever_seen(store: &dyn Store) {
    // Each document is one letter many times: a mixture or a piece shows.
    let document = |letter: u8| vec![letter; 100_000];
    let key = key("document");
    let mut etag = store.create(&key, &document(b'a')).unwrap();
    let is_done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (key, is_done) = (&key, &is_done);
        let reader = scope.spawn(move || {
            let mut seen = BTreeSet::new();
            loop {
                let is_last = is_done.load(std::sync::atomic::Ordering::Relaxed);
                let bytes = store.read(key).unwrap().unwrap().bytes;
                assert_eq!(bytes, document(bytes[0]));
                seen.insert(bytes[0]);
                if is_last {
                    return seen;
                }
            }
        });
        for letter in b'b'..=b'z' {
            etag = store.replace(key, &document(letter), &etag).unwrap();
        }
        is_done.store(true, std::sync::atomic::Ordering::Relaxed);
        assert!(reader.join().unwrap().contains(&b'z'));
    });
}

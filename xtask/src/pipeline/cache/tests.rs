//! Storing and replaying: what a run leaves is what a replay brings.

use super::fixture::step;
use super::*;
use report::Artifact;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;
use std::sync::Barrier;
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

const ROOMY: u64 = 1 << 30;

fn ingredients(step: &Step) -> Ingredients {
    Ingredients::of(step, &[], inputs::FileList::default(), |_| None)
}

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// All that is below a folder: path to content, target or nothing, and whether it is executable.
fn tree(folder: &Path) -> BTreeMap<Vec<u8>, (Vec<u8>, bool)> {
    let mut all = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            let metadata = path.symlink_metadata().unwrap();
            let is_executable = metadata.is_file() && metadata.permissions().mode() & 0o100 != 0;
            let content = if metadata.is_symlink() {
                fs::read_link(&path).unwrap().as_os_str().as_bytes().to_vec()
            } else if metadata.is_dir() {
                folders.push(path.clone());
                Vec::new()
            } else {
                fs::read(&path).unwrap()
            };
            all.insert(path.as_os_str().as_bytes().to_vec(), (content, is_executable));
        }
    }
    all
}

fn hit(cache: &Cache, step: &Step) -> Box<Entry> {
    match cache.lookup(&step.name, &ingredients(step).fingerprint().unwrap()) {
        Lookup::Hit(entry) => entry,
        other => panic!("expected a hit, found {other:?}"),
    }
}

fn is_miss(cache: &Cache, step: &Step) -> bool {
    matches!(cache.lookup(&step.name, &ingredients(step).fingerprint().unwrap()), Lookup::Miss)
}

/// A project whose step has run and was stored.
fn stored() -> (TempDir, Cache, Step) {
    let root = tempfile::tempdir().unwrap();
    let step = step("build", &["dist/**", "!dist/**/*.tmp"]);
    write(root.path(), "dist/a.js", "a");
    write(root.path(), "dist/x/b.js", "b");
    write(root.path(), "dist/x/b.tmp", "not kept");
    write(root.path(), "dist/run.sh", "#!/bin/sh");
    fs::set_permissions(root.path().join("dist/run.sh"), PermissionsExt::from_mode(0o755)).unwrap();
    symlink("a.js", root.path().join("dist/link.js")).unwrap();
    fs::create_dir(root.path().join("dist/empty")).unwrap();
    let cache = Cache::open(root.path(), ROOMY).unwrap();
    cache.store(&step, &ingredients(&step), &Outcome::passed("4 files"), b"said\xff\n").unwrap();
    (root, cache, step)
}

#[test]
fn a_replay_brings_back_what_the_run_left() {
    let (root, cache, step) = stored();
    let before = tree(&root.path().join("dist"));
    fs::remove_dir_all(root.path().join("dist")).unwrap();
    let replayed = cache.replay(&hit(&cache, &step)).unwrap();
    assert_eq!(replayed.outcome, Outcome { replayed: true, ..Outcome::passed("4 files") });
    assert_eq!(replayed.output, b"said\xff\n");
    assert_eq!(replayed.restored, 5);
    let mut expected = before;
    expected.remove(root.path().join("dist/x/b.tmp").as_os_str().as_bytes());
    assert_eq!(tree(&root.path().join("dist")), expected);
    assert_eq!(cache.replay(&hit(&cache, &step)).unwrap().restored, 0);
}

#[test]
fn only_what_differs_is_put_back() {
    let (root, cache, step) = stored();
    let dist = root.path().join("dist");
    let inode = |name: &str| {
        use std::os::unix::fs::MetadataExt;
        dist.join(name).symlink_metadata().unwrap().ino()
    };
    let untouched = inode("x/b.js");
    fs::write(dist.join("a.js"), "A").unwrap();
    fs::set_permissions(dist.join("run.sh"), PermissionsExt::from_mode(0o644)).unwrap();
    fs::remove_file(dist.join("link.js")).unwrap();
    fs::write(dist.join("link.js"), "a file now").unwrap();
    write(root.path(), "dist/stale.js", "left where it is");
    assert_eq!(cache.replay(&hit(&cache, &step)).unwrap().restored, 3);
    assert_eq!(fs::read(dist.join("a.js")).unwrap(), b"a");
    assert_eq!(fs::metadata(dist.join("run.sh")).unwrap().permissions().mode() & 0o777, 0o755);
    assert_eq!(fs::read_link(dist.join("link.js")).unwrap(), Path::new("a.js"));
    assert_eq!(inode("x/b.js"), untouched);
    assert!(dist.join("stale.js").exists());
}

#[test]
fn artifacts_are_kept_by_name() {
    let (root, cache, step) = stored();
    write(root.path(), "target/xtask/releases/1/site/[x] {y}.html", "page");
    let artifact = |path: &str| Artifact { name: "release".to_owned(), path: path.to_owned() };
    let mut outcome = Outcome::passed("release 1");
    outcome.artifacts = vec![artifact("target/xtask/releases/1"), artifact("dist/x/b.tmp")];
    cache.store(&step, &ingredients(&step), &outcome, b"").unwrap();
    fs::remove_dir_all(root.path().join("target/xtask/releases")).unwrap();
    fs::remove_dir_all(root.path().join("dist")).unwrap();
    assert_eq!(cache.replay(&hit(&cache, &step)).unwrap().restored, 7);
    let page = root.path().join("target/xtask/releases/1/site/[x] {y}.html");
    assert_eq!(fs::read(page).unwrap(), b"page");

    outcome.artifacts = vec![artifact("no/such/file")];
    let error = cache.store(&step, &ingredients(&step), &outcome, b"").unwrap_err();
    assert_eq!(error.to_string(), "the artifact `release` is not there: no/such/file");
}

#[test]
fn only_what_passed_is_kept() {
    let root = tempfile::tempdir().unwrap();
    let cache = Cache::open(root.path(), ROOMY).unwrap();
    let cached = step("lint", &[]);
    for outcome in
        [Outcome::failed("no"), Outcome::skipped("no"), Outcome::new(Status::Cancelled, "")]
    {
        cache.store(&cached, &ingredients(&cached), &outcome, b"").unwrap();
        assert!(is_miss(&cache, &cached));
        assert_eq!(cache.trail().last("lint").unwrap().status, outcome.status);
    }
    let uncached = Step { cache: false, ..step("audit", &[]) };
    cache.store(&uncached, &ingredients(&uncached), &Outcome::passed(""), b"").unwrap();
    assert!(is_miss(&cache, &uncached));
}

/// All files of the cache that are blobs or entries.
fn cache_files(root: &Path, below: &str) -> Vec<PathBuf> {
    let files = tree(&root.join(CACHE_FOLDER).join(below)).into_keys();
    files.map(|path| inputs::as_path(&path).to_owned()).filter(|path| path.is_file()).collect()
}

fn flip_a_bit(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 4;
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_damaged_blob_is_a_miss_that_puts_nothing_back() {
    let (root, cache, step) = stored();
    fs::remove_dir_all(root.path().join("dist")).unwrap();
    for blob in cache_files(root.path(), "blobs") {
        flip_a_bit(&blob);
        let error = cache.replay(&hit(&cache, &step)).unwrap_err();
        assert_eq!(error.to_string(), format!("{} is damaged", blob.display()));
        assert!(!blob.exists(), "so that the next store writes it anew");
        assert!(!root.path().join("dist").exists());
        assert!(cache_files(root.path(), "partial").is_empty());
        let error = cache.replay(&hit(&cache, &step)).unwrap_err();
        assert!(error.to_string().starts_with("failed to read "), "{error}");
        write(root.path(), "dist/a.js", "a");
        write(root.path(), "dist/x/b.js", "b");
        write(root.path(), "dist/run.sh", "#!/bin/sh");
        cache.store(&step, &ingredients(&step), &Outcome::passed(""), b"said\xff\n").unwrap();
        assert!(blob.exists());
        fs::remove_dir_all(root.path().join("dist")).unwrap();
    }
}

#[test]
fn a_damaged_entry_is_a_miss_with_a_warning() {
    let (root, cache, step) = stored();
    let entry = cache_files(root.path(), "entries").remove(0);
    let whole = fs::read(&entry).unwrap();
    let look = || cache.lookup(&step.name, &ingredients(&step).fingerprint().unwrap());
    for bytes in [&whole[..whole.len() - 1], &whole[..10], b"", &[&whole[..], b" "].concat()] {
        fs::write(&entry, bytes).unwrap();
        let Lookup::Damaged(warning) = look() else { panic!("{} bytes", bytes.len()) };
        assert!(warning.contains("`build`") && warning.contains("is damaged"), "{warning}");
    }
    assert_eq!(cache.stats().unwrap().unusable, 1);
    fs::write(&entry, &whole).unwrap();
    flip_a_bit(&entry);
    assert!(matches!(look(), Lookup::Damaged(_)));
    // An entry in the place of another is told apart by what it says itself.
    let mut other = step.clone();
    other.name = "other".to_owned();
    let place = entry::path(&cache.folder, "other", &ingredients(&other).fingerprint().unwrap());
    fs::create_dir_all(place.parent().unwrap()).unwrap();
    fs::write(place, &whole).unwrap();
    let found = cache.lookup("other", &ingredients(&other).fingerprint().unwrap());
    assert!(matches!(found, Lookup::Damaged(_)));
}

#[test]
fn outputs_stay_inside_the_project() {
    let (root, cache, step) = stored();
    let outside = tempfile::tempdir().unwrap();
    symlink(outside.path(), root.path().join("link")).unwrap();
    fs::write(outside.path().join("x"), "x").unwrap();
    let through = fixture::step("through", &["link/x"]);
    let error = cache
        .store(&through, &ingredients(&through), &Outcome::passed(""), b"")
        .unwrap_err()
        .to_string();
    assert!(error.starts_with("link/x is outside the project"), "{error}");
    assert!(is_miss(&cache, &through));

    let mut outcome = Outcome::passed("");
    for path in ["../x", "/etc/hostname", "dist/../../x"] {
        outcome.artifacts = vec![Artifact { name: "x".to_owned(), path: path.to_owned() }];
        assert!(cache.store(&through, &ingredients(&through), &outcome, b"").is_err(), "{path}");
    }

    let entry = hit(&cache, &step);
    let paths = ["link/x", "../x", "/tmp/x", ".git/hooks/x", "target/xtask/cache/x", "", "a/./b"];
    for path in paths {
        let mut entry = entry.clone();
        for kept in &mut entry.kept {
            if let entry::Kept::File { path: of, .. } = kept {
                *of = path.to_owned();
            }
        }
        assert!(cache.replay(&entry).is_err(), "{path}");
    }
    assert_eq!(fs::read(outside.path().join("x")).unwrap(), b"x");
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1);
    // The target folder may be a link to a larger disk.
    let disk = tempfile::tempdir().unwrap();
    let other = tempfile::tempdir().unwrap();
    symlink(disk.path(), other.path().join("target")).unwrap();
    write(other.path(), "target/site/a", "a");
    let site = fixture::step("site", &["target/site/**"]);
    let cache = Cache::open(other.path(), ROOMY).unwrap();
    cache.store(&site, &ingredients(&site), &Outcome::passed(""), b"").unwrap();
    fs::remove_dir_all(disk.path().join("site")).unwrap();
    assert_eq!(cache.replay(&hit(&cache, &site)).unwrap().restored, 1);
}

#[test]
fn the_least_recently_used_goes_first() {
    let root = tempfile::tempdir().unwrap();
    let cache = Cache::open(root.path(), ROOMY).unwrap();
    let names = ["a", "b", "c", "d"];
    let now = SystemTime::now();
    for (age, name) in names.iter().enumerate() {
        let step = step(name, &[]);
        let output = [name.as_bytes(), &vec![b'x'; 10_000]].concat();
        cache.store(&step, &ingredients(&step), &Outcome::passed(""), &output).unwrap();
        let path = entry::path(&cache.folder, name, &ingredients(&step).fingerprint().unwrap());
        let file = fs::File::options().write(true).open(path).unwrap();
        file.set_modified(now - Duration::from_secs(1_000 * (age as u64 + 1))).unwrap();
    }
    // The oldest is used: now it is the youngest.
    hit(&cache, &step("d", &[]));
    let before = cache.stats().unwrap();
    assert_eq!((before.entries, before.blobs), (4, 4));

    let small = Cache::open(root.path(), 25_000).unwrap();
    let pruned = small.prune().unwrap();
    assert_eq!(pruned.entries, 2);
    assert_eq!(pruned.freed_bytes + pruned.left_bytes, before.size_bytes);
    assert!(pruned.left_bytes <= 25_000);
    assert_eq!(small.stats().unwrap().size_bytes, pruned.left_bytes);
    let left = names.map(|name| !is_miss(&cache, &step(name, &[])));
    assert_eq!(left, [true, false, false, true]);
    assert!(small.replay(&hit(&small, &step("a", &[]))).is_ok());
    assert_eq!(small.prune().unwrap().entries, 0);
    assert_eq!(Cache::open(root.path(), 0).unwrap().prune().unwrap().left_bytes, 0);
    assert!(cache_files(root.path(), "blobs").is_empty());
}

#[test]
fn a_store_beyond_the_bound_prunes() {
    let root = tempfile::tempdir().unwrap();
    let cache = Cache::open(root.path(), 50_000).unwrap();
    for number in 0..20 {
        let step = step(&format!("s{number}"), &[]);
        let output = [&[number][..], &vec![b'x'; 10_000]].concat();
        cache.store(&step, &ingredients(&step), &Outcome::passed(""), &output).unwrap();
        assert!(cache.stats().unwrap().size_bytes <= 50_000);
        assert!(!is_miss(&cache, &step), "what was stored last stays");
    }
}

#[test]
fn a_count_that_cannot_be_written_stops_no_pruning() {
    let (root, _, step) = stored();
    let size = root.path().join(CACHE_FOLDER).join("size");
    fs::remove_file(&size).unwrap();
    fs::create_dir(&size).unwrap();
    let cache = Cache::open(root.path(), 0).unwrap();
    assert_eq!(cache.prune().unwrap().left_bytes, 0);
    assert!(is_miss(&cache, &step));
}

#[test]
fn an_outcome_that_json_cannot_hold_is_not_kept() {
    let root = tempfile::tempdir().unwrap();
    let cache = Cache::open(root.path(), ROOMY).unwrap();
    let step = step("load", &[]);
    let mut outcome = Outcome::passed("");
    outcome.measures.push(report::Measure::new("n", f64::INFINITY, report::Unit::Ms));
    assert!(cache.store(&step, &ingredients(&step), &outcome, b"").is_err());
    assert!(is_miss(&cache, &step));
}

#[test]
fn equal_contents_are_kept_once() {
    let root = tempfile::tempdir().unwrap();
    for name in ["a", "b", "c"] {
        write(root.path(), &format!("dist/{name}"), "the same");
    }
    let cache = Cache::open(root.path(), ROOMY).unwrap();
    let step = step("build", &["dist"]);
    cache.store(&step, &ingredients(&step), &Outcome::passed(""), b"the same").unwrap();
    assert_eq!(cache.stats().unwrap().blobs, 1);
    fs::remove_dir_all(root.path().join("dist")).unwrap();
    assert_eq!(cache.replay(&hit(&cache, &step)).unwrap().restored, 3);
}

#[test]
fn many_may_store_replay_and_prune_at_once() {
    let (root, _, step) = stored();
    let barrier = Barrier::new(6);
    std::thread::scope(|scope| {
        for thread in 0..6 {
            let (root, barrier, step) = (root.path(), &barrier, &step);
            scope.spawn(move || {
                // Each its own, as another process has.
                let cache = Cache::open(root, if thread == 0 { 0 } else { ROOMY }).unwrap();
                barrier.wait();
                for _ in 0..20 {
                    let fingerprint = ingredients(step).fingerprint().unwrap();
                    match cache.lookup(&step.name, &fingerprint) {
                        Lookup::Damaged(warning) => panic!("{warning}"),
                        _ if thread == 0 => drop(cache.prune().unwrap()),
                        Lookup::Miss => {
                            let outcome = Outcome::passed("4 files");
                            let stored = cache.store(step, &ingredients(step), &outcome, b"said");
                            stored.unwrap();
                        }
                        // Between looking up and replaying, the other may have pruned: a miss.
                        Lookup::Hit(entry) => {
                            if let Ok(replayed) = cache.replay(&entry) {
                                assert_eq!(replayed.outcome.summary, "4 files");
                            }
                        }
                    }
                }
            });
        }
    });
    assert_eq!(fs::read(root.path().join("dist/a.js")).unwrap(), b"a");
    assert!(cache_files(root.path(), "partial").is_empty());
}

/// A mounted file system of 256 KiB, unmounted with its handle.
struct TinyDisk(PathBuf);

impl TinyDisk {
    fn mount(at: &Path) -> Option<TinyDisk> {
        fs::create_dir_all(at).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=256k", "tmpfs"])
            .arg(at)
            .output();
        mounted.is_ok_and(|mounted| mounted.status.success()).then(|| TinyDisk(at.to_owned()))
    }
}

impl Drop for TinyDisk {
    fn drop(&mut self) {
        Command::new("umount").arg(&self.0).status().unwrap();
    }
}

#[test]
fn a_full_disk_is_a_warning_and_leaves_nothing() {
    let root = tempfile::tempdir().unwrap();
    let Some(_disk) = TinyDisk::mount(&root.path().join(CACHE_FOLDER)) else {
        eprintln!("skipped: mounting a small file system needs a privilege that is missing here");
        return;
    };
    let noise: Vec<u8> =
        (0..400_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 7) as u8).collect();
    fs::create_dir(root.path().join("dist")).unwrap();
    fs::write(root.path().join("dist/small"), "fits").unwrap();
    fs::write(root.path().join("dist/z-large"), &noise).unwrap();
    let cache = Cache::open(root.path(), ROOMY).unwrap();
    let step = step("build", &["dist/**"]);
    let error = cache.store(&step, &ingredients(&step), &Outcome::passed(""), b"").unwrap_err();
    let error = format!("{error:#}");
    assert!(error.starts_with("failed to keep dist/z-large: "), "{error}");
    assert!(error.contains("No space left"), "{error}");
    assert!(is_miss(&cache, &step));
    assert!(cache_files(root.path(), "partial").is_empty());
    assert_eq!(cache.stats().unwrap().entries, 0);
    // What fits is kept as ever, and pruning takes what the failed store left.
    fs::remove_file(root.path().join("dist/z-large")).unwrap();
    cache.store(&step, &ingredients(&step), &Outcome::passed(""), b"").unwrap();
    assert!(cache.replay(&hit(&cache, &step)).is_ok());
}

mod laws {
    use super::*;
    use proptest::prelude::*;

    fn outcome() -> impl Strategy<Value = Outcome> {
        (".{0,12}", any::<u64>(), prop::collection::vec(".{0,8}", 0..3)).prop_map(
            |(summary, duration_ms, rules)| Outcome {
                duration_ms,
                findings: rules.iter().map(|rule| report::Finding::note(rule, "m")).collect(),
                measures: vec![report::Measure::new("n", duration_ms as f64, report::Unit::Ms)],
                ..Outcome::passed(summary)
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        /// Whatever is done to the outputs after the run, a replay makes them what the run left.
        #[test]
        fn replay_equals_run(
            files in prop::collection::btree_map(
                "[ab\n ]{1,3}(/[ab]{1,2})?",
                (prop::collection::vec(any::<u8>(), 0..40), any::<bool>()),
                1..6,
            ),
            link in prop::option::of("[ab./]{1,4}"),
            outcome in outcome(),
            output in prop::collection::vec(any::<u8>(), 0..200),
            harm in prop::collection::vec((any::<prop::sample::Index>(), 0..3_u8), 0..4),
        ) {
            let root = tempfile::tempdir().unwrap();
            let dist = root.path().join("dist");
            fs::create_dir(&dist).unwrap();
            let mut made = Vec::new();
            for (path, (content, is_executable)) in &files {
                let path = dist.join(path);
                if fs::create_dir_all(path.parent().unwrap()).is_err()
                    || fs::write(&path, content).is_err()
                {
                    continue;
                }
                let mode = if *is_executable { 0o755 } else { 0o644 };
                fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
                made.push(path);
            }
            if let Some(link) = link {
                symlink(link, dist.join("link")).unwrap();
            }
            let step = step("build", &["dist/**"]);
            let cache = Cache::open(root.path(), ROOMY).unwrap();
            let before = tree(&dist);
            cache.store(&step, &ingredients(&step), &outcome, &output).unwrap();
            for (which, how) in harm {
                let path = &made[which.index(made.len())];
                let _ = match how {
                    0 => fs::remove_file(path),
                    1 => fs::write(path, "harmed"),
                    _ => fs::set_permissions(path, PermissionsExt::from_mode(0o755)),
                };
            }
            let cache = Cache::open(root.path(), ROOMY).unwrap();
            let replayed = cache.replay(&hit(&cache, &step)).unwrap();
            prop_assert_eq!(replayed.outcome, Outcome { replayed: true, ..outcome });
            prop_assert_eq!(replayed.output, output);
            prop_assert_eq!(tree(&dist), before);
        }
    }
}

//! Storing and replaying: what a run leaves is what a replay brings.

use super::*;
use crate::pipeline::step::{Command, Version};
use config::When;
use report::Artifact;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::sync::Barrier;
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

const ROOMY: u64 = 1 << 30;

pub fn step(name: &str, outputs: &[&str]) -> Step {
    Step {
        name: name.to_owned(),
        about: String::new(),
        command: Command::Shell("make".to_owned()),
        versions: vec![Version { name: "make".to_owned(), value: "4.4".to_owned() }],
        needs: Vec::new(),
        prepares_with: None,
        inputs: vec!["src/**".to_owned()],
        outputs: outputs.iter().map(|glob| (*glob).to_owned()).collect(),
        env: Vec::new(),
        pass_env: Vec::new(),
        timeout: Duration::from_secs(60),
        retries: 0,
        exclusive: None,
        cache: true,
        junit: Vec::new(),
        sarif: Vec::new(),
        allow_failure: false,
        when: When::Always,
    }
}

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

//! A build after a build.

use super::*;
use release::evidence::EvidenceFolder;
use release::{KEPT_RELEASES, ReleaseId, Releases};
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

#[test]
fn an_unchanged_file_is_not_compressed_again() {
    let root = plain();
    let (before, _) = built(root.path());
    put(root.path(), "public/assets/app.4f9c2ab1.css", "body { color: navy }");
    let (after, outcome) = built(root.path());
    assert_ne!(before.manifest().id, after.manifest().id);
    assert_eq!(before.manifest().file("index.html"), after.manifest().file("index.html"));
    assert_eq!(measure(&outcome, "site.files.reused"), 2.0, "the page and the picture");
    let inode = |release: &Release, path| fs::metadata(release.site_path(path)).unwrap().ino();
    assert_eq!(inode(&before, "index.html.br"), inode(&after, "index.html.br"), "written once");
    before.verify().unwrap();
}

#[test]
fn where_nothing_changed_nothing_is_written() {
    let root = plain();
    let (release, _) = built(root.path());
    settle(root.path());
    built(root.path());
    let look = || {
        let folders = ["target/xtask/releases", "target/xtask/state"];
        let files = folders.map(|folder| files_in(&root.path().join(folder))).concat();
        let look = |path: PathBuf| {
            let metadata = fs::metadata(&path).unwrap();
            (path, metadata.ino(), metadata.modified().unwrap())
        };
        files.into_iter().map(look).collect::<Vec<_>>()
    };
    let before = look();
    built(root.path());
    assert_eq!(look(), before);
    release.verify().unwrap();
}

/// Waits until the file system's clock has left the tick in which the releases were written: only
/// then a file's times vouch for its contents.
fn settle(root: &Path) {
    let changed_ns = |path: &Path| {
        let metadata = fs::metadata(path).unwrap();
        metadata.ctime() * 1_000_000_000 + metadata.ctime_nsec()
    };
    let releases = files_in(&root.join("target/xtask/releases"));
    let newest = releases.iter().map(|path| changed_ns(path)).max().unwrap();
    let clock = root.join("target/clock");
    loop {
        fs::write(&clock, "tick").unwrap();
        if changed_ns(&clock) > newest + 60_000_000 {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn an_edit_that_keeps_size_and_time_is_seen() {
    let root = plain();
    let (before, _) = built(root.path());
    built(root.path());
    let path = root.path().join("public/photo.png");
    let modified = fs::metadata(&path).unwrap().modified().unwrap();
    fs::write(&path, "not REALLY").unwrap();
    fs::File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
    let (after, _) = built(root.path());
    assert_ne!(after.manifest().id, before.manifest().id);
}

#[test]
fn a_name_that_became_free_is_a_variants_again() {
    let root = plain();
    let (fresh, _) = built(root.path());
    let elsewhere = plain();
    for own in ["public/index.html.br", "public/index.html.gz/file.txt"] {
        put(elsewhere.path(), own, "the site's own");
        let (with, _) = built(elsewhere.path());
        assert_ne!(with.manifest().id, fresh.manifest().id);
        fs::remove_file(elsewhere.path().join(own)).unwrap();
    }
    let (again, _) = built(elsewhere.path());
    assert_eq!(again.manifest().id, fresh.manifest().id);
}

#[test]
fn the_same_contents_at_another_path_are_sent_as_its_name_says() {
    let root = plain();
    built(root.path());
    let public = root.path().join("public");
    fs::copy(public.join("index.html"), public.join("page.txt")).unwrap();
    fs::copy(public.join("index.html"), public.join("page.png")).unwrap();
    let (release, _) = built(root.path());
    let manifest = release.manifest();
    let kind = |path: &str| manifest.file(path).unwrap().content_type.as_str();
    assert_eq!(kind("page.txt"), "text/plain; charset=utf-8");
    assert_eq!(
        (kind("page.png"), manifest.file("page.png").unwrap().variants.len()),
        ("image/png", 0)
    );
    assert_eq!(manifest.file("page.txt").unwrap().variants.len(), 3);
}

#[test]
fn a_damaged_variant_of_an_earlier_release_is_not_taken_over() {
    let root = plain();
    let (before, _) = built(root.path());
    fs::write(before.site_path("index.html.br"), "rubbish").unwrap();
    put(root.path(), "public/new.txt", "so that it is another release");
    let (after, _) = built(root.path());
    assert_eq!(before.manifest().file("index.html"), after.manifest().file("index.html"));
}

#[test]
fn old_releases_go_and_the_latest_stays() {
    let root = plain();
    let mut ids: Vec<ReleaseId> = Vec::new();
    for number in 0..KEPT_RELEASES + 3 {
        put(root.path(), "public/index.html", &format!("version {number}"));
        let id = built(root.path()).0.manifest().id.clone();
        fs::create_dir_all(EvidenceFolder::of(root.path(), &id).path()).unwrap();
        ids.push(id);
    }
    let kept: Vec<ReleaseId> =
        Releases::of(root.path()).list().unwrap().into_iter().map(|release| release.id).collect();
    let newest: Vec<ReleaseId> = ids.iter().rev().take(KEPT_RELEASES).cloned().collect();
    assert_eq!(kept, newest);
    let left = fs::read_dir(root.path().join("target/xtask/releases")).unwrap().count();
    assert_eq!(left, KEPT_RELEASES + 1, "the releases and the pointer, nothing half-made");
    let has_evidence = |id: &&ReleaseId| EvidenceFolder::of(root.path(), id).path().exists();
    let with_evidence: Vec<&ReleaseId> = ids.iter().rev().filter(has_evidence).collect();
    assert_eq!(with_evidence, newest.iter().collect::<Vec<_>>(), "it goes with its release");
}

#[test]
fn builds_at_the_same_time_agree() {
    let root = plain();
    let builds: Vec<_> = (0..4)
        .map(|_| {
            Command::new(env!("CARGO_BIN_EXE_xtask-build"))
                .current_dir(root.path())
                .env_remove(report::OUTCOME_ENV)
                .stdout(std::process::Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    for mut build in builds {
        assert!(build.wait().unwrap().success());
    }
    assert_eq!(Releases::of(root.path()).list().unwrap().len(), 1);
    built(root.path());
}

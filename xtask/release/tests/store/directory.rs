//! A folder as a store.

use crate::contract;
use release::make::make;
use release::store::{self, Directory, Store, StoreError};
use release::{Release, ReleaseId};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

#[test]
fn a_folder_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let count = std::sync::atomic::AtomicUsize::new(0);
    contract::check(&|| {
        let number = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Box::new(Directory::new(folder.path().join(format!("store-{number}"))))
    });
}

/// A release of a small site with a server.
fn built(root: &Path, page: &str) -> Release {
    fs::create_dir_all(root.join("site/assets")).unwrap();
    fs::write(root.join("site/index.html"), page).unwrap();
    fs::write(root.join("site/assets/app.0123abcd.css"), "body{margin:0} ".repeat(200)).unwrap();
    fs::write(root.join("server.sh"), "#!/bin/sh\n").unwrap();
    fs::set_permissions(root.join("server.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    let toml = "[project]\nname = \"demo\"\n[build]\nsite = \"site\"\n\
        [build.server]\npath = \"server.sh\"\nready = \"/\"\n";
    let config = config::Config::parse(Path::new("xtask.toml"), toml).unwrap();
    let made = make(root, &config, config.build.as_ref().unwrap(), None).unwrap();
    Release::open(&made.dir.path).unwrap()
}

#[test]
fn a_release_comes_out_as_it_went_in() {
    let root = tempfile::tempdir().unwrap();
    let store = Directory::new(root.path().join("store"));
    let release = built(root.path(), "<h1>one</h1>");
    let uploaded = store::upload(&store, &release).unwrap();
    assert!(uploaded.new_files >= 3 && uploaded.known_files == 0, "{uploaded:?}");
    let again = store::upload(&store, &release).unwrap();
    assert_eq!((again.new_files, again.known_files), (0, uploaded.new_files));
    let id = &release.manifest().id;
    assert_eq!(store::stored_releases(&store).unwrap(), std::slice::from_ref(id));

    let fetched = store::fetch(&store, id, &root.path().join("fetched")).unwrap();
    fetched.verify().unwrap();
    assert_eq!(fetched.manifest(), release.manifest());
    let mode = fs::metadata(fetched.server_path().unwrap()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o555);
    store::fetch(&store, id, fetched.dir()).unwrap();

    let next = built(root.path(), "<h1>two</h1>");
    let uploaded = store::upload(&store, &next).unwrap();
    assert_eq!(uploaded.new_files, 1, "only the page is new");
}

#[test]
fn what_is_damaged_in_the_store_later_does_not_reach_what_was_fetched() {
    let root = tempfile::tempdir().unwrap();
    let store = Directory::new(root.path().join("store"));
    let release = built(root.path(), "<h1>one</h1>");
    store::upload(&store, &release).unwrap();
    let fetched =
        store::fetch(&store, &release.manifest().id, &root.path().join("fetched")).unwrap();
    for file in &release.manifest().files {
        let place = store.place(&store::blob(&file.sha256)).unwrap();
        let size = usize::try_from(file.size_bytes).unwrap();
        fs::write(place, vec![b'?'; size]).unwrap();
    }
    fetched.verify().unwrap();
}

#[test]
fn a_release_that_is_not_whole_is_not_given_out() {
    let root = tempfile::tempdir().unwrap();
    let store = Directory::new(root.path().join("store"));
    let release = built(root.path(), "<h1>one</h1>");
    let id = release.manifest().id.clone();
    let missing = store::fetch(&store, &id, &root.path().join("none")).unwrap_err();
    assert!(matches!(missing, StoreError::NoRelease { .. }), "{missing}");

    store::upload(&store, &release).unwrap();
    let server = release.manifest().server.clone().unwrap();
    let blob = store.place(&store::blob(&server.sha256)).unwrap();
    fs::write(&blob, "#!/bin/sh\nrm").unwrap();
    let damaged = store::fetch(&store, &id, &root.path().join("damaged")).unwrap_err();
    assert!(matches!(damaged, StoreError::Damaged { .. }), "{damaged}");
    fs::remove_file(&blob).unwrap();
    let gone = store::fetch(&store, &id, &root.path().join("gone")).unwrap_err();
    assert!(gone.to_string().contains("server/server.sh is missing"), "{gone}");
    assert!(!root.path().join("gone").exists());

    let manifest = store.place(&store::manifest(&id)).unwrap();
    let text = fs::read_to_string(&manifest).unwrap().replace("demo", "evil");
    fs::write(&manifest, text).unwrap();
    let forged = store::stored_manifest(&store, &id).unwrap_err();
    assert!(matches!(forged, StoreError::Damaged { .. }), "{forged}");
    let other: ReleaseId = "2026-11-23-ba7816bf8f01".parse().unwrap();
    assert!(store::stored_manifest(&store, &other).is_err());
}

#[test]
fn a_store_that_cannot_be_written_says_where() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("store"), "a file in the way").unwrap();
    let store = Directory::new(root.path().join("store"));
    let error = store.create(&store::lease(), b"x").unwrap_err();
    assert!(error.to_string().contains("store"), "{error}");
    assert!(!error.is_conflict());
    assert_eq!(store.read(&store::lease()).unwrap(), None);
}

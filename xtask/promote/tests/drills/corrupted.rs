//! Files of a candidate that are not what its manifest says: on this disk, in the store, before they are
//! loaded and after.

use crate::client::Client;
use crate::server::Manner;
use crate::shop::Shop;
use release::store::{Directory, Store, blob, upload};
use release::{Release, ReleaseId, Releases, Sha256};
use std::fs;
use std::path::{Path, PathBuf};

/// Larger than what the edge holds in memory.
const LARGE_BYTES: usize = 1024 * 1024 + 1;

/// Other contents of the same size, in the very file: only the digest tells.
pub fn corrupt(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let last = bytes.len() - 2;
    bytes[last] ^= 1;
    fs::write(path, bytes).unwrap();
}

impl Shop {
    fn store(&self) -> Directory {
        Directory::new(self.project.root().join("env/production"))
    }

    pub fn opened(&self, id: &ReleaseId) -> Release {
        Release::open(&Releases::of(self.project.root()).path_of(id)).unwrap()
    }

    /// Where the store keeps a file of a release, or its server.
    pub fn blob_of(&self, release: &Release, name: &str) -> PathBuf {
        let manifest = release.manifest();
        let files = manifest.files.iter().map(|file| (file.path.as_str(), file.sha256));
        let server = manifest.server.iter().map(|server| (server.path.as_str(), server.sha256));
        let found = files.chain(server).find(|(path, _)| path.contains(name));
        let sha256: Sha256 = found.unwrap().1;
        self.store().place(&blob(&sha256)).unwrap()
    }
}

#[test]
fn a_candidate_that_was_corrupted_in_the_store_is_not_loaded() {
    for name in ["look", "server"] {
        let shop = Shop::new(true, "");
        let candidate = shop.release(2, Manner::Slow);
        let release = shop.opened(&candidate);
        // As an upload that was stopped leaves it, and a disk that fails.
        upload(&shop.store(), &release).unwrap();
        let blob = shop.blob_of(&release, name);
        corrupt(&blob);
        let (ran, seen) = shop.turns_back(Manner::Slow);
        assert!(seen.failed.is_empty(), "{seen:#?}");
        assert_eq!(seen.answers.len(), 1, "somebody met the candidate: {seen:#?}");
        let why = format!("it could not be loaded: release {candidate} in the store is damaged: ");
        shop.tells_why(&ran, &[&why, "expected SHA-256 ", "the next promotion brings it anew"]);

        fs::remove_file(blob).unwrap();
        shop.project.promote(&[candidate.as_str()]).expect(0);
        assert_eq!(shop.project.status("production")["live"], candidate.as_str());
    }
}

#[test]
fn a_release_that_was_corrupted_here_is_refused_before_anything_is_changed() {
    let shop = Shop::new(true, "");
    let live = shop.release(1, Manner::Sound);
    shop.project.promote(&[]).expect(0);
    let before = shop.project.run("history", &[]).stdout;
    for path in ["site/index.html", "server/server"] {
        let candidate = shop.release(2, Manner::Slow);
        let folder = Releases::of(shop.project.root()).path_of(&candidate);
        let sound = fs::read(folder.join(path)).unwrap();
        fs::remove_file(folder.join(path)).unwrap();
        fs::write(folder.join(path), &sound[1..]).unwrap();
        let ran = shop.project.promote(&[candidate.as_str()]);
        ran.expect(4);
        assert!(ran.stderr.contains("its files are not what its manifest says"), "{}", ran.stderr);
        assert!(ran.stderr.contains(path), "{}", ran.stderr);
        assert!(!shop.project.has(&format!("env/production/releases/{candidate}")));
    }
    assert_eq!(shop.project.run("history", &[]).stdout, before);
    assert_eq!(shop.project.status("production")["live"], live.as_str());
}

#[test]
fn what_the_store_corrupts_or_loses_after_it_was_loaded_reaches_nobody() {
    let gates = "gates = [\"command:wait\"]\n\
                 commands = { wait = \"while test -f hold; do sleep 0.05; done\" }";
    let shop = Shop::new(true, gates);
    let live = shop.release(1, Manner::Sound);
    shop.project.promote(&[]).expect(0);
    let visitors = shop.visitors();
    visitors.wait_for_answers(live.as_str(), 20);
    shop.project.write("hold", "");
    let large = "x".repeat(LARGE_BYTES);
    let add = |shop: &Shop| shop.project.write("site/large.bin", &large);
    let next = shop.release_with(2, Manner::Sound, add);
    let promoter = shop.project.start("promote", &[]);
    shop.project.wait_for_phase("verifying");

    let release = shop.opened(&next);
    for name in ["look", "large", "server"] {
        corrupt(&shop.blob_of(&release, name));
    }
    fs::remove_file(shop.project.root().join("hold")).unwrap();
    promoter.end().expect(0);
    fs::remove_file(shop.blob_of(&release, "app")).unwrap();
    let manifest = format!("env/production/releases/{next}/manifest.json");
    fs::remove_file(shop.project.root().join(manifest)).unwrap();

    visitors.wait_for_answers(next.as_str(), 50);
    let seen = visitors.end();
    assert!(seen.failed.is_empty() && seen.mixtures.is_empty(), "{seen:#?}");
    let answer = Client::new(shop.address, false).get("/large.bin").unwrap();
    assert!(answer.body == large.as_bytes(), "a corrupted file was served");
}

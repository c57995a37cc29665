//! Stores that lose what was in them. What is live goes on.

use crate::project::Ran;
use crate::server::Manner;
use crate::shop::Shop;
use release::ReleaseId;
use std::fs;

/// Three releases went live one after the other: the last is live, the one before is kept warm, and the
/// first is in the store alone.
fn promoted() -> (Shop, [ReleaseId; 3]) {
    let shop = Shop::new(false, "");
    let releases = [1, 2, 3].map(|number| {
        let release = shop.release(number, Manner::Sound);
        shop.project.promote(&[]).expect(0);
        release
    });
    (shop, releases)
}

impl Shop {
    fn lose(&self, path: &str) {
        fs::remove_file(self.project.root().join("env/production").join(path)).unwrap();
    }

    /// Lets visitors come while something is lost, and looks whether any of them notices.
    fn nobody_notices(&self, live: &ReleaseId, act: impl FnOnce() -> Ran) -> Ran {
        let visitors = self.visitors();
        visitors.wait_for_answers(live.as_str(), 20);
        let ran = act();
        visitors.wait_for_answers(live.as_str(), 50);
        let seen = visitors.end();
        assert!(seen.failed.is_empty() && seen.mixtures.is_empty(), "{seen:#?}");
        ran
    }
}

#[test]
fn a_lost_routing_stops_promotions_until_somebody_says_what_is_live() {
    let (shop, [_, second, third]) = promoted();
    let ran = shop.nobody_notices(&third, || {
        shop.lose("routing.json");
        shop.project.promote(&[second.as_str()])
    });
    ran.expect(4);
    let back = format!("cargo xtask rollback --env production --to {third}");
    for words in ["production: nothing is live by its routing, and", third.as_str(), &back] {
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
    }
    let rollback = || shop.project.run("rollback", &["--to", third.as_str()]);
    shop.nobody_notices(&third, rollback).expect(0);
    shop.project.run("history", &["verify"]).expect(0);
    shop.project.promote(&[second.as_str()]).expect(0);
}

#[test]
fn a_lost_record_of_the_journal_stops_all_that_would_be_moved() {
    let (shop, [first, _, third]) = promoted();
    let ran = shop.nobody_notices(&third, || {
        shop.lose("journal/0000000003.json");
        shop.project.promote(&[first.as_str()])
    });
    ran.expect(4);
    for ran in [ran, shop.project.run("rollback", &[]), shop.project.run("history", &["verify"])] {
        ran.expect(4);
        let why = "record 3 of the journal is not what was written: it is missing";
        assert!(ran.stderr.contains(why), "{}", ran.stderr);
    }
}

#[test]
fn a_release_that_the_store_lost_a_file_of_is_nothing_to_go_back_to() {
    let (shop, [first, second, third]) = promoted();
    for lost in [&first, &second] {
        let release = shop.opened(lost);
        fs::remove_file(shop.blob_of(&release, "look")).unwrap();
    }
    let to_first = || shop.project.run("rollback", &["--to", first.as_str()]);
    let ran = shop.nobody_notices(&third, to_first);
    ran.expect(4);
    let why =
        format!("production: release {first} in the store is damaged: assets/look.000001a1.css");
    assert!(ran.stderr.contains(&why), "{}", ran.stderr);
    assert!(ran.stderr.contains(" is missing: expected 8 bytes in blobs/"), "{}", ran.stderr);
    assert_eq!(shop.project.status("production")["live"], third.as_str());
    // The one before is loaded: it needs nothing of the store.
    let visitors = shop.visitors();
    shop.project.run("rollback", &[]).expect(0);
    visitors.wait_for_answers(second.as_str(), 50);
    assert!(visitors.end().failed.is_empty());
    // Where it was built, it is brought anew.
    shop.project.promote(&[first.as_str()]).expect(0);
    shop.project.run("history", &["verify"]).expect(0);
}

#[test]
fn a_rollback_to_what_cannot_be_loaded_says_that_nobody_follows() {
    let (shop, [first, _, third]) = promoted();
    let release = shop.opened(&first);
    crate::corrupted::corrupt(&shop.blob_of(&release, "look"));
    let kept = shop.project.root().join("target/xtask/edge/production/releases");
    fs::remove_dir_all(kept.join(first.as_str())).unwrap();
    let to_first = || shop.project.run("rollback", &["--to", first.as_str()]);
    let ran = shop.nobody_notices(&third, to_first);
    ran.expect(0);
    assert!(ran.stdout.contains("NOT ALL FOLLOW YET"), "{}", ran.stdout);
    assert!(ran.stdout.contains(&format!("goes on serving {third}")), "{}", ran.stdout);
    shop.project.run("rollback", &["--to", third.as_str()]).expect(0);
    shop.project.run("history", &["verify"]).expect(0);
}

#[test]
fn a_store_that_is_no_folder_is_named() {
    let shop = Shop::new(false, "");
    shop.release(1, Manner::Sound);
    shop.project.write("env/production", "");
    let ran = shop.project.promote(&[]);
    ran.expect(3);
    assert!(ran.stderr.contains("env/production: File exists"), "{}", ran.stderr);
    assert!(ran.stderr.contains("expected a folder there"), "{}", ran.stderr);
}

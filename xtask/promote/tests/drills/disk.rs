//! Stores that cannot be written: full, or read-only. What is live goes on, and what was begun goes on
//! once there is space again.

use crate::project::Ran;
use crate::server::Manner;
use crate::shop::Shop;
use crate::small_disk::SmallDisk;
use crate::visitors::Visitors;
use std::fs;
use std::process::Command;

/// Larger than what is left in a store that is nearly full.
const LARGE_BYTES: usize = 300 * 1024;

/// The next release has a file that a nearly full store has no place for.
fn add_large_file(shop: &Shop) {
    // Nothing that compresses.
    let mut state = 1_u32;
    let mut digit = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        char::from_digit(state >> 28, 16).unwrap()
    };
    shop.project.write("site/large.txt", &(0..LARGE_BYTES).map(|_| digit()).collect::<String>());
}

/// A promoter that may write no large file: as with a full disk, a write fails in its middle, and it
/// needs no disk of its own.
fn promote_with_a_limit(shop: &Shop) -> Ran {
    let promote = shop.project.command("promote", &[]);
    let mut command = Command::new("sh");
    command
        .args(["-c", "trap '' XFSZ; ulimit -f 256; exec \"$0\""])
        .arg(promote.get_program())
        .current_dir(shop.project.root());
    for (name, value) in promote.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    Ran::of(&command.output().unwrap())
}

#[test]
fn an_upload_that_cannot_be_written_is_gone_on_with() {
    let shop = Shop::new(false, "");
    let first = shop.release(1, Manner::Sound);
    shop.project.promote(&[]).expect(0);
    let visitors = shop.visitors();
    let second = shop.release_with(2, Manner::Sound, add_large_file);
    let ran = promote_with_a_limit(&shop);
    ran.expect(3);
    for words in ["production: failed to write ", "/env/production/blobs/", "make space there"] {
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
    }
    assert!(ran.stdout.contains("cargo xtask promote --resume"), "{}", ran.stdout);
    visitors.wait_for_answers(first.as_str(), 50);
    shop.project.promote(&["--resume"]).expect(0);
    visitors.wait_for_answers(second.as_str(), 50);
    nobody_was_hurt(&shop, visitors);
}

#[test]
fn a_store_without_space_stops_a_rollout_and_hurts_nobody() {
    let shop = Shop::new(false, "");
    let Some(disk) = SmallDisk::mount(&shop) else { return };
    let first = shop.release(1, Manner::Sound);
    shop.project.promote(&[]).expect(0);
    let visitors = shop.visitors();
    let second = shop.release_with(2, Manner::Sound, add_large_file);

    // For the lease and the first records there is space, for the release there is not.
    let filler = disk.fill(128 * 1024);
    disk.is_told(&shop.project.promote(&[]), "No space left on device", "make space there");
    // There is none at all: what goes back still can be written.
    disk.fill(0);
    disk.is_told(
        &shop.project.promote(&["--resume"]),
        "No space left on device",
        "make space there",
    );
    shop.project.run("rollback", &[]).expect(0);
    visitors.wait_for_answers(first.as_str(), 50);

    fs::remove_file(filler).unwrap();
    shop.project.promote(&[]).expect(0);
    visitors.wait_for_answers(second.as_str(), 50);
    nobody_was_hurt(&shop, visitors);
}

#[test]
fn a_faulty_candidate_comes_back_though_the_disk_is_full() {
    let shop = Shop::new(
        true,
        "shift = [\"50% for 20s\", \"100%\"]\ngates = [\"command:fill\", \"analysis\"]\n\
         analysis = { error-share = { max = \"1%\" } }\n\
         commands = { fill = \"test ! -f fill || cat /dev/zero > env/production/filler; true\" }",
    );
    let Some(_disk) = SmallDisk::mount(&shop) else { return };
    shop.release(1, Manner::Sound);
    shop.project.promote(&[]).expect(0);
    let visitors = shop.visitors();
    let candidate = shop.release(2, Manner::Fails);
    shop.project.write("fill", "");
    let ran = shop.project.promote(&[]);
    ran.expect(1);
    shop.tells_why(&ran, &["gate `analysis` failed: error share "]);
    let seen = visitors.end();
    let hurt = seen.failures_beside(candidate.as_str());
    assert!(hurt.is_empty(), "visitors of the live release were hurt: {hurt:#?}");
    let full = fs::write(shop.project.root().join("env/production/more"), [0; 128 * 1024]);
    assert!(full.is_err(), "the disk was not full");
    shop.project.run("history", &["verify"]).expect(0);
}

#[test]
fn a_read_only_store_is_told_and_hurts_nobody() {
    let shop = Shop::new(false, "");
    let Some(disk) = SmallDisk::mount(&shop) else { return };
    let first = shop.release(1, Manner::Sound);
    shop.project.promote(&[]).expect(0);
    let second = shop.release(2, Manner::Sound);
    shop.project.promote(&[]).expect(0);
    let visitors = shop.visitors();
    disk.remount("ro");
    let freeze = ["--env", "production", "--reason", "the disk"];
    for (command, arguments) in
        [("promote", &[first.as_str()][..]), ("rollback", &[]), ("freeze", &freeze)]
    {
        let ran = shop.project.run(command, arguments);
        disk.is_told(&ran, "Read-only file system", "make the store writable");
    }
    visitors.wait_for_answers(second.as_str(), 50);
    disk.remount("rw");
    shop.project.run("rollback", &[]).expect(0);
    visitors.wait_for_answers(first.as_str(), 50);
    nobody_was_hurt(&shop, visitors);
}

fn nobody_was_hurt(shop: &Shop, visitors: Visitors) {
    let seen = visitors.end();
    assert!(seen.failed.is_empty() && seen.mixtures.is_empty(), "{seen:#?}");
    shop.project.run("history", &["verify"]).expect(0);
}

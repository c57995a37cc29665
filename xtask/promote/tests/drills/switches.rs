//! A hundred promotions and rollbacks while visitors come: no request fails, no page is a mixture.

use crate::server::Manner;
use crate::shop::Shop;
use std::time::Instant;

#[test]
fn a_hundred_switches_hurt_nobody() {
    switch(false, 100);
}

#[test]
fn switches_of_servers_hurt_nobody() {
    // A server is started and ended with each.
    switch(true, 20);
}

fn switch(has_server: bool, switches: u32) {
    let shop = Shop::new(has_server, "");
    let first = shop.release(1, Manner::Sound);
    let second = shop.release(2, Manner::Sound);
    shop.project.promote(&[first.as_str()]).expect(0);
    let visitors = shop.visitors();
    let began = Instant::now();
    for _ in 0..switches / 2 {
        shop.project.promote(&[second.as_str()]).expect(0);
        shop.project.run("rollback", &[]).expect(0);
    }
    let took = began.elapsed();
    let seen = visitors.end();
    let answers: u32 = seen.answers.values().sum();
    println!(
        "{switches} switches in {took:?}: {} visits, {answers} good answers, the latest visitor {:?} late",
        seen.visits, seen.most_late
    );
    assert!(seen.failed.is_empty(), "{:#?}", seen.failures);
    assert!(seen.mixtures.is_empty(), "{:#?}", seen.mixtures);
    for release in [&first, &second] {
        let answers = seen.answers.get(release.as_str()).copied().unwrap_or(0);
        assert!(answers > switches, "{release} gave {answers} answers: too few to tell");
    }
    assert_eq!(seen.answers.len(), 2, "{:?}", seen.answers);
    let status = shop.project.status("production");
    assert_eq!(status["live"], first.as_str());
    shop.project.run("history", &["verify"]).expect(0);
}

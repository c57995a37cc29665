//! Candidates that pass every check beforehand, and fail those who really come.

use crate::server::Manner;
use crate::shop::Shop;

#[test]
fn a_candidate_that_fails_real_traffic_comes_back() {
    let shop = Shop::new(
        true,
        "shift = [\"50% for 20s\", \"100%\"]\ngates = [\"smoke\", \"analysis\"]\n\
         analysis = { error-share = { max = \"1%\", against-live = \"no worse\" } }",
    );
    let (ran, seen) = shop.turns_back(Manner::Fails);
    assert!(!seen.failed.is_empty(), "nobody met the candidate: {seen:#?}");
    shop.tells_why(&ran, &["gate `analysis` failed: error share ", " against live 0% (0 of "]);
}

#[test]
fn a_candidate_that_is_ten_times_slower_comes_back() {
    let shop = Shop::new(
        true,
        "shift = [\"50% for 20s\", \"100%\"]\ngates = [\"smoke\", \"analysis\"]\n\
         analysis = { latency-p95 = { against-live = \"+50%\" } }",
    );
    let (ran, seen) = shop.turns_back(Manner::Slow);
    assert!(seen.failed.is_empty(), "{seen:#?}");
    shop.tells_why(&ran, &["gate `analysis` failed: latency p95 ", "against live"]);
}

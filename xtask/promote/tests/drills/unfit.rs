//! Candidates whose server never is ready, or does not stay alive.

use crate::server::Manner;
use crate::shop::Shop;

#[test]
fn a_candidate_that_is_never_ready_comes_back_before_it_has_any_traffic() {
    let shop = Shop::new(true, "ready-within = \"2s\"");
    let (ran, seen) = shop.turns_back(Manner::NeverReady);
    assert!(seen.failed.is_empty(), "{seen:#?}");
    assert_eq!(seen.answers.len(), 1, "somebody met the candidate: {seen:#?}");
    shop.tells_why(
        &ran,
        &["it could not be loaded: the server was not ready within 2s: expected 2xx at /health, \
             found 503"],
    );
}

#[test]
fn a_candidate_that_dies_under_traffic_fails_its_visitors_and_comes_back() {
    let shop = Shop::new(
        true,
        "shift = [\"50% for 20s\", \"100%\"]\ngates = [\"smoke\", \"analysis\"]\n\
         analysis = { error-share = { max = \"1%\" } }",
    );
    let (ran, _) = shop.turns_back(Manner::Leaks);
    shop.tells_why(&ran, &["gate `analysis` failed: error share "]);
    let log = shop.project.read("target/xtask/edge/production/edge.log");
    assert!(log.contains("out of memory"), "{log}");
}

#[test]
fn a_candidate_that_dies_again_and_again_comes_back_where_no_gate_looks() {
    let shop = Shop::new(true, "shift = [\"50% for 50s\", \"100%\"]");
    let (ran, _) = shop.turns_back(Manner::Leaks);
    let why = "it can no longer be served: restarted 5 times within a minute, and again: the server \
               died: exit status: 137";
    shop.tells_why(&ran, &[why, "out of memory"]);
}

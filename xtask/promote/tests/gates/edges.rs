//! Edges as a rollout's target.

use super::server::closed_address;
use super::world::{CANDIDATE, World, candidate};
use promote::target::{Readiness, Target};
use release::EdgePresence;
use std::time::{Duration, Instant};

fn status(generation: u64, state: &str) -> String {
    format!(r#"{{"generation":{generation},"releases":{{"{CANDIDATE}":{state}}}}}"#)
}

#[test]
fn the_worst_and_the_slowest_of_all_edges_counts() {
    let ready = r#"{"state":"ready","reason":null,"restarts":0,"role":"candidate"}"#;
    for (other, expected) in [
        (ready, Readiness::Ready),
        (r#"{"state":"loading"}"#, Readiness::Loading),
        (r#"{"state":"thawing"}"#, Readiness::Loading),
        (r#"{"state":"draining"}"#, Readiness::Unknown),
        (r#"{"state":"failed","reason":"it crashed"}"#, Readiness::Failed("it crashed".to_owned())),
    ] {
        let world = World::new("");
        let _edges = [world.edge(&status(8, ready)), world.edge(&status(7, other))];
        let target = world.target();
        assert_eq!(target.readiness(&candidate()), Ok(expected), "{other}");
        assert_eq!(target.generation(), Ok(7));
        assert_eq!(target.ensure_running(&|| false), Ok(()));
    }
    let world = World::new("");
    let _edges = [world.edge(&status(8, ready)), world.edge(r#"{"generation":null}"#)];
    assert_eq!(world.target().readiness(&candidate()), Ok(Readiness::Unknown));
    assert_eq!(world.target().generation(), Ok(0));
}

#[test]
fn edges_that_are_gone_do_not_count() {
    let world = World::new("");
    let _edge = world.edge(&status(8, r#"{"state":"ready"}"#));
    let here = world.presence(&format!("http://{}", closed_address()));
    let reused = EdgePresence { start_ticks: here.start_ticks + 1, ..here.clone() };
    let stale = "2026-11-23T10:00:00Z".to_owned();
    let stale = EdgePresence { seen_at: stale, instance: "stale".to_owned(), ..here };
    for gone in [reused, stale] {
        gone.write(&*world.store).unwrap();
    }
    assert_eq!(world.target().edges().unwrap().len(), 1);
    assert_eq!(world.target().generation(), Ok(8));
}

#[test]
fn an_edge_that_vanishes_is_an_error_that_names_it() {
    let world = World::new("");
    let edge = world.edge(&status(8, r#"{"state":"ready"}"#));
    let target = world.target();
    assert_eq!(target.generation(), Ok(8));
    let url = edge.url();
    drop(edge);
    let error = target.readiness(&candidate()).unwrap_err().to_string();
    assert!(
        error.starts_with(&format!("edge edge-0 at {url}/status: it gave no answer: ")),
        "{error}"
    );
    assert!(target.generation().is_err() && target.snapshots().is_err());
    assert!(target.candidate_url(&candidate()).is_err());
}

#[test]
fn what_is_no_status_is_an_error() {
    let world = World::new("");
    let _edge = world.edge("<html>");
    let error = world.target().generation().unwrap_err().to_string();
    assert!(error.starts_with("expected the status of edge edge-0: "), "{error}");
}

#[test]
fn a_release_is_reached_at_an_address_of_its_own() {
    let world = World::new("");
    let error = world.target().candidate_url(&candidate()).unwrap_err().to_string();
    assert_eq!(error, "no edge serves staging; `cargo xtask edge --env staging` starts one");
    let loading = world.edge(&status(1, r#"{"state":"loading","url":null}"#));
    let error = world.target().candidate_url(&candidate()).unwrap_err().to_string();
    assert_eq!(error, format!("no edge on this machine offers an address for release {CANDIDATE}"));
    let _edges = [loading, world.ready_edge()];
    assert_eq!(world.target().candidate_url(&candidate()).unwrap(), "http://127.0.0.1:7");
}

#[test]
fn an_edge_is_started_where_none_runs() {
    let world = World::new("");
    let presence = world.presence("http://127.0.0.1:1");
    let json = serde_json::to_string(&presence).unwrap();
    presence.remove(&*world.store).unwrap();
    world.script(
        "xtask-edge",
        &format!("echo \"$*\" > started; echo '{json}' > store/edges/e.json"),
    );
    world.target().ensure_running(&|| false).unwrap();
    let started = std::fs::read_to_string(world.root().join("started")).unwrap();
    assert_eq!(started, "--env staging --detach\n");
    assert_eq!(world.target().edges().unwrap().len(), 1);
}

#[test]
fn an_edge_that_does_not_start_says_why() {
    let world = World::new("");
    let error = world.target().ensure_running(&|| false).unwrap_err().to_string();
    assert!(
        error.starts_with("xtask-edge is neither beside this program nor on PATH: "),
        "{error}"
    );
    world.script("xtask-edge", "echo 'error: the address is taken' >&2; exit 3");
    let error = world.target().ensure_running(&|| false).unwrap_err().to_string();
    let expected = "failed to run `cargo xtask edge --env staging --detach`: the address is taken";
    assert_eq!(error, expected);

    let config = world.config();
    let mut elsewhere = config.environments["staging"].clone();
    elsewhere.listen = "192.0.2.1:80".parse().unwrap();
    let target = promote::edge_target::EdgeTarget::new(
        world.store.clone(),
        "staging",
        &elsewhere,
        world.root(),
    );
    let error = target.ensure_running(&|| false).unwrap_err().to_string();
    assert!(error.contains("192.0.2.1:80, which is not this machine's loopback"), "{error}");
}

#[test]
fn an_edge_that_takes_its_time_is_not_waited_for_once_nobody_waits() {
    let world = World::new("");
    world.script("xtask-edge", "exec sleep 600");
    let began = Instant::now();
    let is_stopped = || began.elapsed() > Duration::from_millis(200);
    let error = world.target().ensure_running(&is_stopped).unwrap_err().to_string();
    assert!(error.contains("it was not waited for"), "{error}");
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}

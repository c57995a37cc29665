//! The edge itself, in this process, as it serves an environment.

use super::world::{World, ask, rollout};
use clap::Parser;
use config::Config;
use edge::cli::Cli;
use edge::environment::run;
use edge::environment::settings::Settings;
use promote::http::Http;
use promote::journal::Verdict;
use promote::state::Rollout;
use promote::target::{Readiness, Target};
use release::routing::{Candidate, Routing, TrafficShare};
use release::store::upload;
use release::{Release, ReleaseId};
use std::time::{Duration, Instant};

/// A test that waits longer for something has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// Makes a release of one page and brings it into the store.
fn add(world: &World, page: &str) -> ReleaseId {
    let root = world.root().join(page);
    std::fs::create_dir_all(root.join("public")).unwrap();
    std::fs::write(root.join("public/index.html"), page).unwrap();
    let toml = "[project]\nname = \"fixture\"\n[build]\nsite = \"public\"\n";
    std::fs::write(root.join("xtask.toml"), toml).unwrap();
    let config = Config::load(&root).unwrap();
    let build = config.build.clone().unwrap();
    let made = release::make::make(&root, &config, &build, None).unwrap();
    upload(&*world.store, &Release::open(&made.dir.path).unwrap()).unwrap();
    made.dir.id
}

/// Serves the environment until it is dropped.
fn serve(world: &World) -> tokio::runtime::Runtime {
    let cli = Cli::parse_from(["xtask-edge", "--env", "staging"]);
    let settings =
        Settings::resolve(world.root(), "staging", &cli.environment, None, &cli.connections);
    let settings = settings.unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.spawn(async move { run::run(&settings, false).await.unwrap() });
    runtime
}

fn until(what: &str, is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_candidate_is_found_at_a_real_edge_and_judged() {
    let world = World::new(
        "gates = [\"analysis\", \"command:page\"]\n\
         commands = { page = 'test \"$BASE_URL\" = \"$(cat url)\"' }\n\
         analysis = { error-share = { max = \"1%\" } }",
    );
    let (live, candidate) = (add(&world, "live"), add(&world, "candidate"));
    let routing = Routing {
        generation: 1,
        live: Some(live.clone()),
        candidate: Some(Candidate { release: candidate.clone(), share: TrafficShare::NONE }),
        ..Routing::empty()
    };
    routing.write(&*world.store, None).unwrap();
    let _edge = serve(&world);
    let target = world.target();
    until("an edge runs", || !target.edges().unwrap().is_empty());
    until("the candidate is ready", || target.readiness(&candidate) == Ok(Readiness::Ready));
    assert_eq!(target.readiness(&live), Ok(Readiness::Ready));
    assert_eq!(target.generation(), Ok(1));

    let http = Http::new(PATIENCE);
    let url = target.candidate_url(&candidate).unwrap();
    assert_eq!(http.get(&url, &[], None).unwrap(), b"candidate");
    let listen = target.edges().unwrap()[0].listen.clone();
    assert_eq!(http.get(&listen, &[], None).unwrap(), b"live");

    std::fs::write(world.root().join("url"), &url).unwrap();
    let rollout = Rollout { release: candidate.clone(), from: Some(live), ..rollout() };
    assert_eq!(ask(&world.gates(None), "command:page", &rollout).verdict, Verdict::Pass);

    until("the request is counted", || {
        let (_, snapshot) = target.snapshots().unwrap().remove(0);
        snapshot.releases.get(candidate.as_str()).is_some_and(|counts| counts.requests == 1)
    });
}

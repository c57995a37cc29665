//! The analysis of shares, by what edges and sources say.

use super::server::{Request, Server, answer};
use super::world::{CANDIDATE, LIVE, World, rollout};
use config::Gate;
use promote::gates::Gates;
use promote::journal::{Phase, Verdict};
use promote::rollout::{Judge, Judgement, Situation};
use std::sync::{Arc, Mutex};

/// What an edge has counted, and how it is asked for it.
#[derive(Clone, Default)]
struct Counts(Arc<Mutex<Counted>>);

#[derive(Clone, Copy, Default)]
struct Counted {
    /// Requests and errors.
    live: (u64, u64),
    candidate: (u64, u64),
    /// Milliseconds since it started.
    uptime: u64,
}

impl Counts {
    fn set(&self, live: (u64, u64), candidate: (u64, u64)) {
        let mut counted = self.0.lock().unwrap();
        counted.uptime += 10_000;
        (counted.live, counted.candidate) = (live, candidate);
    }

    fn json(&self) -> String {
        let counted = *self.0.lock().unwrap();
        // Long after the edge started, so that it was there when the share began.
        let uptime = counted.uptime + 86_400_000;
        let at = jiff::Timestamp::now();
        let release = |(requests, errors): (u64, u64)| {
            let good = requests - errors;
            format!(
                r#"{{"requests":{requests},"by_class":{{"2xx":{good},"5xx":{errors}}},"errors":{errors},
                "in_flight":0,"latency_counts":[{requests},0],"first_byte_counts":[{requests},0]}}"#
            )
        };
        let (live, candidate) = (release(counted.live), release(counted.candidate));
        format!(
            r#"{{"version":1,"at":"{at}","uptime_ms":{uptime},"latency_bounds_ms":[10],
            "releases":{{"{LIVE}":{live},"{CANDIDATE}":{candidate}}}}}"#
        )
    }
}

fn edge(world: &World, counts: &Counts) -> Server {
    let counts = counts.clone();
    let server = Server::start(move |request| match request.path.as_str() {
        "/metrics.json" => answer(200, &[], &counts.json()),
        _ => answer(404, &[], ""),
    });
    world.presence(&server.url());
    server
}

fn world(limits: &str) -> World {
    World::new(&format!("gates = [\"analysis\"]\n[environments.staging.analysis]\n{limits}"))
}

/// Looks at a share of the plan, in per mille, for the time it was begun at.
fn look(gates: &Gates, step: usize, share: u16, look: u32) -> Judgement {
    look_since(gates, step, share, look, "2026-11-24T10:01:00Z")
}

fn look_since(gates: &Gates, step: usize, share: u16, look: u32, since: &str) -> Judgement {
    let phase = Phase::Shifting { step, share: share.try_into().unwrap() };
    let mut rollout = rollout();
    rollout.phase = phase;
    let since = since.parse().unwrap();
    let situation = Situation { rollout: &rollout, phase, since, look, looks: 22 };
    gates.judge(&Gate::Analysis, situation, &|| false)
}

fn number(judgement: &Judgement, name: &str) -> f64 {
    let found = judgement.numbers.iter().find(|number| number.name == name);
    found.unwrap_or_else(|| panic!("no {name} in {judgement:?}")).value
}

const ERRORS: &str = "error-share = { max = \"1%\", against-live = \"no worse\" }";

#[test]
fn what_came_since_the_first_look_is_judged() {
    let world = world(ERRORS);
    let counts = Counts::default();
    let _edge = edge(&world, &counts);
    // What was before the share counts for nobody.
    counts.set((50_000, 0), (1_000, 1_000));
    let gates = world.gates(None);
    let first = look(&gates, 0, 50, 1);
    assert_eq!(
        (first.verdict, first.reason.as_str()),
        (Verdict::Inconclusive, "counting has begun at 5%")
    );
    let few = look(&gates, 0, 50, 2);
    assert_eq!(few.verdict, Verdict::Inconclusive, "nothing came: {few:?}");

    counts.set((100_000, 0), (6_000, 1_000));
    let well = look(&gates, 0, 50, 3);
    assert_eq!(well.verdict, Verdict::Pass, "{well:?}");
    assert_eq!(number(&well, "error-share.candidate.samples"), 5_000.0);
    assert_eq!(number(&well, "error-share.live.samples"), 50_000.0);

    counts.set((150_000, 0), (11_000, 1_500));
    let ill = look(&gates, 0, 50, 4);
    assert_eq!(ill.verdict, Verdict::Fail, "{ill:?}");
    assert!(ill.reason.starts_with("error share 5%"), "{ill:?}");
    assert!((number(&ill, "error-share.candidate") - 0.05).abs() < 1e-9);
}

#[test]
fn each_share_is_counted_anew_and_so_is_one_that_is_begun_again() {
    let world = world(ERRORS);
    let counts = Counts::default();
    let _edge = edge(&world, &counts);
    let gates = world.gates(None);
    look(&gates, 0, 50, 1);
    counts.set((10_000, 0), (5_000, 2_500));
    assert_eq!(look(&gates, 0, 50, 2).verdict, Verdict::Fail);
    let again = look_since(&gates, 0, 50, 3, "2026-11-24T11:00:00Z");
    assert_eq!(again.reason, "counting has begun at 5%");
    counts.set((20_000, 0), (10_000, 2_500));
    assert_eq!(look_since(&gates, 0, 50, 4, "2026-11-24T11:00:00Z").verdict, Verdict::Pass);
    assert_eq!(look(&gates, 1, 250, 5).reason, "counting has begun at 25%");
}

#[test]
fn with_all_traffic_it_is_compared_with_what_live_did_before() {
    let world = world("error-share = { against-live = \"no worse\" }");
    let counts = Counts::default();
    let _edge = edge(&world, &counts);
    let gates = world.gates(None);
    look(&gates, 0, 500, 1);
    counts.set((10_000, 0), (10_000, 0));
    assert_eq!(look(&gates, 0, 500, 2).verdict, Verdict::Pass);
    look(&gates, 1, 1000, 3);
    counts.set((10_000, 0), (20_000, 0));
    let well = look(&gates, 1, 1000, 4);
    assert_eq!(well.verdict, Verdict::Pass, "{well:?}");
    assert!(well.reason.ends_with(" (live: as it was in the share before)"), "{well:?}");
    counts.set((10_000, 0), (30_000, 2_000));
    assert_eq!(look(&gates, 1, 1000, 5).verdict, Verdict::Fail);

    // A promoter that goes on for another has seen nothing of that share: the edges have.
    let gates = world.gates(None);
    look(&gates, 1, 1000, 1);
    counts.set((10_000, 0), (40_000, 2_000));
    let resumed = look(&gates, 1, 1000, 2);
    assert_eq!(resumed.verdict, Verdict::Pass, "{resumed:?}");
    assert!(resumed.reason.ends_with(" (live: as it was since the edges started)"), "{resumed:?}");
    counts.set((10_000, 0), (50_000, 4_000));
    assert_eq!(look(&gates, 1, 1000, 3).verdict, Verdict::Fail);
}

#[test]
fn with_all_traffic_and_edges_that_know_nothing_of_live_it_is_not_known() {
    let world = world("error-share = { against-live = \"no worse\" }");
    let counts = Counts::default();
    let _edge = edge(&world, &counts);
    let gates = world.gates(None);
    look(&gates, 1, 1000, 1);
    counts.set((0, 0), (40_000, 0));
    assert_eq!(look(&gates, 1, 1000, 2).verdict, Verdict::Inconclusive);
}

#[test]
fn edges_add_up_and_without_one_nothing_is_known() {
    let world = world(ERRORS);
    let (one, two) = (Counts::default(), Counts::default());
    let edges = [edge(&world, &one), edge(&world, &two)];
    let gates = world.gates(None);
    look(&gates, 0, 50, 1);
    one.set((10_000, 0), (1_000, 0));
    two.set((10_000, 0), (2_000, 0));
    let judgement = look(&gates, 0, 50, 2);
    assert_eq!(number(&judgement, "error-share.candidate.samples"), 3_000.0);
    drop(edges);
    let judgement = look(&gates, 0, 50, 3);
    assert_eq!(judgement.verdict, Verdict::Inconclusive);
    assert!(judgement.reason.contains("it gave no answer"), "{judgement:?}");
    assert_eq!(world.ask("analysis").verdict, Verdict::Inconclusive, "no share yet");
}

/// A source that remembers what it was asked.
fn source(
    answers: impl Fn(&Request) -> Option<String> + Send + Sync + 'static,
) -> (Server, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let remember = Arc::clone(&asked);
    let server = Server::start(move |request| {
        let token = request.header("authorization").unwrap_or_default();
        remember.lock().unwrap().push(format!("{} {token}", request.path));
        answers(request)
    });
    (server, asked)
}

#[test]
fn sources_are_asked_about_the_release_and_the_span() {
    let (prometheus, asked) = source(|_| {
        answer(
            200,
            &[],
            r#"{"status":"success","data":{"resultType":"scalar","result":[1,"200"]}}"#,
        )
    });
    let (beacon, asked_beacon) = source(|_| {
        answer(200, &[], r#"{"metrics":{"lcp":{"count":5000,"p50":900,"p75":1200,"p95":2000}}}"#)
    });
    let world = world(&format!(
        "lcp-p75 = {{ max = \"2.5s\", source = \"beacon\" }}\n\
         ttfb-p75 = {{ max = \"300ms\", source = \"numbers\", query = \"t{{r='$release'}}[$window]\" }}\n\
         [sources.numbers]\nkind = \"prometheus\"\nurl = \"{}/\"\n\
         [sources.beacon]\nkind = \"beacon\"\nurl = \"{}\"\n",
        prometheus.url(),
        beacon.url()
    ));
    let counts = Counts::default();
    let _edge = edge(&world, &counts);
    let gates = world.gates(None);
    look(&gates, 0, 50, 1);
    assert!(asked.lock().unwrap().is_empty(), "the first look only remembers");
    let judgement = look(&gates, 0, 50, 2);
    assert_eq!(number(&judgement, "ttfb-p75.candidate"), 200.0);
    assert_eq!(number(&judgement, "lcp-p75.candidate.samples"), 5_000.0);
    assert_eq!(judgement.verdict, Verdict::Pass, "{judgement:?}");
    let asked = asked.lock().unwrap().clone();
    assert_eq!(asked, [format!("/api/v1/query?query=t%7Br%3D%27{CANDIDATE}%27%7D%5B1s%5D ")]);
    assert_eq!(*asked_beacon.lock().unwrap(), [format!("/api/v1/slo?release={CANDIDATE} ")]);
}

#[test]
fn a_source_that_gives_nothing_holds_the_rollout() {
    let (silent, asked) = source(|_| None);
    let (broken, _) = source(|_| answer(503, &[], "starting"));
    let world = world(&format!(
        "lcp-p75 = {{ max = \"2.5s\", against-live = \"+20%\", source = \"silent\" }}\n\
         inp-p75 = {{ max = \"200ms\", source = \"broken\" }}\n\
         fcp-p75 = {{ max = \"200ms\", source = \"secret\" }}\n\
         [sources.silent]\nkind = \"beacon\"\nurl = \"{}\"\n\
         [sources.broken]\nkind = \"beacon\"\nurl = \"{}\"\n\
         [sources.secret]\nkind = \"beacon\"\nurl = \"{}\"\ntoken-env = \"NO_SUCH_TOKEN_HERE\"\n",
        silent.url(),
        broken.url(),
        silent.url()
    ));
    let _edge = edge(&world, &Counts::default());
    let gates = world.gates(None);
    look(&gates, 0, 50, 1);
    let judgement = look(&gates, 0, 50, 2);
    assert_eq!(judgement.verdict, Verdict::Inconclusive);
    for expected in [
        "silent: it gave no answer",
        "broken: expected status 200 to 299, found 503: starting",
        "secret: its token is not in the environment variable NO_SUCH_TOKEN_HERE",
    ] {
        assert!(judgement.reason.contains(expected), "{expected}: {judgement:?}");
    }
    assert_eq!(asked.lock().unwrap().len(), 1, "one that is silent is asked once");
}

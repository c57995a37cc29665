//! An environment in small: releases on disk, an edge that follows the routing and checks what it
//! is told to serve, a clock that stands still until somebody waits.

use crate::memory::{Memory, Mortal};
use config::{Config, Gate};
use promote::clock::Clock;
use promote::journal::{Act, Journal, Phase, RolloutPlan, Verdict};
use promote::lease::{self, Claim, Holder};
use promote::rollout::{
    Backup, Beginning, End, Judge, Judgement, Leash, Rolling, Situation, Stopped, Upload,
};
use promote::state::{Rollout, State};
use promote::target::{Readiness, Target, TargetError};
use release::make::make;
use release::routing::Routing;
use release::store::{self, Store, StoreError, Uploaded};
use release::{Release, ReleaseId};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

/// Releases of one small site.
pub struct Releases {
    _folder: tempfile::TempDir,
    pub all: Vec<Release>,
}

impl Releases {
    pub fn build(count: usize) -> Releases {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::create_dir(root.join("site")).unwrap();
        std::fs::write(root.join("site/app.css"), "body{margin:0} ".repeat(100)).unwrap();
        let toml = "[project]\nname = \"demo\"\n[build]\nsite = \"site\"\n";
        let config = Config::parse(Path::new("xtask.toml"), toml).unwrap();
        let all = (0..count).map(|number| {
            std::fs::write(root.join("site/index.html"), format!("<h1>{number}</h1>")).unwrap();
            let made = make(root, &config, config.build.as_ref().unwrap(), None).unwrap();
            Release::open(&made.dir.path).unwrap()
        });
        let all = all.collect();
        Releases { _folder: folder, all }
    }
}

impl Upload for Releases {
    fn upload(&self, store: &dyn Store, id: &ReleaseId) -> Result<Uploaded, StoreError> {
        let release = self.all.iter().find(|release| release.manifest().id == *id).unwrap();
        store::upload(store, release)
    }
}

/// Time that passes only when somebody waits for it.
#[derive(Debug)]
pub struct StillClock(Mutex<jiff::Timestamp>);

impl Default for StillClock {
    fn default() -> StillClock {
        StillClock(Mutex::new("2026-11-25T10:00:00Z".parse().unwrap()))
    }
}

impl Clock for StillClock {
    fn now(&self) -> jiff::Timestamp {
        *self.0.lock().unwrap()
    }

    fn pause(&self, pause: Duration) {
        let mut now = self.0.lock().unwrap();
        *now += pause;
    }
}

/// An edge that looks at the store whenever it is asked, and keeps what was whole when it loaded it.
#[derive(Debug)]
pub struct ModelEdge<'a> {
    memory: &'a Memory,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    generation: u64,
    fencing: u64,
    loaded: BTreeSet<ReleaseId>,
}

impl<'a> ModelEdge<'a> {
    pub fn new(memory: &'a Memory) -> ModelEdge<'a> {
        ModelEdge { memory, seen: Mutex::default() }
    }

    /// Follows the routing, and checks all that must always hold.
    pub fn follow(&self) -> u64 {
        let Some((routing, _)) = Routing::read(self.memory).unwrap() else { return 0 };
        let mut seen = self.seen.lock().unwrap();
        assert!(routing.generation >= seen.generation, "a generation came back: {routing:?}");
        assert!(routing.fencing >= seen.fencing, "a fenced write got through: {routing:?}");
        if routing.generation == seen.generation {
            return routing.generation;
        }
        (seen.generation, seen.fencing) = (routing.generation, routing.fencing);
        seen.loaded.retain(|id| routing.releases().any(|routed| routed == id));
        for id in routing.releases() {
            if !seen.loaded.contains(id) {
                self.check_whole(id);
                seen.loaded.insert(id.clone());
            }
        }
        self.check_written_before(&routing);
        routing.generation
    }

    /// A release that is routed to is whole in the store.
    fn check_whole(&self, id: &ReleaseId) {
        let manifest =
            store::stored_manifest(self.memory, id).expect("a half-made release is routed to");
        for file in &manifest.files {
            let blobs = file.variants.iter().map(|variant| (variant.sha256, variant.size_bytes));
            for (sha256, size) in blobs.chain([(file.sha256, file.size_bytes)]) {
                assert!(
                    self.memory.has(&store::blob(&sha256), size).unwrap(),
                    "{} is missing",
                    file.path
                );
            }
        }
    }

    /// What the routing says was written down before.
    fn check_written_before(&self, routing: &Routing) {
        let journal = Journal::read(self.memory).expect("the journal's chain holds");
        let announced = |wanted: &dyn Fn(&Act) -> bool| {
            journal.records().iter().any(|record| wanted(&record.act))
        };
        if let Some(candidate) = &routing.candidate {
            let share = candidate.share;
            let is_announced = announced(&|act| match act {
                Act::Move { to: Phase::Staged } => share.per_mille() == 0,
                Act::Move { to: Phase::Shifting { share: announced, .. } } => *announced == share,
                _ => false,
            });
            assert!(is_announced, "{share} was routed before it was written down");
            let of = routing.rollout.as_deref();
            let is_backed_up = journal.records().iter().any(|record| {
                let rollout = record.rollout.map(|id| id.to_string());
                matches!(record.act, Act::BackedUp { .. }) && rollout.as_deref() == of
            });
            assert!(is_backed_up, "it was loaded before a copy of the data was kept");
        }
        if let Some(live) = &routing.live {
            let is_announced = announced(&|act| match act {
                Act::Begin { release, .. } => release == live,
                Act::Rollback { to, .. } => to.as_ref() == Some(live),
                _ => false,
            }) && announced(&|act| {
                matches!(act, Act::Move { to: Phase::Live } | Act::Rollback { .. })
            });
            assert!(is_announced, "{live} was routed before it was written down");
        }
    }
}

impl Target for ModelEdge<'_> {
    fn ensure_running(&self, _: &dyn Fn() -> bool) -> Result<(), TargetError> {
        Ok(())
    }

    fn readiness(&self, release: &ReleaseId) -> Result<Readiness, TargetError> {
        self.follow();
        let is_loaded = self.seen.lock().unwrap().loaded.contains(release);
        Ok(if is_loaded { Readiness::Ready } else { Readiness::Unknown })
    }

    fn generation(&self) -> Result<u64, TargetError> {
        Ok(self.follow())
    }
}

/// Gives the verdicts of a script, by gate and how often it was asked; then pass.
#[derive(Debug, Default)]
pub struct Script {
    pub verdicts: Vec<(Gate, Verdict)>,
    asked: Mutex<BTreeMap<String, usize>>,
}

impl Script {
    pub fn new(verdicts: &[(Gate, Verdict)]) -> Script {
        Script { verdicts: verdicts.to_vec(), asked: Mutex::default() }
    }
}

impl Judge for Script {
    fn judge(&self, gate: &Gate, _: Situation<'_>, _: &dyn Fn() -> bool) -> Judgement {
        let mut asked = self.asked.lock().unwrap();
        let times = asked.entry(gate.to_string()).or_default();
        let mine = self.verdicts.iter().filter(|(of, _)| of == gate).nth(*times);
        *times += 1;
        Judgement::new(mine.map_or(Verdict::Pass, |(_, verdict)| *verdict), "as the script says")
    }
}

impl Backup for Script {
    fn back_up(&self, _: &str, _: &Rollout, _: &dyn Fn() -> bool) -> Judgement {
        Judgement::new(Verdict::Pass, "kept")
    }
}

/// A process that promotes, on a host of its own: nobody can look whether it still runs.
#[derive(Clone, Copy)]
pub struct Promoter<'a> {
    pub edge: &'a dyn Target,
    pub clock: &'a StillClock,
    pub releases: &'a Releases,
    pub script: &'a Script,
    pub name: &'a str,
}

pub fn plan() -> RolloutPlan {
    RolloutPlan {
        shift: ["5% for 2s", "25% for 1s", "100%"].map(|step| step.parse().unwrap()).to_vec(),
        gates: vec![Gate::Smoke, Gate::Analysis],
        hold: "3s".parse().unwrap(),
        backup: Some("keep a copy".to_owned()),
    }
}

impl Promoter<'_> {
    /// Takes the lease, goes on with what is under way or begins, and gives the lease back.
    pub fn promote(&self, store: &Mortal<'_>, release: usize) -> Result<End, Stopped> {
        let holder = Holder { who: self.name.into(), host: self.name.into(), pid: 1 };
        let held = lease::acquire(store, holder, Claim::IfFree, self.clock.now())?;
        let taken_from = held.taken_from.as_ref().map(ToString::to_string);
        let journal = Journal::read(store)?;
        let is_running = State::of(journal.records()).running().is_some();
        let leash = Leash::new(self.name.into(), held);
        let mut rolling = Rolling {
            store,
            target: self.edge,
            judge: self.script,
            backup: self.script,
            upload: self.releases,
            clock: self.clock,
            leash: &leash,
            journal,
            tell: &mut |_| {},
            is_interrupted: &|| false,
        };
        let end = if is_running {
            rolling.resume(taken_from.as_deref())?
        } else {
            let beginning = Beginning {
                manifest: self.releases.all[release].manifest(),
                plan: plan(),
                live: Routing::read(store)?.and_then(|(routing, _)| routing.live),
                reason: None,
                overrides: Vec::new(),
            };
            match rolling.begin(&beginning) {
                // The one before died after its last move.
                Err(Stopped::AlreadyLive(_)) => End::Live,
                end => end?,
            }
        };
        leash.release(store, self.clock)?;
        Ok(end)
    }

    /// Lets the lease of one that died run out.
    pub fn wait_for_lease(&self) {
        self.clock.pause(lease::TERM + Duration::from_secs(1));
    }
}

/// What must hold once a rollout is over.
pub fn check_over(memory: &Memory, edge: &ModelEdge<'_>) -> State {
    edge.follow();
    let journal = Journal::read(memory).unwrap();
    let state = State::of(journal.records());
    let (routing, _) = Routing::read(memory).unwrap().unwrap();
    assert!(state.running().is_none() && state.rollback.is_none(), "{state:?}");
    assert_eq!(routing.candidate, None);
    assert_eq!(routing.live, state.live, "the journal says what is routed");
    state
}

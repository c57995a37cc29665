//! An environment in a temporary folder, with edges that are fixtures.

use super::server::{Server, answer};
use config::{Config, Gate};
use promote::edge_target::EdgeTarget;
use promote::gates::{Gates, Prompt};
use promote::journal::{Phase, RolloutId, RolloutPlan};
use promote::rollout::{Judge, Judgement, Situation};
use promote::state::Rollout;
use promote::tool::Tools;
use release::store::Directory;
use release::{EdgePresence, ReleaseId};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tempfile::TempDir;

pub const LIVE: &str = "2026-11-23-ba7816bf8f01";
pub const CANDIDATE: &str = "2026-11-24-ba7816bf8f02";

/// The limit of what a test waits for.
const NEVER_STOPPED: fn() -> bool = || false;

pub struct World {
    root: TempDir,
    pub store: Arc<Directory>,
    edges: AtomicUsize,
}

impl World {
    /// A project whose environment `staging` has these lines.
    pub fn new(environment: &str) -> World {
        let root = tempfile::tempdir().unwrap();
        let toml = format!(
            "[project]\nname = \"fixture\"\n[[smoke]]\npath = \"/\"\n[e2e]\nrun = \"./journeys\"\n\
             [environments.staging]\nstore = \"store\"\nlisten = \"127.0.0.1:0\"\n{environment}\n"
        );
        fs::write(root.path().join("xtask.toml"), toml).unwrap();
        let store = Arc::new(Directory::new(root.path().join("store")));
        World { root, store, edges: AtomicUsize::new(0) }
    }

    pub fn root(&self) -> &Path {
        self.root.path()
    }

    /// A program of the project, or one of Slipway's tools.
    pub fn script(&self, name: &str, script: &str) {
        let path = self.root().join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Says in the store that an edge of this process runs at this address.
    pub fn presence(&self, admin: &str) -> EdgePresence {
        let number = self.edges.fetch_add(1, Ordering::SeqCst);
        let stat = fs::read_to_string("/proc/self/stat").unwrap();
        let ticks = stat.rsplit_once(')').unwrap().1.split_ascii_whitespace().nth(19).unwrap();
        let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let presence = EdgePresence {
            instance: format!("edge-{number}"),
            host: name.replace(|c: char| !c.is_ascii_alphanumeric(), "-"),
            pid: std::process::id(),
            start_ticks: ticks.parse().unwrap(),
            listen: "http://127.0.0.1:1".to_owned(),
            admin: admin.to_owned(),
            environment: "staging".to_owned(),
            seen_at: jiff::Timestamp::now().to_string(),
        };
        presence.write(&*self.store).unwrap();
        presence
    }

    /// An edge that gives this `/status`.
    pub fn edge(&self, status: &str) -> Server {
        let status = status.to_owned();
        let server = Server::start(move |request| match request.path.as_str() {
            "/status" => answer(200, &[], &status),
            _ => answer(404, &[], ""),
        });
        self.presence(&server.url());
        server
    }

    /// An edge at which the candidate has an address of its own.
    pub fn ready_edge(&self) -> Server {
        self.edge(&format!(
            r#"{{"generation":1,"releases":{{"{CANDIDATE}":{{"state":"ready",
                "url":"http://127.0.0.1:7"}}}}}}"#
        ))
    }

    pub fn config(&self) -> Config {
        Config::load(self.root()).unwrap()
    }

    pub fn target(&self) -> EdgeTarget {
        let environment = &self.config().environments["staging"];
        EdgeTarget::new(self.store.clone(), "staging", environment, self.root())
            .with_tools(Tools::in_folder(self.root()))
    }

    pub fn gates(&self, prompt: Option<Box<dyn Prompt>>) -> Gates {
        let target = Arc::new(self.target());
        Gates::new(&self.config(), "staging", self.root(), self.store.clone(), target, prompt)
            .unwrap()
            .with_tools(Tools::in_folder(self.root()))
    }

    /// Asks a gate once, before the candidate has a share.
    pub fn ask(&self, gate: &str) -> Judgement {
        ask(&self.gates(None), gate, &rollout())
    }
}

pub fn ask(gates: &Gates, gate: &str, rollout: &Rollout) -> Judgement {
    ask_until(gates, gate, rollout, &NEVER_STOPPED)
}

pub fn ask_until(
    gates: &Gates,
    gate: &str,
    rollout: &Rollout,
    is_stopped: &dyn Fn() -> bool,
) -> Judgement {
    let gate: Gate = gate.parse().unwrap();
    let since = rollout.began_at.parse().unwrap();
    let situation = Situation { rollout, phase: rollout.phase, since, look: 1, looks: 1 };
    gates.judge(&gate, situation, is_stopped)
}

/// A rollout of the candidate, while gates look at it.
pub fn rollout() -> Rollout {
    Rollout {
        id: RolloutId(17),
        release: candidate(),
        commit: None,
        from: Some(LIVE.parse().unwrap()),
        plan: RolloutPlan {
            shift: vec!["5% for 2m".parse().unwrap(), "100%".parse().unwrap()],
            gates: Vec::new(),
            hold: "10m".parse().unwrap(),
            backup: None,
        },
        phase: Phase::Verifying,
        began_at: "2026-11-24T10:00:00.000Z".to_owned(),
        is_over: false,
        approved_by: None,
        is_backed_up: false,
        overrides: Vec::new(),
        gates: Vec::new(),
        reason: None,
    }
}

pub fn candidate() -> ReleaseId {
    CANDIDATE.parse().unwrap()
}

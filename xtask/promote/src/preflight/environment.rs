//! An environment: what is live there, what is under way, and whether a release may come.

use super::Missing;
use crate::fault;
use crate::journal::Journal;
use crate::lease::{self, Holder, Lease};
use crate::places::Place;
use crate::state::State;
use ::release::ReleaseId;
use ::release::routing::Routing;
use jiff::Timestamp;

/// Where an environment is.
#[derive(Debug, Clone)]
pub struct Standing {
    pub journal: Journal,
    pub state: State,
    pub routing: Routing,
    pub lease: Option<Lease>,
}

/// Looks at an environment.
///
/// # Errors
/// When its store cannot be read (3), or its journal is not to be believed (4).
pub fn stand(place: &Place) -> anyhow::Result<Standing> {
    let (store, name) = (&*place.store, place.name.as_str());
    let journal = lease::journal(store).map_err(|error| fault::of_journal_of(error, name))?;
    let state = State::of(journal.records());
    let routing = Routing::read(store).map_err(|error| fault::of_stopped(error.into(), name))?;
    let routing = routing.map_or_else(Routing::empty, |(routing, _)| routing);
    let lease = lease::read(store).map_err(|error| fault::of_store_of(error, name))?;
    Ok(Standing { journal, state, routing, lease })
}

impl Standing {
    /// Whether a release has all of the traffic, and nothing is under way.
    pub fn is_live(&self, release: &ReleaseId) -> bool {
        self.routing.live.as_ref() == Some(release)
            && self.routing.candidate.is_none()
            && self.state.running().is_none()
            && self.state.rollback.is_none()
    }

    /// What keeps a rollout from beginning here.
    pub fn missing(&self, place: &Place) -> Vec<Missing> {
        let name = &place.name;
        let mut missing = Vec::new();
        if let Some(frozen) = &self.state.frozen {
            missing.push(Missing::new(
                format!("it is frozen by {} since {}: {}", frozen.who, frozen.at, frozen.reason),
                format!("`cargo xtask unfreeze --env {name}` once that is over"),
            ));
        }
        let (here, now) = (Holder::this_process(), Timestamp::now());
        let held = self
            .lease
            .as_ref()
            .and_then(|lease| Some((lease.held_by(&here, now)?, lease.until.as_str())));
        if let Some((holder, until)) = held {
            let rollout = self.state.running();
            let what = rollout.map_or_else(String::new, |rollout| {
                let (id, release, phase) = (rollout.id, &rollout.release, rollout.phase);
                format!(", rollout {id} of {release} at {phase}")
            });
            missing.push(Missing::new(
                format!(
                    "{holder} is moving it{what}; they have it until {until}, longer when they renew \
                     their lease"
                ),
                format!(
                    "`cargo xtask status --env {name} --watch` shows how far it is, `cargo xtask \
                     rollback --env {name}` overrules them"
                ),
            ));
        } else if let Some(rollout) = self.state.running() {
            missing.push(Missing::new(
                format!(
                    "rollout {} of {} is not over: it is at {}",
                    rollout.id, rollout.release, rollout.phase
                ),
                format!(
                    "`cargo xtask promote --resume` goes on with it, `cargo xtask rollback --env \
                     {name}` goes back"
                ),
            ));
        }
        if self.state.running().is_none() && self.state.rollback.is_none() {
            missing.extend(self.moved_by_nobody(name));
        }
        if self.state.rollback.is_some() {
            missing.push(Missing::new(
                "a rollback by hand was begun and is not done",
                format!("run `cargo xtask rollback --env {name}` again"),
            ));
        }
        missing.into_iter().map(|it| it.of(name)).collect()
    }

    /// With nothing under way, the routing is what the journal came to; else one of the two was lost,
    /// and a rollout would begin from the wrong place.
    fn moved_by_nobody(&self, name: &str) -> Option<Missing> {
        let (routed, known) = (self.routing.live.as_ref(), self.state.live.as_ref());
        let shown = |id: Option<&ReleaseId>| id.map_or("nothing".to_owned(), ToString::to_string);
        let mend = match known {
            Some(known) => format!(
                "`cargo xtask rollback --env {name} --to {known}` writes a routing that the journal \
                 knows of"
            ),
            None => "put the store's folder journal/ back from a backup".to_owned(),
        };
        let what = format!(
            "{} is live by its routing, and {} by its journal",
            shown(routed),
            shown(known)
        );
        (routed != known).then(|| Missing::new(what, mend))
    }
}

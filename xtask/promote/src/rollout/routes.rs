//! The routings that a rollout's phases ask for. Each is made from the present one, and making it
//! from itself changes nothing.

use super::{Rolling, Stopped};
use crate::lease::{self, LeaseError};
use crate::state::Rollout;
use release::ReleaseId;
use release::routing::{Candidate, Routing, RoutingError, TrafficShare};
use release::store::Store;

/// How often a write is tried again when others write at the same time.
const MAX_TRIES: usize = 20;

/// What is live by the routing.
pub fn live(store: &dyn Store) -> Result<Option<ReleaseId>, RoutingError> {
    Ok(Routing::read(store)?.and_then(|(routing, _)| routing.live))
}

/// The candidate loaded, without traffic.
pub fn staged(rollout: &Rollout) -> impl Fn(&Routing) -> Routing {
    with_share(rollout, TrafficShare::NONE)
}

/// The candidate with a share.
pub fn with_share(rollout: &Rollout, share: TrafficShare) -> impl Fn(&Routing) -> Routing {
    let (id, release) = (rollout.id, rollout.release.clone());
    move |present| Routing {
        candidate: Some(Candidate { release: release.clone(), share }),
        rollout: Some(id.to_string()),
        salt: id.to_string(),
        ..present.clone()
    }
}

/// The candidate live, what was live before kept warm.
pub fn live_with(rollout: &Rollout) -> impl Fn(&Routing) -> Routing {
    let (release, from) = (rollout.release.clone(), rollout.from.clone());
    move |present| Routing {
        live: Some(release.clone()),
        candidate: None,
        previous: from.clone(),
        ..present.clone()
    }
}

/// What was live before, alone.
pub fn back_from(rollout: &Rollout) -> impl Fn(&Routing) -> Routing {
    let (release, from) = (rollout.release.clone(), rollout.from.clone());
    move |present| Routing {
        live: from.clone(),
        candidate: None,
        // The release that failed is nothing to go back to.
        previous: present
            .previous
            .clone()
            .filter(|previous| *previous != release && Some(previous) != from.as_ref()),
        ..present.clone()
    }
}

impl Rolling<'_> {
    /// Writes the routing that is wanted, unless it stands there already. Gives its generation.
    pub(super) fn route(&mut self, wanted: impl Fn(&Routing) -> Routing) -> Result<u64, Stopped> {
        self.keep()?;
        write(self.store, self.leash.writer().fencing, wanted)
    }
}

/// Writes the routing that is wanted under a fencing number, unless it stands there already.
pub fn write(
    store: &dyn Store,
    fencing: u64,
    wanted: impl Fn(&Routing) -> Routing,
) -> Result<u64, Stopped> {
    for _ in 0..MAX_TRIES {
        let (present, etag) = lease::routing(store)?;
        if present.fencing > fencing {
            return Err(LeaseError::Lost { ours: fencing, found: present.fencing }.into());
        }
        let wanted = wanted(&present);
        if etag.is_some() && wanted == present {
            return Ok(present.generation);
        }
        let wanted = Routing { fencing, generation: present.generation + 1, ..wanted };
        match wanted.write(store, etag.as_ref()) {
            Ok(_) => return Ok(wanted.generation),
            Err(error) if error.is_conflict() => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(LeaseError::Busy.into())
}

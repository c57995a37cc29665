//! A candidate that was well when the gates looked, and is not when it is to get more traffic.

use crate::memory::{Memory, Mortal};
use crate::model::{ModelEdge, Promoter, Releases, Script, StillClock, check_over};
use promote::rollout::End;
use promote::target::{Readiness, Target, TargetError};
use release::ReleaseId;
use release::routing::Routing;
use release::store;
use std::sync::LazyLock;

static RELEASES: LazyLock<Releases> = LazyLock::new(|| Releases::build(2));

/// An edge at which the server of a release dies once the routing is so.
#[derive(Debug)]
struct Dying<'a> {
    memory: &'a Memory,
    edge: &'a ModelEdge<'a>,
    release: ReleaseId,
    dies_at: fn(&Routing) -> bool,
}

impl Target for Dying<'_> {
    fn ensure_running(&self, is_stopped: &dyn Fn() -> bool) -> Result<(), TargetError> {
        self.edge.ensure_running(is_stopped)
    }

    fn readiness(&self, release: &ReleaseId) -> Result<Readiness, TargetError> {
        let (routing, _) = Routing::read(self.memory).unwrap().unwrap();
        match *release == self.release && (self.dies_at)(&routing) {
            true => Ok(Readiness::Down("the server died".to_owned())),
            false => self.edge.readiness(release),
        }
    }

    fn generation(&self) -> Result<u64, TargetError> {
        self.edge.generation()
    }
}

/// Makes the first release live, and promotes the second at an edge at which it dies.
fn end_of_one_that_dies(dies_at: fn(&Routing) -> bool) -> End {
    let memory = Memory::default();
    let (clock, edge, script) = (StillClock::default(), ModelEdge::new(&memory), Script::default());
    let first =
        Promoter { edge: &edge, clock: &clock, releases: &RELEASES, script: &script, name: "a" };
    assert_eq!(first.promote(&Mortal::immortal(&memory), 0).unwrap(), End::Live);
    let release = RELEASES.all[1].manifest().id.clone();
    let dying = Dying { memory: &memory, edge: &edge, release, dies_at };
    let end = Promoter { edge: &dying, ..first }.promote(&Mortal::immortal(&memory), 1).unwrap();
    let live = check_over(&memory, &edge).live;
    assert_eq!(live.as_ref(), Some(&RELEASES.all[0].manifest().id), "{end:?}");
    end
}

#[test]
fn one_whose_server_dies_when_it_goes_live_turns_back() {
    let second = |routing: &Routing| routing.live.as_ref() == Some(&RELEASES.all[1].manifest().id);
    let reason = "it can no longer be served: the server died".to_owned();
    assert_eq!(end_of_one_that_dies(second), End::TurnedBack { reason });
}

#[test]
fn one_whose_server_dies_while_it_is_watched_gets_no_more_traffic() {
    let watched = |routing: &Routing| {
        routing.candidate.as_ref().is_some_and(|candidate| candidate.share.per_mille() == 250)
    };
    let reason = "it can no longer be served: the server died".to_owned();
    assert_eq!(end_of_one_that_dies(watched), End::TurnedBack { reason });
}

#[test]
fn one_that_the_store_lost_does_not_go_live() {
    let memory = Memory::default();
    let (clock, edge) = (StillClock::default(), ModelEdge::new(&memory));
    let script = Script::default();
    let first =
        Promoter { edge: &edge, clock: &clock, releases: &RELEASES, script: &script, name: "a" };
    first.promote(&Mortal::immortal(&memory), 0).unwrap();
    let second = RELEASES.all[1].manifest().id.clone();
    let losing = Losing { memory: &memory, edge: &edge, release: second.clone() };
    let end = Promoter { edge: &losing, ..first }.promote(&Mortal::immortal(&memory), 1).unwrap();
    let reason =
        format!("the store no longer holds all of it: the store holds no release {second}");
    assert_eq!(end, End::TurnedBack { reason });
    assert_eq!(check_over(&memory, &edge).live.as_ref(), Some(&RELEASES.all[0].manifest().id));
}

/// An edge that has loaded a release, whose manifest the store loses at its second share.
#[derive(Debug)]
struct Losing<'a> {
    memory: &'a Memory,
    edge: &'a ModelEdge<'a>,
    release: ReleaseId,
}

impl Target for Losing<'_> {
    fn ensure_running(&self, is_stopped: &dyn Fn() -> bool) -> Result<(), TargetError> {
        self.edge.ensure_running(is_stopped)
    }

    fn readiness(&self, release: &ReleaseId) -> Result<Readiness, TargetError> {
        let (routing, _) = Routing::read(self.memory).unwrap().unwrap();
        if routing.candidate.is_some_and(|candidate| candidate.share.per_mille() == 250) {
            store::Store::delete(self.memory, &store::manifest(&self.release)).unwrap();
        }
        self.edge.readiness(release)
    }

    fn generation(&self) -> Result<u64, TargetError> {
        self.edge.generation()
    }
}

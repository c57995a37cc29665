//! A promoter sleeps at operation after operation while another takes over; what it does when it
//! wakes up changes nothing.

use crate::memory::{Fate, Memory, Mortal};
use crate::model::{ModelEdge, Promoter, Releases, Script, StillClock, check_over};
use config::Gate;
use promote::clock::Clock;
use promote::journal::Verdict;
use promote::lease::{self, Claim, Holder, LeaseError};
use promote::rollback::roll_back;
use promote::rollout::{End, Stopped};
use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex};

static RELEASES: LazyLock<Releases> = LazyLock::new(|| Releases::build(2));

/// What others do while the promoter sleeps.
#[derive(Debug, Clone, Copy)]
enum Meanwhile {
    /// Another promoter takes over and goes on to the end.
    TakenOver,
    /// A person rolls back.
    RolledBack,
}

/// Lets a promoter sleep at an operation; true when it came to that operation at all.
fn sleep_at(operation: u64, meanwhile: Meanwhile, script: &Script) -> bool {
    let memory = Memory::default();
    let (clock, edge) = (StillClock::default(), ModelEdge::new(&memory));
    let pass = Script::default();
    let first =
        Promoter { edge: &edge, clock: &clock, releases: &RELEASES, script: &pass, name: "a" };
    assert_eq!(first.promote(&Mortal::immortal(&memory), 0).unwrap(), End::Live);
    let left_behind: Mutex<Option<BTreeMap<_, _>>> = Mutex::new(None);
    let others = || {
        let other = Promoter { name: "other", script, ..first };
        match meanwhile {
            Meanwhile::TakenOver => {
                other.wait_for_lease();
                other.promote(&Mortal::immortal(&memory), 1).unwrap();
            }
            Meanwhile::RolledBack => {
                roll_back(&memory, &clock, None, None).ok();
            }
        }
        *left_behind.lock().unwrap() = Some(memory.contents());
    };
    let sleeper = Mortal::new(&memory, operation, Fate::Sleeps(Mutex::new(Some(Box::new(others)))));
    let woken = Promoter { name: "sleeper", script, ..first }.promote(&sleeper, 1);
    let left_behind = left_behind.lock().unwrap().take();
    let Some(left_behind) = left_behind else { return false };
    let after = memory.contents();
    // Else it had not begun, or had ended: then it is a rollout of its own, after the other's.
    if let Err(error) = woken {
        // It may have acquired a lease that was free by then, and found nothing left to do.
        let acts = |contents: &BTreeMap<release::store::Key, Vec<u8>>| {
            contents.keys().filter(|key| key.as_str().starts_with("journal/")).count()
        };
        assert_eq!(acts(&after), acts(&left_behind), "{operation} {meanwhile:?}: {error}");
    }
    check_over(&memory, &edge);
    true
}

#[test]
fn a_promoter_that_was_taken_over_changes_nothing() {
    let pass = Script::default();
    let mut operation = 0;
    while sleep_at(operation, Meanwhile::TakenOver, &pass) {
        operation += 1;
    }
    assert!(operation > 40, "a rollout has many operations, found {operation}");
}

#[test]
fn a_promoter_that_was_rolled_back_changes_nothing() {
    let pass = Script::default();
    let mut operation = 0;
    while sleep_at(operation, Meanwhile::RolledBack, &pass) {
        operation += 1;
    }
    assert!(operation > 40, "a rollout has many operations, found {operation}");
}

#[test]
fn a_promoter_that_would_have_turned_back_changes_nothing() {
    let mut operation = 0;
    loop {
        let fails =
            Script::new(&[(Gate::Analysis, Verdict::Pass), (Gate::Analysis, Verdict::Fail)]);
        if !sleep_at(operation, Meanwhile::TakenOver, &fails) {
            break;
        }
        operation += 1;
    }
    assert!(operation > 40, "a rollout has many operations, found {operation}");
}

#[test]
fn of_two_promoters_one_is_refused() {
    let memory = Memory::default();
    let clock = StillClock::default();
    let holder = |name: &str| Holder { who: name.into(), host: name.into(), pid: 1 };
    let first = lease::acquire(&memory, holder("a"), Claim::IfFree, clock.now()).unwrap();
    let refused = lease::acquire(&memory, holder("b"), Claim::IfFree, clock.now()).unwrap_err();
    assert!(matches!(refused, LeaseError::Held { .. }), "{refused}");
    assert!(refused.to_string().contains("a (process 1) is moving this environment"), "{refused}");

    clock.pause(lease::TERM);
    let mut first = first;
    let second = lease::acquire(&memory, holder("b"), Claim::IfFree, clock.now()).unwrap();
    assert!(second.fencing > first.fencing);
    let lost = first.renew(&memory, clock.now(), None).unwrap_err();
    assert!(matches!(lost, LeaseError::Lost { .. }), "{lost}");
    first.release(&memory, clock.now(), None).unwrap();
    let held = lease::read(&memory).unwrap().unwrap();
    assert_eq!(held.holder.unwrap().who, "b", "what is lost is not given back");
}

#[test]
fn a_rollback_fences_off_a_promoter_that_runs() {
    let memory = Memory::default();
    let (clock, edge) = (StillClock::default(), ModelEdge::new(&memory));
    let pass = Script::default();
    let first =
        Promoter { edge: &edge, clock: &clock, releases: &RELEASES, script: &pass, name: "a" };
    first.promote(&Mortal::immortal(&memory), 0).unwrap();
    let live = RELEASES.all[0].manifest().id.clone();
    let others = || {
        let back = roll_back(&memory, &clock, None, Some("it smells")).unwrap();
        assert_eq!(back.to.as_ref(), Some(&live));
    };
    // Late enough that the candidate has a share.
    let sleeper = Mortal::new(&memory, 45, Fate::Sleeps(Mutex::new(Some(Box::new(others)))));
    let woken = Promoter { name: "b", ..first }.promote(&sleeper, 1).unwrap_err();
    assert!(matches!(woken, Stopped::Lease(LeaseError::Lost { .. })), "{woken}");
    let state = check_over(&memory, &edge);
    assert_eq!(state.live.as_ref(), Some(&live));
    let reason = state.rollout.unwrap().reason.unwrap();
    assert!(reason.starts_with("rolled back by ") && reason.ends_with(": it smells"), "{reason}");
}

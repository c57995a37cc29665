//! The promoter dies at operation after operation of the store, and another goes on.

use crate::memory::{Fate, Memory, Mortal};
use crate::model::{ModelEdge, Promoter, Releases, Script, StillClock, check_over};
use config::Gate;
use promote::clock::Clock;
use promote::journal::Verdict;
use promote::rollback::{RollbackError, roll_back};
use promote::rollout::End;
use proptest::prelude::*;
use release::store::Key;
use std::collections::BTreeMap;
use std::sync::LazyLock;

static RELEASES: LazyLock<Releases> = LazyLock::new(|| Releases::build(3));

/// Far more than a whole rollout has.
const MANY: u64 = 1 << 40;

/// A promoter that dies before or after an operation.
#[derive(Debug, Clone, Copy)]
struct Death {
    operation: u64,
    is_after: bool,
    /// What comes next: another promoter, or a person who goes back.
    is_rolled_back: bool,
    /// Whether the edge dies with it.
    takes_the_edge: bool,
}

impl Death {
    fn fate<'a>(self) -> Fate<'a> {
        if self.is_after { Fate::After } else { Fate::Before }
    }
}

/// Lives through the deaths, then goes on to an end; gives that end and the operations of the last.
fn survive(memory: &Memory, script: &Script, release: usize, deaths: &[Death]) -> Option<End> {
    let clock = StillClock::default();
    let mut edge = ModelEdge::new(memory);
    for (turn, death) in deaths.iter().enumerate() {
        let name = format!("host-{turn}");
        let promoter =
            Promoter { edge: &edge, clock: &clock, releases: &RELEASES, script, name: &name };
        let mortal = Mortal::new(memory, death.operation, death.fate());
        let ended = promoter.promote(&mortal, release);
        if ended.is_ok() {
            check_over(memory, &edge);
            return ended.ok();
        }
        if death.is_rolled_back {
            edge.follow();
            match roll_back(memory, &clock, None, Some("at night")) {
                Ok(_) => {
                    check_over(memory, &edge);
                    return None;
                }
                // It had turned back by itself, and died after that.
                Err(RollbackError::GoneBack { .. }) => {
                    check_over(memory, &edge);
                }
                // Nothing was begun yet, so there is nothing to go back to.
                Err(error) => {
                    assert!(error.to_string().contains("nothing to go back to"), "{error}");
                }
            }
        }
        edge.follow();
        if death.takes_the_edge {
            edge = ModelEdge::new(memory);
        }
        clock.pause(promote::lease::TERM);
    }
    let promoter =
        Promoter { edge: &edge, clock: &clock, releases: &RELEASES, script, name: "last" };
    promoter.wait_for_lease();
    let end = promoter.promote(&Mortal::immortal(memory), release).unwrap();
    check_over(memory, &edge);
    Some(end)
}

/// An environment in which the first release is live.
fn with_a_live_release() -> Memory {
    static CONTENTS: LazyLock<BTreeMap<Key, Vec<u8>>> = LazyLock::new(|| {
        let memory = Memory::default();
        assert_eq!(survive(&memory, &Script::default(), 0, &[]), Some(End::Live));
        memory.contents()
    });
    Memory::with(CONTENTS.clone())
}

#[test]
fn a_death_at_every_single_operation_is_survived() {
    let count = {
        let memory = with_a_live_release();
        let (clock, edge) = (StillClock::default(), ModelEdge::new(&memory));
        let script = Script::default();
        let promoter = Promoter {
            edge: &edge,
            clock: &clock,
            releases: &RELEASES,
            script: &script,
            name: "a",
        };
        promoter.wait_for_lease();
        let mortal = Mortal::new(&memory, MANY, Fate::Before);
        promoter.promote(&mortal, 1).unwrap();
        mortal.done(MANY)
    };
    assert!(count > 50, "a rollout has many operations, found {count}");
    for operation in 0..count {
        for is_after in [false, true] {
            let death = Death {
                operation,
                is_after,
                is_rolled_back: false,
                takes_the_edge: operation % 2 == 0,
            };
            let end = survive(&with_a_live_release(), &Script::default(), 1, &[death]);
            assert_eq!(end, Some(End::Live), "{death:?}");
        }
    }
}

fn death() -> impl Strategy<Value = Death> {
    (0_u64..70, any::<bool>(), prop::bool::weighted(0.15), any::<bool>()).prop_map(
        |(operation, is_after, is_rolled_back, takes_the_edge)| Death {
            operation,
            is_after,
            is_rolled_back,
            takes_the_edge,
        },
    )
}

fn verdicts() -> impl Strategy<Value = Vec<(Gate, Verdict)>> {
    let verdict = prop_oneof![
        6 => Just(Verdict::Pass),
        1 => Just(Verdict::Fail),
        2 => Just(Verdict::Inconclusive),
    ];
    let gate = prop_oneof![Just(Gate::Smoke), Just(Gate::Analysis)];
    prop::collection::vec((gate, verdict), 0..20)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1200, ..ProptestConfig::default() })]

    /// Whatever dies when, and whatever the gates say: see `check_over` and the model edge.
    #[test]
    fn whatever_dies_when_one_release_is_live(
        deaths in prop::collection::vec(death(), 0..6),
        verdicts in verdicts(),
        has_live in any::<bool>(),
    ) {
        let memory = if has_live { with_a_live_release() } else { Memory::default() };
        survive(&memory, &Script::new(&verdicts), 1, &deaths);
        // The environment is as good as new: the next release goes through.
        let end = survive(&memory, &Script::default(), 2, &[]);
        prop_assert_eq!(end, Some(End::Live));
    }
}

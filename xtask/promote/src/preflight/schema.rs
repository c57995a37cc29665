//! Whether the release that is live could go on with the data once another has migrated it, and
//! whether a copy is kept first. Pure.

use super::Missing;
use crate::journal::Override;
use crate::state::State;
use ::release::ReleaseId;
use config::Schema;
use serde::Serialize;

/// That a release brings another schema for the data than the one that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SchemaChange {
    /// The live release's; `None`: it states none.
    pub from: Option<u32>,
    pub to: u32,
    /// The oldest schema whose releases can use the data afterwards.
    pub keeps: u32,
}

/// What a release does to the data of an environment, if anything. The first release there makes its
/// data itself.
pub fn change(
    state: &State,
    live: Option<&ReleaseId>,
    candidate: Option<Schema>,
) -> Option<SchemaChange> {
    let Schema { version: to, keeps } = candidate?;
    let from = live.and_then(|live| state.schemas.get(live)).map(|schema| schema.version);
    let is_as_before = match (live, state.data) {
        (None, None) => true,
        (None, Some(data)) => data.version == to,
        (Some(_), data) => from == Some(to) && data.is_none_or(|data| data.version == to),
    };
    (!is_as_before).then_some(SchemaChange { from, to, keeps })
}

/// What stands against that.
pub fn missing(
    state: &State,
    live: Option<&ReleaseId>,
    candidate: Option<Schema>,
    has_backup: bool,
    overrides: &[Override],
) -> Vec<Missing> {
    let (Some(schema), Some(change)) = (candidate, change(state, live, candidate)) else {
        return Vec::new();
    };
    let mut missing = Vec::new();
    let allow = "`--allow-schema-break` takes the risk, and says so in the journal";
    if let (Some(live), Some(from)) = (live, change.from)
        && from < schema.keeps
    {
        missing.push((
            Override::SchemaBreak,
            Missing::new(
                format!(
                    "it migrates the data to schema {}, which only releases of schema {} and later \
                     can use, and {live} is of schema {from}: it could neither go on beside this one \
                     nor be gone back to",
                    schema.version, schema.keeps
                ),
                format!("promote a release first that only adds to the schema; {allow}"),
            ),
        ));
    }
    if let Some(data) = state.data.filter(|data| schema.version < data.keeps) {
        missing.push((
            Override::SchemaBreak,
            Missing::new(
                format!(
                    "it is of schema {}, and the data is at schema {} already, which only releases of \
                     schema {} and later can use",
                    schema.version, data.version, data.keeps
                ),
                format!("promote a later release, or restore a copy of the data; {allow}"),
            ),
        ));
    }
    if !has_backup {
        let from = change.from.map_or_else(|| "none".to_owned(), |from| from.to_string());
        missing.push((
            Override::NoBackup,
            Missing::new(
                format!(
                    "it changes the data's schema from {from} to {}, and there is no `backup` command",
                    schema.version
                ),
                "set `backup`, or give `--without-backup` if a copy is kept in another way",
            ),
        ));
    }
    missing.into_iter().filter(|(of, _)| !overrides.contains(of)).map(|(_, it)| it).collect()
}

/// Why a release that is gone back to will not be able to use the data, if it is known.
pub fn unusable(state: &State, release: &ReleaseId) -> Option<String> {
    let (data, own) = (state.data?, state.schemas.get(release)?);
    (own.version < data.keeps).then(|| {
        format!(
            "{release} is of schema {}, and the data is at schema {}, which only releases of schema {} \
             and later can use: its server will hardly start before a copy of the data is restored",
            own.version, data.version, data.keeps
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release(number: u8) -> ReleaseId {
        format!("2026-11-23-{number:012}").parse().unwrap()
    }

    fn schema(version: u32, keeps: u32) -> Schema {
        Schema { version, keeps }
    }

    /// Release 1 is live, of this schema; the data is at that one.
    fn state(live: Option<Schema>, data: Option<Schema>) -> State {
        let schemas = live.map(|live| (release(1), live)).into_iter().collect();
        State { schemas, data, live: Some(release(1)), ..State::default() }
    }

    fn problems(state: &State, candidate: Option<Schema>, has_backup: bool) -> Vec<String> {
        let live = release(1);
        let missing = missing(state, Some(&live), candidate, has_backup, &[]);
        missing.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_only_adds_may_come_once_a_copy_is_kept() {
        let one = state(Some(schema(1, 1)), Some(schema(1, 1)));
        assert_eq!(problems(&one, Some(schema(1, 1)), false), Vec::<String>::new());
        assert_eq!(problems(&one, None, false), Vec::<String>::new());
        assert_eq!(problems(&one, Some(schema(2, 1)), true), Vec::<String>::new());
        let problems = problems(&one, Some(schema(2, 1)), false);
        assert!(problems[0].contains("from 1 to 2, and there is no `backup`"), "{problems:?}");
    }

    #[test]
    fn what_the_live_release_could_not_use_is_refused_unless_it_is_allowed() {
        let one = state(Some(schema(1, 1)), Some(schema(1, 1)));
        let problem = problems(&one, Some(schema(3, 2)), true);
        assert!(problem[0].contains("could neither go on beside this one"), "{problem:?}");
        let (live, candidate) = (release(1), Some(schema(3, 2)));
        let allowed =
            |overrides: &[Override]| missing(&one, Some(&live), candidate, false, overrides).len();
        assert_eq!(allowed(&[]), 2);
        assert_eq!(allowed(&[Override::SchemaBreak]), 1);
        assert_eq!(allowed(&[Override::SchemaBreak, Override::NoBackup]), 0);
    }

    #[test]
    fn data_that_one_turned_back_has_migrated_counts() {
        let migrated = state(Some(schema(1, 1)), Some(schema(3, 2)));
        let problem = problems(&migrated, Some(schema(1, 1)), true);
        assert!(problem[0].contains("the data is at schema 3 already"), "{problem:?}");
        assert!(unusable(&migrated, &release(1)).unwrap().contains("hardly start"));
        assert_eq!(unusable(&migrated, &release(2)), None, "nothing is known of it");
        // Again, with a copy of what was written in the meantime.
        assert!(change(&migrated, Some(&release(1)), Some(schema(3, 1))).is_some());
        assert_eq!(problems(&migrated, Some(schema(3, 1)), true), Vec::<String>::new());
    }

    #[test]
    fn the_first_release_makes_its_data() {
        assert_eq!(change(&State::default(), None, Some(schema(4, 2))), None);
        let left = State { data: Some(schema(1, 1)), ..State::default() };
        assert!(change(&left, None, Some(schema(2, 1))).is_some());
        // One that states none may have kept some all the same.
        let unstated = state(None, None);
        assert!(change(&unstated, Some(&release(1)), Some(schema(1, 1))).is_some());
    }
}

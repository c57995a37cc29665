use super::*;
use crate::pipeline::cache::fixture::step;
use crate::pipeline::step::Version;
use inputs::Kind;
use proptest::prelude::*;
use std::ffi::OsString;

fn files(files: &[(&[u8], u8)]) -> FileList {
    FileList::of(files.iter().map(|(path, byte)| ((*path).into(), Kind::File, [*byte; 32])))
}

fn sample() -> (Step, FileList) {
    let mut step = step("build", &["dist/**"]);
    step.env = vec!["MODE".to_owned(), "TOKEN".to_owned()];
    step.needs = vec!["lint".to_owned()];
    (step, files(&[(b"src/a\n\xff.rs", 1), (b"src/b.rs", 2)]))
}

fn variable(name: &str) -> Option<OsString> {
    (name == "TOKEN").then(|| "s3cret-value".into())
}

const LINT: Fingerprint = Fingerprint([7; 32]);

fn of(step: &Step, files: &FileList) -> Ingredients {
    Ingredients::of(step, &[("lint", Some(LINT))], files.clone(), variable)
}

#[test]
fn each_ingredient_changes_the_fingerprint() {
    let (step, list) = sample();
    let base = of(&step, &list).fingerprint().unwrap();
    let with = |change: &dyn Fn(&mut Step)| {
        let mut changed = step.clone();
        change(&mut changed);
        of(&changed, &list).fingerprint().unwrap()
    };
    let with_env = |value: Option<&str>| {
        let value = value.map(OsString::from);
        let variable = |name: &str| if name == "MODE" { value.clone() } else { variable(name) };
        let needs = [("lint", Some(LINT))];
        Ingredients::of(&step, &needs, list.clone(), variable).fingerprint().unwrap()
    };
    let with_needs = |needs: &[(&str, Option<Fingerprint>)]| {
        Ingredients::of(&step, needs, list.clone(), variable).fingerprint().unwrap()
    };
    let with_files = |list: FileList| of(&step, &list).fingerprint().unwrap();
    let all = [
        base,
        with(&|step| step.name = "built".to_owned()),
        with(&|step| step.command = Command::Shell("make -j".to_owned())),
        with(&|step| step.command = Command::Builtin(vec!["make".into()])),
        with(&|step| step.command = Command::Builtin(vec!["make".into(), "x".into()])),
        with(&|step| step.versions.clear()),
        with(&|step| step.versions[0].value = "4.5".to_owned()),
        with(&|step| {
            step.versions.push(Version { name: "make".to_owned(), value: "5".to_owned() });
        }),
        with(&|step| step.outputs.push("x".to_owned())),
        with(&|step| step.junit = step.outputs.clone()),
        with(&|step| step.sarif = step.outputs.clone()),
        with(&|step| step.env.push("OTHER".to_owned())),
        with_env(Some("")),
        with_env(Some("release")),
        with_needs(&[]),
        with_needs(&[("lint", Some(Fingerprint([8; 32])))]),
        with_needs(&[("test", Some(LINT))]),
        with_files(files(&[])),
        with_files(files(&[(b"src/a\n\xff.rs", 1)])),
        with_files(files(&[(b"src/a\n\xff.rs", 1), (b"src/b.rs", 3)])),
    ];
    let distinct = all.iter().collect::<std::collections::BTreeSet<_>>();
    assert_eq!(distinct.len(), all.len());
}

#[test]
fn what_leaves_a_passed_result_passed_changes_nothing() {
    let (step, list) = sample();
    let mut other = step.clone();
    other.timeout *= 2;
    other.retries = 3;
    other.exclusive = Some("cargo".to_owned());
    other.allow_failure = true;
    other.when = config::When::Ci;
    other.pass_env = vec!["HOME".to_owned()];
    other.about = "something else".to_owned();
    other.prepares_with = Some("tools".to_owned());
    other.inputs = vec!["src/*".to_owned()];
    assert_eq!(of(&step, &list).fingerprint(), of(&other, &list).fingerprint());
}

#[test]
fn a_need_without_a_fingerprint_leaves_none() {
    let (step, list) = sample();
    let open = Ingredients::of(&step, &[("lint", Some(LINT)), ("x", None)], list, variable);
    assert_eq!(open.fingerprint(), None);
}

#[test]
fn values_of_variables_are_kept_as_digests_only() {
    let (step, list) = sample();
    let json = serde_json::to_string(&of(&step, &list)).unwrap();
    assert!(json.contains("TOKEN") && !json.contains("s3cret"), "{json}");
    assert!(json.contains(r#""MODE":null"#), "{json}");
}

proptest! {
    #[test]
    fn ingredients_round_trip(
        paths in prop::collection::btree_map(
            prop::collection::vec(any::<u8>(), 1..12), (0..5_usize, any::<[u8; 32]>()), 0..8,
        ),
    ) {
        let kinds =
            [Kind::File, Kind::Executable, Kind::Symlink, Kind::Special, Kind::Unreadable];
        let list = FileList::of(paths.iter().map(|(path, (kind, digest))| {
            (path.clone().into_boxed_slice(), kinds[*kind], *digest)
        }));
        let before = of(&sample().0, &list);
        let json = serde_json::to_vec(&before).unwrap();
        let after: Ingredients = serde_json::from_slice(&json).unwrap();
        prop_assert_eq!(after.fingerprint(), before.fingerprint());
        let kinds = |of: &Ingredients| of.files.iter().map(|file| file.kind).collect::<Vec<_>>();
        prop_assert_eq!(kinds(&after), kinds(&before));
        prop_assert_eq!(after, before);
    }
}

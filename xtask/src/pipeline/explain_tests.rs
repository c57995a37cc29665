use super::*;
use crate::pipeline::cache::fixture::step;
use inputs::FileList;
use report::Outcome;

type Files<'a> = &'a [(&'a str, Kind, u8)];

fn ingredients(step: &Step, files: Files<'_>, need: Option<&Ingredients>) -> Ingredients {
    let files = FileList::of(
        files.iter().map(|(path, kind, byte)| (path.as_bytes().into(), *kind, [*byte; 32])),
    );
    let needs = need.map(|need| (need.step.as_str(), need.fingerprint()));
    Ingredients::of(step, needs.as_slice(), files, |name| {
        (name == "MODE").then(|| "release".into())
    })
}

fn open() -> (tempfile::TempDir, Cache) {
    let root = tempfile::tempdir().unwrap();
    let cache = Cache::open(root.path(), 1 << 30).unwrap();
    (root, cache)
}

const OLD: Files<'static> =
    &[("a.rs", Kind::File, 1), ("b.rs", Kind::File, 1), ("run.sh", Kind::File, 1)];

#[test]
fn a_step_that_never_ran_and_one_that_would_be_replayed() {
    let (_root, cache) = open();
    let build = step("build", &[]);
    let now = ingredients(&build, OLD, None);
    let lines = || explain(&cache, &build, &now, &[]).to_string();
    assert_eq!(lines(), "build would run: it never ran here\n");
    cache.store(&build, &now, &Outcome::failed(""), b"").unwrap();
    assert_eq!(
        lines(),
        "build would run, though nothing changed since it last ran\n  \
         it failed then, and only what passed is kept\n"
    );
    cache.store(&build, &now, &Outcome::passed(""), b"").unwrap();
    assert!(lines().starts_with("build would be replayed"), "{}", lines());
    Cache::open(_root.path(), 0).unwrap().prune().unwrap();
    assert!(lines().ends_with("  its result is no longer in the cache\n"), "{}", lines());
}

#[test]
fn steps_that_always_run_say_so() {
    let (_root, cache) = open();
    let audit = Step { cache: false, ..step("audit", &[]) };
    let now = ingredients(&audit, OLD, None);
    assert_eq!(
        explain(&cache, &audit, &now, &[]).lines,
        ["audit runs every time: `cache = false`"]
    );
    let after = step("after", &[]);
    let now = Ingredients::of(&after, &[("audit", None)], FileList::default(), |_| None);
    assert_eq!(
        explain(&cache, &after, &now, &[]).lines,
        ["after runs every time: it needs `audit`, which is not cached"]
    );
}

#[test]
fn every_difference_is_named_and_a_need_is_followed() {
    let (_root, cache) = open();
    let build = step("build", &[]);
    let mut smoke = step("smoke", &["out/**"]);
    smoke.env = vec!["MODE".to_owned(), "OLD".to_owned()];
    let old_build = ingredients(&build, OLD, None);
    let old_smoke = ingredients(&smoke, OLD, Some(&old_build));
    for (step, ingredients) in [(&build, &old_build), (&smoke, &old_smoke)] {
        cache.store(step, ingredients, &Outcome::passed(""), b"").unwrap();
    }
    let new_build =
        ingredients(&build, &[OLD[0], OLD[1], ("main.css", Kind::File, 1), OLD[2]], None);
    let files: Files<'_> =
        &[("a.rs", Kind::File, 2), ("c\n.rs", Kind::File, 1), ("run.sh", Kind::Executable, 2)];
    smoke.command = crate::pipeline::step::Command::Shell("make it".to_owned());
    smoke.versions[0].value = "5".to_owned();
    smoke.outputs.clear();
    smoke.env = vec!["MODE".to_owned(), "NEW".to_owned()];
    let mut new_smoke = ingredients(&smoke, files, Some(&new_build));
    new_smoke.env.insert("MODE".to_owned(), None);
    // The need has run since with what it is made of now.
    cache.store(&build, &new_build, &Outcome::passed(""), b"").unwrap();
    insta::assert_snapshot!(explain(&cache, &smoke, &new_smoke, &[new_build, new_smoke.clone()]), @r"
    smoke would run: something changed since it last ran here
      a.rs changed
      b.rs was removed
      c\x0a.rs was added
      run.sh is executable now
      command: `sh -c make` became `sh -c make it`
      setting `outputs` was removed
      version of make: 4.4 became 5
      environment variable MODE was set, and is not now
      environment variable OLD was removed from `env`
      environment variable NEW was added to `env`
      need `build` changed
        main.css was added
    ");
}

#[test]
fn a_long_list_is_cut() {
    let (_root, cache) = open();
    let build = step("build", &[]);
    let names = (0..50).map(|number| format!("f{number:02}")).collect::<Vec<_>>();
    let files = names.iter().map(|name| (name.as_str(), Kind::File, 1)).collect::<Vec<_>>();
    cache.store(&build, &ingredients(&build, &files, None), &Outcome::passed(""), b"").unwrap();
    let lines = explain(&cache, &build, &ingredients(&build, &[], None), &[]).lines;
    assert_eq!(lines.len(), 2 + MAX_LISTED);
    assert_eq!(lines.last().map(String::as_str), Some("  and 30 more input files"));
}

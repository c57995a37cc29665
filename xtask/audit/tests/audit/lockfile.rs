//! Lock files that cannot be used: exit 2, with the line and what to do.

use crate::support::{LOCK, Project, database};

fn summary_of(lock: &str) -> String {
    let project = Project::with_crates("").write("Cargo.lock", lock);
    let run = project.run(&["--db", &database(&project)]);
    assert_eq!(run.code, 2, "{}", run.shown());
    run.outcome.summary
}

#[test]
fn a_conflict_is_named_by_its_line() {
    let lock = LOCK.replace(
        "version = \"1.6.0\"\n",
        "<<<<<<< HEAD\nversion = \"1.6.0\"\n=======\nversion = \"1.6.1\"\n>>>>>>> other\n",
    );
    let summary = summary_of(&lock);
    assert!(summary.starts_with("Cargo.lock:23: a merge conflict"), "{summary}");
    assert!(summary.contains("git checkout --ours"), "{summary}");
}

#[test]
fn a_lock_file_that_is_cut_off_is_exit_2() {
    let summary = summary_of(&LOCK[..LOCK.len() - 40]);
    assert!(summary.starts_with("Cargo.lock:31: the file is cut off"), "{summary}");
    assert!(summary.contains("git checkout -- Cargo.lock"), "{summary}");
}

#[test]
fn a_missing_package_is_named_where_it_is_needed() {
    let lock = LOCK.split("\n[[package]]\nname = \"time\"").next().unwrap().to_owned();
    let summary = summary_of(&lock);
    assert!(
        summary.starts_with("Cargo.lock:18: `time` is depended on here but not listed"),
        "{summary}"
    );
}

#[test]
fn a_format_from_the_future_is_said_to_be_one() {
    let summary = summary_of(&LOCK.replace("version = 4", "version = 5"));
    assert!(summary.contains("version 1 to 4"), "{summary}");
}

#[test]
fn bytes_that_are_not_text_are_exit_2() {
    let project = Project::with_crates("");
    std::fs::write(project.path("Cargo.lock"), [0xff, 0xfe, 0x00]).unwrap();
    assert_eq!(project.run(&["--db", &database(&project)]).code, 2);
}

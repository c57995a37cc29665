//! Advisories on crates: which apply, at which places, and what is said of them.

use crate::support::{LOCK, Project, assert_shown, database, write};
use std::os::unix::fs::PermissionsExt;

#[test]
fn an_advisory_is_shown_where_it_is_locked_and_where_it_comes_in() {
    let project = Project::with_crates("");
    let run = project.run(&["--db", &database(&project)]);
    assert_shown!(run, "advisories");
    assert!((run.measure("crates") - 3.0).abs() < f64::EPSILON);
    assert!((run.measure("advisories") - 5.0).abs() < f64::EPSILON);
    assert!(run.measure("database.age-days") > 0.0);
}

#[test]
fn the_variable_names_the_database_too() {
    let project = Project::with_crates("");
    let database = database(&project);
    let run = project.variable("XTASK_DB", database).run(&[]);
    assert_eq!(run.code, 1);
    assert!(run.rules().contains(&"RUSTSEC-2021-0003"));
}

#[test]
fn warnings_alone_pass() {
    let lock = LOCK.replace("\"1.6.0\"", "\"1.6.1\"").replace("\"0.1.45\"", "\"0.3.36\"");
    let project = Project::with_crates("").write("Cargo.lock", &lock);
    let run = project.run(&["--db", &database(&project)]);
    assert_eq!((run.code, run.rules()[0]), (0, "RUSTSEC-2099-0001"), "{}", run.shown());
}

#[test]
fn an_advisory_that_cannot_be_read_costs_only_itself() {
    let project = Project::with_crates("");
    let dir = database(&project);
    let text = "```toml\nid = \"RUSTSEC-2030-0001\"\npackage = \"time\"\nformat = 9\n```\n";
    write(dir.as_ref(), "time/RUSTSEC-2030-0001.md", text);
    let run = project.run(&["--db", &dir]);
    let rules = run.rules();
    assert!(rules.contains(&"audit::unreadable-advisory") && rules.contains(&"RUSTSEC-2020-0071"));
    let finding =
        run.outcome.findings.iter().find(|finding| finding.rule == "audit::unreadable-advisory");
    assert!(finding.unwrap().message.contains("RUSTSEC-2030-0001"), "{}", run.shown());
}

#[test]
fn other_sources_are_said_not_to_be_covered() {
    let lock = LOCK.replace(
        "version = \"1.6.0\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"",
        "version = \"1.6.0\"\nsource = \"git+https://user:secret@example.org/smallvec?rev=abc#abcdef0123456789\"",
    );
    let project = Project::with_crates("").write("Cargo.lock", &lock);
    let run = project.run(&["--db", &database(&project)]);
    assert!(!run.rules().contains(&"RUSTSEC-2021-0003"));
    let finding =
        run.outcome.findings.iter().find(|finding| finding.rule == "audit::not-covered").unwrap();
    assert_eq!(
        finding.message,
        "not covered, because RustSec only knows crates.io: `smallvec 1.6.0` from https://example.org/smallvec"
    );
}

#[test]
fn what_is_locked_but_never_built_is_labelled_and_does_not_fail() {
    let project = Project::with_crates("").write(
        "cargo.sh",
        "#!/bin/sh\necho '{\"packages\":[{\"id\":\"1\",\"name\":\"app\",\"version\":\"0.1.0\"},\
         {\"id\":\"2\",\"name\":\"chrono\",\"version\":\"0.4.10\"}],\
         \"resolve\":{\"nodes\":[{\"id\":\"1\"},{\"id\":\"2\"}]}}'\n",
    );
    let cargo = project.path("cargo.sh");
    std::fs::set_permissions(&cargo, std::fs::Permissions::from_mode(0o755)).unwrap();
    let project = project.variable("CARGO", cargo.to_str().unwrap());
    let run = project.run(&["--db", &database(&project)]);
    assert_shown!(run, "not_built");
}

#[test]
fn a_folder_that_is_no_database_is_exit_2() {
    let project = Project::with_crates("");
    let run = project.run(&["--db", "crates"]);
    assert_eq!(run.code, 2);
    assert!(run.outcome.summary.contains("--db names crates"), "{}", run.outcome.summary);
}

#[test]
fn nothing_to_audit_is_skipped_with_the_reason() {
    assert_shown!(Project::new("").run(&[]), "nothing");
}

#[test]
fn manifests_without_a_lock_are_said_not_to_be_checked() {
    let project = Project::new("")
        .write("Cargo.toml", "[package]\nname = \"app\"\n")
        .write("package.json", "{\"dependencies\":{\"a\":\"1\"}}")
        .write("yarn.lock", "");
    assert_shown!(project.run(&[]), "unlocked");
}

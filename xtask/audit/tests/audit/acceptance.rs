//! `[[audit.ignore]]`: accepted, expired, unused.

use crate::support::{Project, assert_shown, database};

#[test]
fn accepted_expired_and_unused_are_told_apart() {
    let project = Project::with_crates(
        r#"
[[audit.ignore]]
id = "CVE-2021-25900"
reason = "insert_many is never called"
until = "2999-12-31"

[[audit.ignore]]
id = "RUSTSEC-2020-0071"
reason = "waiting for chrono"
until = "2020-12-31"

[[audit.ignore]]
id = "RUSTSEC-2018-0018"
reason = "was affected once"
until = "2999-12-31"
"#,
    );
    let run = project.run(&["--db", &database(&project)]);
    assert_shown!(run, "acceptances");
}

#[test]
fn a_date_that_is_none_is_exit_2() {
    let project = Project::with_crates(
        "[[audit.ignore]]\nid = \"RUSTSEC-2020-0071\"\nreason = \"x\"\nuntil = \"2027-02-30\"\n",
    );
    let run = project.run(&["--db", &database(&project)]);
    assert_eq!(run.code, 2);
    let summary = run.outcome.summary;
    assert!(summary.contains("xtask.toml:6") && summary.contains("2027-02-30"), "{summary}");
}

#[test]
fn what_was_not_looked_at_is_not_called_unused() {
    let project = Project::with_crates(
        "[[audit.ignore]]\nid = \"RUSTSEC-2020-0071\"\nreason = \"x\"\nuntil = \"2999-12-31\"\n",
    );
    let run = project.run(&["--offline"]);
    assert_eq!(run.rules(), ["audit::no-database"]);
}

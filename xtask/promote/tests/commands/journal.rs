//! What was done is told, and what was changed afterwards is found.

use crate::project::Project;

fn promoted() -> Project {
    let project = Project::new("");
    project.release("one");
    project.promote(&[]).expect(0);
    project.run("history", &["verify"]).expect(0);
    project
}

#[test]
fn history_tells_who_did_what() {
    let project = promoted();
    let ran = project.run("history", &["--env", "production", "-n", "2"]);
    ran.expect(0);
    assert!(ran.stdout.contains("the last 2 of "), "{}", ran.stdout);
    assert!(ran.stdout.contains("alice@"), "{}", ran.stdout);
    let ran = project.run("history", &["--json"]);
    let lines: Vec<serde_json::Value> =
        ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["environment"], "staging");
    assert_eq!(lines[0]["record"]["act"]["kind"], "begin");
}

#[test]
fn a_record_that_was_changed_is_found() {
    let project = promoted();
    for (path, from, to) in [
        // In the middle: the next one does not follow it any more.
        ("env/production/journal/0000000002.json", "alice@", "mallory@"),
        // At the end: the lease remembers another.
        ("env/staging/journal/0000000005.json", "alice@", "mallory@"),
    ] {
        let record = project.read(path);
        let changed = record.replace(from, to);
        assert_ne!(changed, record, "{path}");
        project.write(path, &changed);
        let ran = project.run("history", &["verify"]);
        ran.expect(4);
        assert!(ran.stderr.contains("of the journal is not what was written"), "{}", ran.stderr);
        project.write(path, &record);
        project.run("history", &["verify"]).expect(0);
    }
}

#[test]
fn a_journal_that_was_cut_is_found() {
    let project = promoted();
    std::fs::remove_file(project.root().join("env/production/journal/0000000005.json")).unwrap();
    let ran = project.run("history", &["verify", "--env", "production"]);
    ran.expect(4);
    assert!(ran.stderr.contains("its end was removed"), "{}", ran.stderr);
    project.run("history", &["verify", "--env", "staging"]).expect(0);
}

#[test]
fn traffic_that_nobody_moved_by_an_act_is_found() {
    let project = promoted();
    let routing = project.read("env/production/routing.json");
    let live = project.status("production")["live"].as_str().unwrap().to_owned();
    project.write("env/production/routing.json", &routing.replace(&format!("\"{live}\""), "null"));
    let ran = project.run("history", &["verify", "--env", "production"]);
    ran.expect(4);
    assert!(ran.stderr.contains("nothing is live by the routing"), "{}", ran.stderr);
}

#[test]
fn a_lease_and_a_routing_that_were_both_lost_leave_the_journal_true() {
    let project = promoted();
    let live = project.status("production")["live"].as_str().unwrap().to_owned();
    // Each promotion, and each rollback, has a higher fencing number.
    project.release("two");
    project.promote(&[]).expect(0);
    for file in ["lease.json", "routing.json"] {
        std::fs::remove_file(project.root().join("env/production").join(file)).unwrap();
    }
    project.run("rollback", &["--env", "production", "--to", &live]).expect(0);
    project.run("history", &["verify"]).expect(0);
    project.promote(&[]).expect(0);
}

#[test]
fn numbers_that_nobody_counted_are_not_counted_on() {
    let project = promoted();
    let most = format!("\"fencing\": {}", u64::MAX);
    let replace = |path: &str| {
        let document = project.read(path);
        project.write(path, &document.replace("\"fencing\": 1", &most));
        assert_ne!(project.read(path), document);
    };
    project.release("two");
    replace("env/production/lease.json");
    project.promote(&[]).expect(0);
    let routing = "env/production/routing.json";
    project.write(routing, &project.read(routing).replace("\"fencing\": 2", &most));
    let ran = project.run("rollback", &["--env", "production"]);
    ran.expect(4);
    let next = "remove it from the store, and `cargo xtask rollback --env production --to RELEASE`";
    for said in ["routing.json is not a routing document: expected numbers below 2^62", next] {
        assert!(ran.stderr.contains(said), "{}", ran.stderr);
    }
}

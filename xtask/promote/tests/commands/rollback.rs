//! A person goes back.

use crate::project::{Project, wait};

#[test]
fn what_was_live_before_is_live_again() {
    let project = Project::new("");
    let first = project.release("one");
    project.promote(&[]).expect(0);
    project.run("rollback", &[]).expect(2);
    let second = project.release("two");
    project.promote(&[]).expect(0);
    assert_eq!(project.page(), "two");
    let ran = project.run("rollback", &["--reason", "it is slow"]);
    ran.expect(0);
    assert!(ran.stdout.contains(&format!("from      {second}")), "{}", ran.stdout);
    assert!(ran.stdout.contains(&format!("to        {first}")), "{}", ran.stdout);
    assert!(ran.stdout.contains("all of them follow"), "{}", ran.stdout);
    assert_eq!(project.page(), "one");
    let history = project.run("history", &["--env", "production"]);
    assert!(history.stdout.contains("it is slow"), "{}", history.stdout);

    // Whoever was called at the same time means the same way back, and not the release that is slow.
    let ran = project.run("rollback", &[]);
    ran.expect(2);
    assert!(ran.stderr.contains(&format!("{second} was gone back from already")), "{}", ran.stderr);
    assert!(ran.stderr.contains("--to RELEASE"), "{}", ran.stderr);
    assert_eq!(project.page(), "one");

    let ran = project.run("rollback", &["--to", second.as_str(), "--format", "json"]);
    ran.expect(0);
    let back: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(back["to"], second.as_str());
    assert!(back["edges_followed_ms"].is_u64(), "{back}");
    assert_eq!(project.page(), "two");
    project.run("rollback", &["--to", "2020"]).expect(2);
    project.run("history", &["verify"]).expect(0);
}

#[test]
fn it_needs_no_edge() {
    let project = Project::new("");
    let first = project.release("one");
    project.promote(&[]).expect(0);
    project.release("two");
    project.promote(&[]).expect(0);
    project.end_edges("production");
    let ran = project.run("rollback", &[]);
    ran.expect(0);
    assert!(ran.stdout.contains("none is running"), "{}", ran.stdout);
    assert_eq!(project.status("production")["live"], first.as_str());
}

#[test]
fn it_ends_a_rollout_that_another_process_takes_through() {
    let gates = "gates = [\"command:wait\"]\ncommands = { wait = \"while test -f hold; do sleep 0.05; done\" }";
    let project = Project::new(gates);
    let first = project.release("one");
    project.promote(&[]).expect(0);
    project.write("hold", "");
    project.release("two");
    let promoter = project.start("promote", &[]);
    project.wait_for_phase("verifying");
    assert_eq!(project.status("production")["previous"], first.as_str(), "what it goes back to");
    let ran = project.run("rollback", &["--reason", "not tonight"]);
    ran.expect(0);
    assert!(ran.stdout.contains("ended     rollout r"), "{}", ran.stdout);
    let ended = promoter.end();
    ended.expect(4);
    assert!(ended.stderr.contains("another took over this environment"), "{}", ended.stderr);
    assert_eq!(project.status("production")["live"], first.as_str());
    assert_eq!(project.page(), "one");
    project.run("history", &["verify"]).expect(0);
    std::fs::remove_file(project.root().join("hold")).unwrap();
    project.promote(&[]).expect(0);
    assert_eq!(project.page(), "two");
}

#[test]
fn it_may_go_back_to_nothing_when_the_first_release_does_not_go_live() {
    let gates = "gates = [\"command:wait\"]\ncommands = { wait = \"while test -f hold; do sleep 0.05; done\" }";
    let project = Project::new(gates);
    project.write("hold", "");
    project.release("one");
    let promoter = project.start("promote", &[]);
    project.wait_for_phase("verifying");
    project.run("rollback", &[]).expect(0);
    promoter.end().expect(4);
    assert_eq!(project.status("production")["live"], serde_json::Value::Null);
    wait("the lease to be free", || project.status("production")["moved_by"].is_null());
}

#[test]
fn after_a_gate_has_turned_back_nobody_goes_further_back_by_mistake() {
    let gates = "gates = [\"command:ok\"]\ncommands = { ok = \"! test -f bad\" }";
    let project = Project::new(gates);
    let first = project.release("one");
    project.promote(&[]).expect(0);
    project.release("two");
    project.promote(&[]).expect(0);
    project.write("bad", "");
    let third = project.release("three");
    project.promote(&[]).expect(1);
    assert_eq!(project.page(), "two");
    let ran = project.run("rollback", &[]);
    ran.expect(2);
    assert!(ran.stderr.contains(&format!("{third} was gone back from already")), "{}", ran.stderr);
    let next = format!("cargo xtask rollback --env production --to {first}");
    assert!(ran.stderr.contains(&next), "{}", ran.stderr);
    assert_eq!(project.page(), "two");
    project.run("rollback", &["--to", first.as_str()]).expect(0);
    assert_eq!(project.page(), "one");
}

#[test]
fn what_is_done_is_done_whoever_can_read_it() {
    let project = Project::new("");
    project.release("one");
    project.promote(&[]).expect(0);
    project.release("two");
    project.promote(&[]).expect(0);
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let status = project.command("rollback", &[]).stdout(full).status().unwrap();
    assert_eq!(status.code(), Some(0));
    assert_eq!(project.page(), "one");
}

#[test]
fn it_needs_no_key_that_it_may_read() {
    use std::os::unix::fs::PermissionsExt;
    let project = Project::new("");
    project.release("one");
    project.promote(&[]).expect(0);
    project.release("two");
    project.promote(&[]).expect(0);
    let key = project.root().join("target/xtask/keys/development.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    project.promote(&[]).expect(4);
    project.run("rollback", &[]).expect(0);
    assert_eq!(project.page(), "one");
    for (name, arguments) in
        [("status", &[][..]), ("history", &["verify"]), ("freeze", &["--reason", "it is slow"])]
    {
        project.run(name, arguments).expect(0);
    }
}

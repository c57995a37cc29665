//! What may not go on is told before anything is changed.

use crate::project::Project;
use report::Status;

#[test]
fn all_that_is_missing_is_told_at_once() {
    let project = Project::new("evidence = [\"build\", \"test\", \"e2e\"]");
    let release = project.build("one");
    project.prove(&release, "test", Status::Failed);
    let ran = project.promote(&[]);
    ran.expect(4);
    let build =
        "production: evidence of `build` (missing), `test` (failed: test failed), `e2e` (missing)";
    assert!(ran.stderr.contains(build), "{}", ran.stderr);
    assert!(ran.stderr.contains("staging: evidence of `build` (missing)"), "{}", ran.stderr);
    assert!(ran.stderr.contains("run `cargo xtask ci`"), "{}", ran.stderr);
    assert!(!project.has("env"), "a store was made");
    project.promote(&["--dry-run"]).expect(4);
}

#[test]
fn a_release_that_was_changed_is_refused() {
    let project = Project::new("");
    let id = project.release("one");
    project.write(&format!("target/xtask/releases/{id}/site/index.html"), "two");
    let ran = project.promote(&[]);
    ran.expect(4);
    assert!(ran.stderr.contains("its files are not what its manifest says"), "{}", ran.stderr);
}

#[test]
fn a_development_key_is_not_enough_where_keys_are_trusted() {
    let project = Project::new("");
    let toml = project.read("xtask.toml");
    let key = release::signing::SigningKey::generate("release".parse().unwrap()).unwrap();
    project.write("xtask.toml", &format!("{toml}[signing]\ntrusted = [\"{}\"]\n", key.public()));
    project.release("one");
    let ran = project.promote(&[]);
    ran.expect(4);
    assert!(ran.stderr.contains("[signing] trusts other keys"), "{}", ran.stderr);
    assert!(ran.stderr.contains("evidence of `build`"), "{}", ran.stderr);
}

#[test]
fn a_frozen_environment_lets_nothing_in_until_it_is_lifted() {
    let project = Project::new("");
    project.release("one");
    project.run("freeze", &["--env", "staging"]).expect(2);
    project.run("freeze", &["--env", "staging", "--reason", "the database moves"]).expect(0);
    project.run("freeze", &["--env", "staging", "--reason", "again"]).expect(2);
    let ran = project.promote(&[]);
    ran.expect(4);
    assert!(ran.stderr.contains("staging: it is frozen by alice@"), "{}", ran.stderr);
    assert!(ran.stderr.contains("the database moves"), "{}", ran.stderr);
    assert!(ran.stderr.contains("`cargo xtask unfreeze --env staging`"), "{}", ran.stderr);
    assert!(project.run("status", &[]).stdout.contains("the database moves"));
    project.run("unfreeze", &["--env", "staging"]).expect(0);
    project.run("unfreeze", &["--env", "staging"]).expect(2);
    project.promote(&["--to", "staging"]).expect(0);
    project.run("history", &["verify"]).expect(0);
}

#[test]
fn a_closed_window_is_told_before_staging_is_touched() {
    // No day has this hour for longer than a minute.
    let window = "gates = [\"window\"]\n\
                  window = { days = [\"mon\"], from = \"00:00\", to = \"00:01\" }";
    let project = Project::new(window);
    project.release("one");
    let ran = project.promote(&[]);
    if ran.code == Some(4) {
        assert!(ran.stderr.contains("production: its window is not open"), "{}", ran.stderr);
        assert!(!project.has("env/staging/journal"), "staging was touched");
    }
    project.promote(&["--to", "staging"]).expect(0);
}

#[test]
fn a_store_of_another_project_is_refused() {
    let project = Project::new("");
    project.release("one");
    project.promote(&[]).expect(0);
    let toml = project.read("xtask.toml");
    project.write("xtask.toml", &toml.replacen("name = \"", "name = \"other-", 1));
    project.release("two");
    let ran = project.promote(&[]);
    ran.expect(4);
    for said in ["is live in its store, of the project", "--allow-other-project"] {
        assert!(ran.stderr.contains(said), "{}", ran.stderr);
    }
    assert_eq!(project.page(), "one");
    project.promote(&["--allow-other-project"]).expect(0);
    assert_eq!(project.page(), "two");
}

#[test]
fn why_it_stopped_is_told_with_its_cause() {
    let project = Project::new("");
    project.release("one");
    let toml = project.read("xtask.toml");
    project.write("xtask.toml", &toml.replace("\"env/staging\"", "\"/dev/null\""));
    let ran = project.promote(&["--format", "json"]);
    ran.expect(3);
    assert!(ran.stdout.contains("failed to create /dev/null: File exists"), "{}", ran.stdout);
}

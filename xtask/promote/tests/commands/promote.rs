//! A release goes live, or turns back by itself.

use crate::project::{Project, wait};
use std::path::Path;

#[test]
fn a_release_goes_through_the_environments_and_the_next_one_takes_its_place() {
    let project = Project::new("shift = [\"50% for 1s\", \"100%\"]");
    let first = project.release("<h1>one</h1>");
    let ran = project.promote(&[]);
    ran.expect(0);
    assert!(
        ran.stdout.contains(&format!("Promoted {first} to staging, production")),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("unsigned for production use"), "{}", ran.stdout);
    assert_eq!(project.page(), "<h1>one</h1>");
    assert!(project.has("target/xtask/rollouts/production-r1.html"));

    let second = project.release("<h1>two</h1>");
    let ran = project.promote(&["--format", "json"]);
    ran.expect(0);
    let lines: Vec<serde_json::Value> =
        ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().all(|line| line["version"] == 1), "{}", ran.stdout);
    let is_shared = |line: &serde_json::Value| {
        line["event"] == "moved"
            && line["environment"] == "production"
            && line["to"]["share"] == 500
    };
    assert!(lines.iter().any(is_shared), "{}", ran.stdout);
    assert_eq!(lines.last().unwrap()["went_live"], serde_json::json!(["staging", "production"]));
    assert_eq!(project.page(), "<h1>two</h1>");
    let status = project.status("production");
    assert_eq!(status["live"], second.as_str());
    assert_eq!(status["previous"], first.as_str());
    assert_eq!(status["edges"][0]["releases"][second.as_str()]["state"], "ready");

    let again = project.promote(&[]);
    again.expect(0);
    assert!(again.stdout.contains("nothing to do"), "{}", again.stdout);
    project.run("history", &["verify"]).expect(0);
}

#[test]
fn a_gate_that_fails_turns_it_back_and_what_was_live_stays_live() {
    let gates = "gates = [\"command:check\"]\ncommands = { check = \"echo too dark; test -f ok\" }";
    let project = Project::new(gates);
    project.write("ok", "");
    let first = project.release("one");
    project.promote(&[]).expect(0);
    std::fs::remove_file(project.root().join("ok")).unwrap();
    let second = project.release("two");
    let ran = project.promote(&[]);
    ran.expect(1);
    assert!(ran.stdout.contains("Turned back in production"), "{}", ran.stdout);
    assert!(ran.stdout.contains("too dark"), "{}", ran.stdout);
    assert!(
        ran.stdout.contains(&format!("{first} has all of the traffic again")),
        "{}",
        ran.stdout
    );
    assert_eq!(project.page(), "one");
    let status = project.status("production");
    assert_eq!(status["live"], first.as_str());
    assert_eq!(status["candidate"], serde_json::Value::Null);
    let record = latest_record(&project, "production");
    assert!(record.contains("too dark") && record.contains(second.as_str()), "{record}");
    assert!(!record.contains("<script"), "{record}");
}

#[test]
fn the_plan_is_shown_and_nothing_changed() {
    let project = Project::new("shift = [\"5% for 2m\", \"100%\"]\ngates = [\"approval\"]");
    let id = project.release("one");
    let ran = project.promote(&["--dry-run"]);
    ran.expect(0);
    assert!(ran.stdout.contains(&format!("Promotion of {id}")), "{}", ran.stdout);
    assert!(ran.stdout.contains("gates: approval"), "{}", ran.stdout);
    assert!(ran.stdout.contains("\nproduction  nothing is live"), "{}", ran.stdout);
    assert!(!project.has("env"), "a store was made");
    let ran = project.promote(&["--dry-run", "--to", "staging"]);
    ran.expect(0);
    assert!(!ran.stdout.contains("production  "), "{}", ran.stdout);
}

#[test]
fn it_goes_as_far_as_it_is_told() {
    let project = Project::new("");
    let id = project.release("one");
    project.promote(&["--to", "staging"]).expect(0);
    assert_eq!(project.status("staging")["live"], id.as_str());
    assert_eq!(project.status("production")["live"], serde_json::Value::Null);
    project.promote(&["--to", "prod"]).expect(2);
    project.promote(&["no-such-release"]).expect(2);
}

#[test]
fn a_person_approves_from_elsewhere() {
    let project = Project::new("gates = [\"approval\"]");
    let id = project.release("one");
    let promoter = project.start("promote", &[]);
    wait("the rollout to wait for an approval", || {
        let status = project.status("production");
        status["waits_for"].as_str().is_some_and(|it| it.contains("promote --approve"))
    });
    let ran = project.promote(&["--approve", "--reason", "looks well"]);
    ran.expect(0);
    assert!(ran.stdout.contains("approved rollout r1 in production"), "{}", ran.stdout);
    promoter.end().expect(0);
    assert_eq!(project.status("production")["live"], id.as_str());
    let history = project.run("history", &["--env", "production"]);
    assert!(history.stdout.contains("approved: looks well"), "{}", history.stdout);
}

#[test]
fn an_approval_may_come_with_the_command() {
    let project = Project::new("gates = [\"approval\"]");
    project.release("one");
    project.promote(&["--approve"]).expect(0);
    assert_eq!(project.page(), "one");
}

fn latest_record(project: &Project, environment: &str) -> String {
    let folder = project.root().join("target/xtask/rollouts");
    let is_page = |path: &Path| {
        path.extension().is_some_and(|extension| extension == "html")
            && path.file_name().unwrap().to_string_lossy().starts_with(environment)
    };
    let pages = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let modified = |path: &std::path::PathBuf| path.metadata().unwrap().modified().unwrap();
    let latest = pages.filter(|path| is_page(path)).max_by_key(modified).unwrap();
    std::fs::read_to_string(latest).unwrap()
}

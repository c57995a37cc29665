//! Those who are told how a rollout goes.

use crate::hook::Hook;
use crate::project::Project;
use crate::server::closed_address;

#[test]
fn a_webhook_hears_of_each_turn_and_of_a_rollback() {
    let project = Project::new(
        "notify = [{ url-env = \"HOOK\" }]\ngates = [\"command:check\"]\n\
         commands = { check = \"! test -f broken\" }",
    );
    let hook = Hook::start(200);
    let told = |command: &str| {
        let ran = project.command(command, &[]).env("HOOK", hook.url()).output().unwrap();
        let said = String::from_utf8_lossy(&ran.stdout).into_owned();
        assert!(!said.contains("secret"), "the address is a secret: {said}");
        let events: Vec<String> = hook
            .bodies()
            .iter()
            .map(|message| {
                assert_eq!(message["environment"], "production", "{message}");
                assert!(message["text"].as_str().is_some_and(|text| !text.is_empty()), "{message}");
                message["event"].as_str().unwrap().to_owned()
            })
            .collect();
        events.join(" ")
    };
    let first = project.release("one");
    assert_eq!(told("promote"), "began live");
    project.write("broken", "");
    project.release("two");
    assert_eq!(told("promote"), "began turning-back turned-back");
    std::fs::remove_file(project.root().join("broken")).unwrap();
    assert_eq!(told("promote"), "began live");
    assert_eq!(told("rollback"), "rolled-back");
    assert_eq!(project.status("production")["live"], first.as_str());
}

#[test]
fn nobody_who_listens_stops_nothing_and_is_told() {
    let project = Project::new("notify = [{ url-env = \"HOOK\", format = \"slack\" }]");
    project.release("one");
    let mut command = project.command("promote", &[]);
    let ran =
        command.env("HOOK", format!("http://{}/T0/secret", closed_address())).output().unwrap();
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert_eq!(ran.status.code(), Some(0), "{said}");
    assert!(said.contains("warning") && said.contains("HOOK"), "{said}");
    assert!(!said.contains("secret"), "{said}");
    assert_eq!(project.page(), "one");
}

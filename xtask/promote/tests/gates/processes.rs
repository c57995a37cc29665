//! Gates that run something, and those that ask a person.

use super::world::{CANDIDATE, World, ask, ask_until, rollout};
use promote::gates::Prompt;
use promote::journal::Verdict;
use promote::rollout::Judgement;
use promote::state::Rollout;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

fn told(judgement: &Judgement) -> (Verdict, &str) {
    (judgement.verdict, &judgement.reason)
}

#[test]
fn a_tool_is_asked_about_the_candidate_and_believed() {
    let world = World::new("");
    let _edge = world.ready_edge();
    let outcome = r#"{"status":"passed","summary":"4 of 4 checks answered as declared",
        "measures":[{"name":"checks","value":4,"unit":"count"}]}"#;
    let script =
        format!("echo \"$*\" > asked; pwd >> asked; echo '{outcome}' > \"$XTASK_OUTCOME\"");
    world.script("xtask-smoke", &script);
    let judgement = world.ask("smoke");
    assert_eq!(told(&judgement), (Verdict::Pass, "4 of 4 checks answered as declared"));
    assert_eq!(judgement.numbers[0].name, "checks");
    let asked = std::fs::read_to_string(world.root().join("asked")).unwrap();
    let root = world.root().canonicalize().unwrap();
    assert_eq!(asked, format!("--url http://127.0.0.1:7\n{}\n", root.display()));
}

#[test]
fn a_tool_that_finds_something_fails_and_one_that_cannot_look_holds() {
    let world = World::new("");
    assert_eq!(world.ask("smoke").verdict, Verdict::Inconclusive, "no edge");
    let _edge = world.ready_edge();
    let judgement = world.ask("smoke");
    assert_eq!(judgement.verdict, Verdict::Inconclusive);
    assert!(judgement.reason.starts_with("xtask-smoke is neither"), "{judgement:?}");
    for (outcome, code, expected) in [
        (
            r#"{"status":"failed","summary":"1 of 4 checks failed","exit_code":1,"findings":[
                {"rule":"smoke::status","level":"error","message":"expected status 200, found 500"}]}"#,
            1,
            (Verdict::Fail, "1 of 4 checks failed: expected status 200, found 500"),
        ),
        (
            r#"{"status":"failed","summary":"nothing answered","exit_code":3}"#,
            3,
            (Verdict::Inconclusive, "nothing answered"),
        ),
        ("{", 0, (Verdict::Inconclusive, "outcome.json is not an outcome")),
    ] {
        let script = format!("echo '{outcome}' > \"$XTASK_OUTCOME\"; exit {code}");
        world.script("xtask-smoke", &script);
        let judgement = world.ask("smoke");
        assert_eq!(judgement.verdict, expected.0, "{judgement:?}");
        assert!(judgement.reason.contains(expected.1), "{judgement:?}");
    }
}

#[test]
fn a_budget_gets_the_release_as_it_was_built() {
    let world = World::new("");
    let _edge = world.ready_edge();
    let folder = world.root().join("target/xtask/releases").join(CANDIDATE);
    std::fs::create_dir_all(&folder).unwrap();
    world.script("xtask-budget", "echo \"$*\"; exit 1");
    let judgement = world.ask("budget");
    let expected = format!("exit code 1: --url http://127.0.0.1:7 --release {}", folder.display());
    assert_eq!(told(&judgement), (Verdict::Fail, expected.as_str()));
}

#[test]
fn the_projects_own_commands_are_gates() {
    let world = World::new(
        "gates = [\"command:mine\"]\n[environments.staging.commands]\n\
         mine = 'echo \"$BASE_URL\"; exit \"$(cat code)\"'",
    );
    let _edge = world.ready_edge();
    for (code, expected) in [
        ("0", (Verdict::Pass, "http://127.0.0.1:7")),
        ("3", (Verdict::Inconclusive, "it could not tell (exit code 3): http://127.0.0.1:7")),
        ("4", (Verdict::Fail, "exit code 4: http://127.0.0.1:7")),
    ] {
        std::fs::write(world.root().join("code"), code).unwrap();
        assert_eq!(told(&world.ask("command:mine")), expected);
    }
    assert_eq!(world.ask("command:yours").verdict, Verdict::Inconclusive);
}

#[test]
fn journeys_leave_what_they_leave_in_a_folder_of_the_rollout() {
    let world = World::new("");
    let _edge = world.ready_edge();
    world.script("journeys", "echo \"$BASE_URL\" > \"$XTASK_ARTIFACTS/url\"");
    assert_eq!(world.ask("e2e").verdict, Verdict::Pass);
    let left = world.root().join("target/xtask/promote/staging/r17/e2e/url");
    assert_eq!(std::fs::read_to_string(left).unwrap(), "http://127.0.0.1:7\n");
}

#[test]
fn a_gate_that_never_ends_is_ended() {
    let world = World::new("[steps.e2e]\ntimeout = \"300ms\"");
    let _edge = world.ready_edge();
    world.script("journeys", "echo at it; exec sleep 600");
    let start = Instant::now();
    assert_eq!(told(&world.ask("e2e")), (Verdict::Fail, "it did not end within 300ms: at it"));
    assert!(start.elapsed() < Duration::from_secs(60));

    let world = World::new("");
    let _edge = world.ready_edge();
    world.script("journeys", "touch begun; exec sleep 600");
    let begun = world.root().join("begun");
    let judgement = ask_until(&world.gates(None), "e2e", &rollout(), &|| begun.exists());
    assert_eq!(told(&judgement), (Verdict::Inconclusive, "it was stopped before its end"));
}

#[test]
fn an_approval_is_a_persons() {
    let world = World::new("");
    assert_eq!(
        told(&world.ask("approval")),
        (
            Verdict::Inconclusive,
            "nobody has approved yet; `cargo xtask promote --approve --to staging` does"
        )
    );
    let approved = Rollout { approved_by: Some("ada@desk".to_owned()), ..rollout() };
    let judgement = ask(&world.gates(None), "approval", &approved);
    assert_eq!(told(&judgement), (Verdict::Pass, "approved by ada@desk"));
}

/// A person who answers the second time.
#[derive(Debug, Default)]
struct Person {
    says: bool,
    asked: AtomicUsize,
}

static QUESTION: Mutex<String> = Mutex::new(String::new());

impl Prompt for Person {
    fn ask(&self, question: &str, _: Duration, _: &dyn Fn() -> bool) -> Option<bool> {
        question.clone_into(&mut QUESTION.lock().unwrap());
        (self.asked.fetch_add(1, Ordering::SeqCst) > 0).then_some(self.says)
    }
}

#[test]
fn a_person_at_a_terminal_is_asked_until_there_is_an_answer() {
    let world = World::new("");
    for (says, expected) in [
        (true, (Verdict::Pass, "approved at the terminal")),
        (false, (Verdict::Fail, "refused at the terminal")),
    ] {
        let gates = world.gates(Some(Box::new(Person { says, ..Person::default() })));
        assert_eq!(ask(&gates, "approval", &rollout()).verdict, Verdict::Inconclusive);
        assert_eq!(told(&ask(&gates, "approval", &rollout())), expected);
    }
    let question = format!("approve rollout r17 of {CANDIDATE} to staging? [y/N]");
    assert_eq!(*QUESTION.lock().unwrap(), question);
}

#[test]
fn a_window_that_is_always_open_passes() {
    let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].map(|day| format!("\"{day}\""));
    let days = days.join(", ");
    let world = World::new(&format!(
        "gates = [\"window\"]\nwindow = {{ days = [{days}], from = \"00:00\", to = \"24:00\" }}"
    ));
    assert_eq!(world.ask("window").verdict, Verdict::Pass);
}

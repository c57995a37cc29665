//! Stopped, killed, overtaken: nothing is lost, and it goes on.

use crate::project::Project;
use rustix::process::Signal;

/// A gate that lets nothing through while the file `hold` is there.
const WAIT: &str =
    "gates = [\"command:wait\"]\ncommands = { wait = \"while test -f hold; do sleep 0.05; done\" }";

#[test]
fn a_killed_promoter_is_gone_on_from_where_it_was() {
    let project = Project::new(WAIT);
    project.release("one");
    project.promote(&[]).expect(0);
    project.write("hold", "");
    let second = project.release("two");
    let promoter = project.start("promote", &[]);
    project.wait_for_phase("verifying");
    promoter.signal(Signal::KILL);
    assert_eq!(promoter.end().code, None);

    assert_eq!(project.page(), "one");
    let ran = project.promote(&[]);
    ran.expect(4);
    assert!(ran.stderr.contains("is not over: it is at verifying"), "{}", ran.stderr);
    assert!(ran.stderr.contains("`cargo xtask promote --resume`"), "{}", ran.stderr);
    std::fs::remove_file(project.root().join("hold")).unwrap();
    let ran = project.promote(&["--resume"]);
    ran.expect(0);
    assert!(ran.stdout.contains("goes on, taken over from alice@"), "{}", ran.stdout);
    assert_eq!(project.status("production")["live"], second.as_str());
    assert_eq!(project.page(), "two");
    project.promote(&["--resume"]).expect(2);
    project.run("history", &["verify"]).expect(0);
}

#[test]
fn asked_to_stop_it_stays_where_it_is_and_gives_the_lease_back() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let project = Project::new(WAIT);
        project.write("hold", "");
        project.release("one");
        let promoter = project.start("promote", &[]);
        project.wait_for_phase("verifying");
        promoter.signal(signal);
        let ran = promoter.end();
        ran.expect(code);
        assert!(ran.stdout.contains("cargo xtask promote --resume"), "{}", ran.stdout);
        let status = project.status("production");
        assert_eq!(status["moved_by"], serde_json::Value::Null);
        assert!(status["waits_for"].as_str().unwrap().contains("promote --resume"), "{status}");
        assert!(project.has("target/xtask/rollouts/production-r1.html"));
        std::fs::remove_file(project.root().join("hold")).unwrap();
        project.promote(&["--resume"]).expect(0);
        assert_eq!(project.page(), "one");
    }
}

#[test]
fn of_two_promoters_one_is_refused() {
    let project = Project::new(WAIT);
    project.write("hold", "");
    project.release("one");
    let promoter = project.start("promote", &[]);
    project.wait_for_phase("verifying");
    for arguments in [&[][..], &["--resume"]] {
        let ran = project.promote(arguments);
        ran.expect(4);
        assert!(ran.stderr.contains("alice@"), "{}", ran.stderr);
        assert!(ran.stderr.contains("until 20"), "{}", ran.stderr);
    }
    std::fs::remove_file(project.root().join("hold")).unwrap();
    promoter.end().expect(0);
    assert_eq!(project.page(), "one");
}

#[test]
fn what_a_power_cut_took_is_started_again_by_whoever_goes_on() {
    let project = Project::new("shift = [\"50% for 5s\", \"100%\"]");
    project.release("one");
    project.promote(&[]).expect(0);
    let second = project.release("two");
    let promoter = project.start("promote", &[]);
    project.wait_for_phase("shifting(50%)");
    promoter.signal(Signal::KILL);
    promoter.end();
    project.end_edges("production");
    let ran = project.promote(&["--resume"]);
    ran.expect(0);
    assert_eq!(project.status("production")["live"], second.as_str());
    assert_eq!(project.page(), "two");
}

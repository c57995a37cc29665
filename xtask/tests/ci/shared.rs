//! Several runners on one checkout, and what is kept of their runs.

use crate::fixture::Project;
use std::collections::BTreeSet;

fn runs(project: &Project) -> BTreeSet<String> {
    std::fs::read_dir(project.root().join("target/xtask/runs"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "latest")
        .collect()
}

#[test]
fn runners_at_once_do_not_meet() {
    let project = Project::new(
        "[steps.a]\nrun = \"sleep 0.1; mkdir -p out; echo made > out/file; cat input\"\n\
         inputs = [\"input\"]\noutputs = [\"out/**\"]\n[steps.b]\nrun = \"cat out/file\"\nneeds = [\"a\"]\n",
    );
    project.write("input", "one\n");
    let running: Vec<_> = (0..4).map(|_| project.start(&[])).collect();
    for running in running {
        running.wait().expect(0);
    }
    assert_eq!(runs(&project).len(), 4);
    project.ci(&[]).expect(0);
    assert!(project.step("a").outcome.replayed);
    assert_eq!(project.output("a"), "one\n");
}

#[test]
fn runners_at_once_do_a_step_once_and_keep_no_half_of_it() {
    let project = Project::new(
        "[steps.a]\nrun = \"echo ran >> log; : > made; sleep 0.3; cat input | tee made\"\n\
         inputs = [\"input\"]\noutputs = [\"made\"]\n\
         [steps.b]\nrun = \"cat made\"\nneeds = [\"a\"]\ninputs = [\"made\"]\n",
    );
    project.write("input", "one\n");
    let running: Vec<_> = (0..4).map(|_| project.start(&[])).collect();
    for running in running {
        running.wait().expect(0);
    }
    assert_eq!(project.read("log"), "ran\n");
    std::fs::remove_file(project.root().join("made")).unwrap();
    project.ci(&[]).expect(0);
    assert!(project.step("a").outcome.replayed && project.step("b").outcome.replayed);
    assert_eq!((project.read("made"), project.output("b")), ("one\n".into(), "one\n".into()));
}

#[test]
fn a_runner_that_waits_for_another_can_be_interrupted() {
    let project = Project::new(
        "[steps.before]\nrun = \"echo here >> runners\"\ncache = false\n\
         [steps.long]\nrun = \"echo started >> long; sleep 600\"\nneeds = [\"before\"]\n",
    );
    let count = |file: &str| if project.has(file) { project.read(file).lines().count() } else { 0 };
    let wait_for = |file: &str, lines: usize| {
        while count(file) < lines {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    };
    let first = project.start(&[]);
    wait_for("long", 1);
    let second = project.start(&[]);
    wait_for("runners", 2);
    for runner in [second, first] {
        runner.signal(rustix::process::Signal::TERM);
        runner.wait().expect(143);
    }
    assert_eq!(count("long"), 1);
}

#[test]
fn the_last_twenty_runs_are_kept() {
    let project = Project::new("[steps.a]\nrun = \"true\"\n");
    for _ in 0..22 {
        project.ci(&[]).expect(0);
    }
    assert_eq!(runs(&project).len(), 20);
    let latest = project.read("target/xtask/runs/latest");
    assert_eq!(runs(&project).last().map(String::as_str), Some(latest.trim()));
}

#[test]
fn a_run_leaves_its_report_its_outputs_and_its_artifacts() {
    let project =
        Project::new("[steps.a]\nrun = \"echo hello; echo x > $XTASK_ARTIFACTS/shot.png\"\n");
    project.ci(&[]).expect(0);
    let report = project.report();
    let folder = format!("target/xtask/runs/{}", report.run);
    assert_eq!(project.step("a").output, Some(format!("{folder}/output/a.log")));
    assert_eq!(project.output("a"), "hello\n");
    assert!(project.has(&format!("{folder}/artifacts/a/shot.png")));
    assert_eq!(report.critical_path, ["a"]);
}

//! Runs that behave: order, failures, retries, the cache, what a step is given and what it gives.

use crate::fixture::Project;
use report::Status;

/// A step that says it is there and waits for another to be there too.
fn meets(name: &str, other: &str) -> String {
    format!(
        "[steps.{name}]\nrun = \"touch {name}.here; until [ -e {other}.here ]; do sleep 0.01; done\"\n\
         timeout = \"20s\"\ncache = false\n"
    )
}

#[test]
fn steps_run_at_the_same_time() {
    let project = Project::new(&(meets("one", "two") + &meets("two", "one")));
    project.ci(&["--jobs", "2"]).expect(0);
}

#[test]
fn one_job_runs_one_step_at_a_time_and_so_does_a_resource() {
    let alone = "[ ! -e busy ] && touch busy && sleep 0.05 && rm busy";
    let steps = |extra: &str| {
        ["a", "b", "c"]
            .map(|name| format!("[steps.{name}]\nrun = \"{alone}\"\ncache = false\n{extra}\n"))
            .concat()
    };
    Project::new(&steps("")).ci(&["--jobs", "1"]).expect(0);
    Project::new(&steps("exclusive = \"it\"")).ci(&["--jobs", "3"]).expect(0);
}

#[test]
fn the_first_failure_ends_the_run_and_is_named() {
    let project = Project::new(
        "[steps.broken]\nrun = \"until [ -e long.here ]; do sleep 0.01; done; exit 3\"\n\
         [steps.long]\nrun = \"touch long.here; sleep 600\"\n\
         [steps.after]\nrun = \"true\"\nneeds = [\"long\"]\n",
    );
    project.ci(&["--jobs", "2"]).expect(1);
    assert_eq!(project.step("broken").outcome.summary, "exit code 3");
    assert_eq!(project.status("long"), Status::Cancelled);
    assert_eq!(project.step("after").outcome.summary, "`broken` failed first");
    assert_eq!(project.report().first_failure().unwrap().name, "broken");
}

#[test]
fn keep_going_runs_what_does_not_depend_on_the_failure() {
    let project = Project::new(
        "[steps.a]\nrun = \"exit 1\"\n[steps.b]\nrun = \"true\"\nneeds = [\"a\"]\n\
         [steps.c]\nrun = \"true\"\nneeds = [\"b\"]\n[steps.d]\nrun = \"true\"\n",
    );
    project.ci(&["--jobs", "1", "--keep-going"]).expect(1);
    assert_eq!(project.status("d"), Status::Passed);
    assert_eq!(project.step("b").outcome.summary, "needs `a`, which failed");
    assert_eq!(project.step("c").outcome.summary, "needs `b`, which did not run");
}

#[test]
fn a_failure_is_tried_again_as_often_as_it_says() {
    let flaky = "echo try >> tries; echo \\\"try $(wc -l < tries)\\\"; [ $(wc -l < tries) -ge 3 ]";
    let project = Project::new(&format!("[steps.flaky]\nrun = \"{flaky}\"\nretries = 2\n"));
    project.ci(&[]).expect(0);
    assert_eq!(project.step("flaky").attempts, 3);
    assert_eq!(project.output("flaky"), "try 3\n");
    let log = project.step("flaky").output.unwrap().replace(".log", ".attempt-1.log");
    assert_eq!(project.read(&log), "try 1\n");

    let project = Project::new("[steps.never]\nrun = \"exit 1\"\nretries = 1\n");
    project.ci(&[]).expect(1);
    assert_eq!(project.step("never").attempts, 2);
}

#[test]
fn an_allowed_failure_stops_nothing() {
    let project = Project::new(
        "[steps.a]\nrun = \"exit 1\"\nallow-failure = true\n[steps.b]\nrun = \"true\"\nneeds = [\"a\"]\n",
    );
    for _ in 0..2 {
        project.ci(&[]).expect(0);
        assert_eq!((project.status("a"), project.status("b")), (Status::Failed, Status::Passed));
        assert!(!project.step("b").outcome.replayed, "kept although its need failed");
    }
}

#[test]
fn nothing_changed_is_replayed_with_its_output() {
    let project = Project::new(
        "[steps.a]\nrun = \"echo ran >> log; echo hello; mkdir -p out; echo made > out/file\"\n\
         inputs = [\"src/**\"]\noutputs = [\"out/**\"]\n\
         [steps.b]\nrun = \"cat out/file\"\nneeds = [\"a\"]\ninputs = [\"other\"]\n",
    );
    project.write("src/one", "1");
    project.ci(&[]).expect(0);
    std::fs::remove_dir_all(project.root().join("out")).unwrap();
    project.ci(&[]).expect(0);
    assert!(project.step("a").outcome.replayed && project.step("b").outcome.replayed);
    assert_eq!((project.output("a"), project.read("log")), ("hello\n".into(), "ran\n".into()));
    assert_eq!(project.read("out/file"), "made\n");

    project.ci(&["--no-cache"]).expect(0);
    assert!(!project.step("a").outcome.replayed);
    project.ci(&["--force"]).expect(0);
    assert!(!project.step("a").outcome.replayed);
    project.write("src/one", "2");
    project.ci(&[]).expect(0);
    assert!(!project.step("a").outcome.replayed && !project.step("b").outcome.replayed);
}

#[test]
fn outputs_behind_a_link_are_kept_inside_the_project_and_told_outside() {
    let project = Project::new(
        "[steps.a]\nrun = \"echo made > out/file\"\ninputs = [\"input\"]\noutputs = [\"out/**\"]\n",
    );
    let elsewhere = tempfile::tempdir().unwrap();
    let link = project.root().join("out");
    std::fs::create_dir(project.root().join("real")).unwrap();
    std::os::unix::fs::symlink("real", &link).unwrap();
    project.ci(&[]).expect(0);
    std::fs::remove_file(project.root().join("real/file")).unwrap();
    project.ci(&[]).expect(0);
    assert!(project.step("a").outcome.replayed);
    assert_eq!(project.read("out/file"), "made\n");

    std::fs::remove_file(&link).unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), &link).unwrap();
    project.ci(&["--force"]).expect(0);
    let warnings = project.report().warnings;
    assert!(warnings.iter().any(|warning| warning.contains("outside the project")), "{warnings:?}");
}

#[test]
fn a_step_reads_what_the_one_it_needs_made_just_now() {
    let project = Project::new(
        "[steps.make]\nrun = \"cp source made\"\ninputs = [\"source\"]\n\
         [steps.use]\nrun = \"cat made\"\nneeds = [\"make\"]\ninputs = [\"made\"]\n",
    );
    project.write("source", "one\n");
    project.ci(&[]).expect(0);
    let ran = project.ci(&[]).expect(0);
    assert!(project.step("use").outcome.replayed, "{}", ran.stdout);
    project.write("source", "two\n");
    project.ci(&[]).expect(0);
    assert_eq!(project.output("use"), "two\n");
}

#[test]
fn a_step_is_given_its_surroundings_and_not_cargos() {
    let project = Project::new(
        "[steps.a]\nrun = \"pwd; echo ${CARGO_PKG_NAME-none} ${CARGO_PKG_VERSION-none} ${MINE-none}; \
         test -d $XTASK_ARTIFACTS; cat\"\npass-env = [\"CARGO_PKG_VERSION\"]\n",
    );
    let mut command = project.command(&[]);
    command.env("CARGO_PKG_NAME", "x").env("CARGO_PKG_VERSION", "1.2").env("MINE", "yes");
    assert!(command.output().unwrap().status.success());
    let root = project.root().canonicalize().unwrap();
    assert_eq!(project.output("a"), format!("{}\nnone 1.2 yes\n", root.display()));
}

#[test]
fn a_delivered_outcome_is_the_steps_and_its_exit_code_the_runs() {
    let project = Project::new(
        r#"
[steps.world]
run = '''printf '{"status":"failed","summary":"no browser","exit_code":3}' > $XTASK_OUTCOME; exit 3'''
"#,
    );
    project.ci(&[]).expect(3);
    assert_eq!(project.step("world").outcome.summary, "no browser");
    assert_eq!(project.report().exit_code, 3);
}

#[test]
fn a_report_that_a_step_wrote_is_read_in() {
    let project = Project::new(
        r#"
[steps.suite]
run = '''cat > junit.xml <<'END'
<testsuite name="s"><testcase name="t" classname="c"><failure message="one is not two"/></testcase></testsuite>
END
'''
junit = ["junit.xml"]
"#,
    );
    project.ci(&[]).expect(1);
    let outcome = project.step("suite").outcome;
    assert_eq!(outcome.summary, "1 error in what it wrote");
    assert!(outcome.findings[0].message.contains("one is not two"), "{:?}", outcome.findings);
}

#[test]
fn a_replayed_artifact_outlives_the_run_that_made_it() {
    let project = Project::new(
        r#"
[steps.shot]
run = '''
echo pixels > $XTASK_ARTIFACTS/home.png
path=${XTASK_ARTIFACTS#"$PWD"/}/home.png
printf '{"status":"passed","artifacts":[{"name":"home","path":"%s"}]}' "$path" > $XTASK_OUTCOME
'''
"#,
    );
    project.ci(&[]).expect(0);
    let first = project.report().run;
    project.ci(&[]).expect(0);
    let step = project.step("shot");
    assert!(step.outcome.replayed);
    std::fs::remove_dir_all(project.root().join("target/xtask/runs").join(first)).unwrap();
    assert_eq!(project.read(&step.outcome.artifacts[0].path), "pixels\n");
}

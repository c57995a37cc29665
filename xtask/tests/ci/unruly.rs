//! Steps that misbehave: they print without end, never end, fork and exit, change or delete what
//! they read, or are killed.

use crate::fixture::Project;
use report::Status;

#[test]
fn a_gigabyte_of_output_takes_little_memory_and_keeps_both_ends() {
    let project = Project::new(
        "[steps.flood]\nrun = \"echo first; yes 0123456789012345678901234567890123456789 \
         | head -c 1000000000; echo last\"\ntimeout = \"5m\"\n",
    );
    // The runner, its threads' stacks included, has to do with far less than the output.
    let script = "ulimit -v 500000 && exec \"$0\" ci --format json";
    let mut command = project.command(&[]);
    let program = command.get_program().to_owned();
    command = std::process::Command::new("sh");
    command.args(["-c", script]).arg(program).current_dir(project.root());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let log = project.output("flood");
    assert!(log.len() < 9 << 20, "{}", log.len());
    assert!(
        log.starts_with("first\n") && log.ends_with("last\n") && log.contains("bytes left out]")
    );
    let lines = output.stdout.split(|byte| *byte == b'\n').count();
    assert!(lines < 200_000, "{lines} lines were passed on");
}

#[test]
fn a_step_that_never_ends_is_timed_out_with_all_that_it_started() {
    let project = Project::new(
        "[steps.endless]\nrun = \"sleep 600 & echo $! > pid; wait\"\ntimeout = \"300ms\"\nretries = 1\n",
    );
    project.ci(&[]).expect(1);
    assert_eq!(project.step("endless").outcome.summary, "timed out after 300ms");
    assert_eq!(project.step("endless").attempts, 2);
    project.pid("pid").assert_gone();
}

#[test]
fn what_lost_its_parents_and_died_is_gone_while_its_step_still_runs() {
    let wait = "while kill -0 $(cat pid); do sleep 0.02; done";
    let run = format!("(sleep 0.1 & echo $! > pid); {wait}");
    let project = Project::new(&format!("[steps.orphan]\nrun = \"{run}\"\ntimeout = \"20s\"\n"));
    project.ci(&[]).expect(0);
}

#[test]
fn what_a_step_leaves_running_ends_with_it() {
    let hold =
        "trap \\\"\\\" TERM HUP; echo $$ > $0.tmp; mv $0.tmp $0; while :; do sleep 0.1; done";
    let project = Project::new(&format!(
        "[steps.leaves]\nrun = \"\"\"\n\
         sh -c '{hold}' child &\n\
         setsid sh -c '{hold}' session &\n\
         env -i PATH=\"$PATH\" setsid sh -c '{hold}' unmarked &\n\
         (setsid sh -c 'sh -c \"sleep 600 & echo \\\\$! > deep.tmp; mv deep.tmp deep\" & wait' &)\n\
         until [ -e child -a -e session -a -e unmarked -a -e deep ]; do sleep 0.01; done\n\
         \"\"\"\ntimeout = \"20s\"\n\
         [steps.next]\nrun = \"\"\"\nfor file in child session deep; do\n\
         ! grep -q '^State:[[:space:]]*[RSD]' /proc/$(cat $file)/status 2> /dev/null || exit 1\ndone\n\"\"\"\n\
         needs = [\"leaves\"]\n",
    ));
    project.ci(&[]).expect(0);
    for pid in ["child", "session", "unmarked", "deep"] {
        project.pid(pid).assert_gone();
    }
}

#[test]
fn a_killed_step_says_by_which_signal() {
    let project = Project::new("[steps.a]\nrun = \"kill -9 $$\"\n");
    project.ci(&[]).expect(1);
    assert_eq!(project.step("a").outcome.summary, "killed by signal 9");
}

#[test]
fn a_step_whose_inputs_change_meanwhile_is_reported_and_not_kept() {
    let project = Project::new("[steps.a]\nrun = \"echo more >> input\"\ninputs = [\"input\"]\n");
    project.write("input", "one\n");
    for _ in 0..2 {
        project.ci(&[]).expect(0);
        assert!(!project.step("a").outcome.replayed);
        let warnings = project.report().warnings;
        assert!(warnings.iter().any(|warning| warning.contains("input changed")), "{warnings:?}");
    }
}

#[test]
fn what_a_step_made_of_an_input_that_was_put_back_since_is_not_kept() {
    // Later than the clock's tick in which the test wrote it.
    let run = "sleep 0.1; echo other > input; cat input; echo one > input";
    let project = Project::new(&format!("[steps.a]\nrun = \"{run}\"\ninputs = [\"input\"]\n"));
    project.write("input", "one\n");
    project.ci(&[]).expect(0);
    assert_eq!(project.output("a"), "other\n");
    let warnings = project.report().warnings;
    assert!(warnings.iter().any(|warning| warning.contains("input was written")), "{warnings:?}");
    project.ci(&[]).expect(0);
    assert!(!project.step("a").outcome.replayed);
}

#[test]
fn a_step_that_deletes_its_inputs_breaks_nothing() {
    let project =
        Project::new("[steps.a]\nrun = \"rm -r src; mkdir new\"\ninputs = [\"src/**\"]\n");
    project.write("src/deep/file", "one\n");
    project.ci(&[]).expect(0);
    assert_eq!(project.status("a"), Status::Passed);
    assert_eq!(project.report().warnings.len(), 1);
}

#[test]
fn no_place_for_the_runs_folder_or_the_cache_is_a_warning() {
    let project = Project::new("[steps.a]\nrun = \"echo fine\"\n");
    for path in ["target/xtask/runs", "target/xtask/cache", "target/xtask/state"] {
        project.write(path, "a file in the way");
    }
    let ran = project.ci(&[]).expect(0);
    assert!(ran.stdout.contains("this run leaves no report"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("report.html"), "{}", ran.stdout);
}

#[test]
fn a_step_that_closes_its_output_is_waited_for() {
    let project = Project::new("[steps.a]\nrun = \"exec > /dev/null 2>&1; sleep 0.2; exit 7\"\n");
    project.ci(&[]).expect(1);
    assert_eq!(project.step("a").outcome.summary, "exit code 7");
}

#[test]
fn an_outcome_that_is_a_pipe_fails_its_step_and_hangs_nothing() {
    let project = Project::new("[steps.a]\nrun = \"mkfifo $XTASK_OUTCOME\"\n");
    project.ci(&[]).expect(1);
    assert!(project.step("a").outcome.summary.ends_with("is no regular file"));
}

#[test]
fn a_command_that_begins_with_a_dash_is_a_command() {
    let project = Project::new("[steps.a]\nrun = \"-x\"\n");
    project.ci(&[]).expect(1);
    assert_eq!(project.step("a").outcome.summary, "exit code 127");
}

//! What a run says to the tool that records evidence. A script stands in for the tool, beside a
//! program that is installed outside any target folder.

use crate::fixture::Project;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Output;

/// A step that leaves a release, and two that check something.
const STEPS: &str = r#"
[steps.make]
run = """mkdir -p target/xtask/releases/r1
echo '{"status": "passed", "artifacts": [{"name": "release", "path": "target/xtask/releases/r1"}]}' > $XTASK_OUTCOME"""
inputs = ["source"]
[steps.check]
run = "! grep bad source"
needs = ["make"]
inputs = ["source"]
[steps.other]
run = "true"
inputs = ["other"]
[steps.never]
run = "true"
when = "never"
"#;

struct Installed {
    project: Project,
    folder: tempfile::TempDir,
}

fn install(script: &str) -> Installed {
    // On the file system of the binary, so that a link will do.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    std::fs::hard_link(env!("CARGO_BIN_EXE_xtask"), folder.path().join("xtask")).unwrap();
    let tool = folder.path().join("xtask-evidence");
    std::fs::write(&tool, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&tool, std::fs::Permissions::from_mode(0o755)).unwrap();
    Installed { project: Project::new(STEPS), folder }
}

impl Installed {
    fn ci(&self, arguments: &[&str]) -> Output {
        let program: PathBuf = self.folder.path().join("xtask");
        let command = self.project.command(arguments);
        let mut installed = std::process::Command::new(program);
        installed.args(command.get_args()).current_dir(self.project.root());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => installed.env(name, value),
                None => installed.env_remove(name),
            };
        }
        installed.output().unwrap()
    }

    /// How often the tool was called, and how at last.
    fn called(&self) -> (usize, String) {
        if !self.project.has("evidence.called") {
            return (0, String::new());
        }
        let called = self.project.read("evidence.called");
        (called.lines().count(), called.lines().last().unwrap_or_default().to_owned())
    }

    /// Puts what the last run came to on record, as the tool would.
    fn put_on_record(&self) {
        for step in self.project.report().steps {
            let fingerprint = step.fingerprint.unwrap_or_default();
            let status = step.outcome.status;
            self.project.write(
                &format!("target/xtask/evidence/r1/{}.json", step.name),
                &format!(
                    r#"{{"evidence": {{"status": "{status}", "fingerprint": "{fingerprint}"}}}}"#
                ),
            );
        }
    }
}

#[test]
fn what_is_new_is_recorded_and_nothing_else_starts_a_process() {
    let installed = install("echo \"$@\" >> evidence.called");
    let project = &installed.project;
    project.write("source", "good");
    project.write("other", "");
    assert!(installed.ci(&[]).status.success());
    let run = project.read("target/xtask/runs/latest");
    let report = project.root().canonicalize().unwrap();
    let report = report.join(format!("target/xtask/runs/{}/report.json", run.trim()));
    let report = report.display();
    let (count, call) = installed.called();
    assert_eq!(call, format!("add --report {report} --step check --step make --step other"));
    assert_eq!(count, 1);

    installed.put_on_record();
    assert!(installed.ci(&[]).status.success());
    assert_eq!(installed.called().0, 1, "all was replayed, and is on record");

    // A part of the pipeline has something to say, too; and a failure is something.
    project.write("source", "bad");
    assert!(!installed.ci(&["--only", "check"]).status.success());
    let (count, call) = installed.called();
    assert!(count == 2 && call.ends_with("--step check --step make"), "{call}");

    // Without the release there is nothing to record it against.
    project.write("other", "changed");
    assert!(installed.ci(&["--only", "other"]).status.success());
    assert_eq!(installed.called().0, 2);
}

#[test]
fn evidence_that_cannot_be_recorded_fails_no_run() {
    let installed = install("echo 'error: others can read the key' >&2; exit 4");
    installed.project.write("source", "good");
    installed.project.write("other", "");
    let output = installed.ci(&[]);
    assert!(output.status.success());
    let warnings = installed.project.report().warnings;
    let warning = "no evidence was recorded for the release: others can read the key";
    assert_eq!(warnings, [warning]);
    assert!(String::from_utf8_lossy(&output.stdout).contains(warning));
}

#[test]
fn the_signing_key_is_in_no_steps_environment_that_does_not_ask_for_it() {
    let project = Project::new(
        "[steps.curious]\nrun = \"env\"\n\
         [steps.asks]\nrun = \"env\"\npass-env = [\"XTASK_SIGNING_KEY_DATA\"]\n\
         [steps.build]\nrun = \"env\"\n",
    );
    let output = project.command(&[]).env("XTASK_SIGNING_KEY_DATA", "s3cret").output().unwrap();
    assert!(output.status.success());
    assert!(!project.output("curious").contains("s3cret"));
    assert!(!project.output("build").contains("s3cret"));
    assert!(project.output("asks").contains("XTASK_SIGNING_KEY_DATA=s3cret"));
}

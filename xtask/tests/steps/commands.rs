//! The command line, setup, doctor, completions, and steps of the project's own.

use crate::fixture::{Fixture, findings, path_with, said, script};
use std::process::Stdio;
use std::time::{Duration, Instant};

#[test]
fn mistakes_are_told_with_exit_code_2() {
    let fixture = Fixture::new(&[]);
    let mistake = |arguments: &[&str]| {
        let output = fixture.xtask(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        said(&output)
    };
    assert!(mistake(&["doctr"]).contains("a similar subcommand exists: 'doctor'"));
    assert!(mistake(&["-C", "/no/such/folder", "fmt"]).contains("expected a folder after -C"));
    assert!(mistake(&["step", "nothing"]).contains("no step is named \"nothing\""));
    assert!(mistake(&["step", "e2e"]).contains("[e2e]"));
    fixture.write("xtask.toml", "[project]\nnam = \"demo\"\n");
    assert!(mistake(&["fmt"]).contains("xtask.toml:2:"));
    std::fs::remove_file(fixture.root().join("xtask.toml")).unwrap();
    assert!(mistake(&["fmt"]).contains("cargo xtask init"));
}

#[test]
fn the_root_is_found_from_below_and_from_elsewhere() {
    let fixture = Fixture::new(&[
        ("xtask.toml", "[project]\nname = \"demo\"\n[steps.here]\nrun = \"pwd\"\n"),
        ("deep/er/file", ""),
    ]);
    let root = fixture.root();
    let mut below = fixture.xtask(&["step", "here"]);
    below.current_dir(root.join("deep/er"));
    let mut elsewhere = fixture.xtask(&["-C", root.to_str().unwrap(), "step", "here"]);
    elsewhere.current_dir("/");
    for command in [&mut below, &mut elsewhere] {
        let output = command.output().unwrap();
        assert_eq!(said(&output).lines().next(), root.to_str());
    }
}

#[test]
fn a_command_of_the_projects_own_that_fails_is_a_failed_check_whatever_its_code() {
    let config = "[project]\nname = \"demo\"\n[steps.lint]\nrun = \"exit 4\"\n\
                  [steps.own]\nrun = \"-x\"\n";
    let fixture = Fixture::new(&[("xtask.toml", config)]);
    for arguments in [&["lint"][..], &["step", "own"]] {
        let output = fixture.xtask(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    }
    assert!(said(&fixture.xtask(&["lint"]).output().unwrap()).contains("exit code 4"));
}

#[test]
fn a_program_on_path_is_a_subcommand() {
    let fixture = Fixture::new(&[]);
    let folder = fixture.root().join("bin");
    std::fs::create_dir(&folder).unwrap();
    script(&folder.join("xtask-hello"), "echo \"hello $* in $(basename \"$PWD\")\"; exit 7\n");
    let root = fixture.root();
    let mut command = fixture.xtask(&["-C", root.to_str().unwrap(), "hello", "--to", "you"]);
    let output = command.current_dir("/").env("PATH", path_with(&folder)).output().unwrap();
    let name = root.file_name().unwrap().to_str().unwrap();
    assert_eq!(said(&output), format!("hello --to you in {name}\n"));
    assert_eq!(output.status.code(), Some(7));
}

#[test]
fn a_step_of_the_projects_own_has_its_report_read_in() {
    let fixture = Fixture::new(&[(
        "xtask.toml",
        "[project]\nname = \"demo\"\n[steps.own]\nrun = \"cp given.xml out.xml\"\n\
         junit = [\"out.xml\"]\n",
    )]);
    fixture.write(
        "given.xml",
        "<testsuite><testcase name='a' file='t.py' line='3'><failure message='no'/></testcase>\
         </testsuite>",
    );
    let output = fixture.xtask(&["step", "own"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("t.py:3"), "{}", said(&output));
    let (outcome, ..) = fixture.step("own");
    assert!(findings(&outcome).is_empty(), "in a run, the runner reads it in");
}

#[test]
fn setup_runs_what_is_due_and_only_that() {
    let fixture = Fixture::new(&[(
        "xtask.toml",
        "[project]\nname = \"demo\"\n[[setup]]\nrun = \"echo run >> log; cp lock made\"\n\
         creates = \"made\"\nfrom = \"lock\"\n",
    )]);
    fixture.write("lock", "one");
    for _ in 0..2 {
        let output = fixture.xtask(&["setup"]).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
    }
    assert_eq!(fixture.read("log"), "run\n");
    let doctor = fixture.xtask(&["doctor"]).output().unwrap();
    assert!(doctor.status.success(), "{}", said(&doctor));
}

#[test]
fn what_is_missing_is_named_with_why_and_how() {
    let fixture = Fixture::new(&[("package.json", "{}")]);
    let empty = fixture.root().join("empty");
    std::fs::create_dir(&empty).unwrap();
    for command in ["doctor", "setup"] {
        let output = fixture.xtask(&[command]).env("PATH", &empty).output().unwrap();
        let text = said(&output);
        assert_eq!(output.status.code(), Some(3), "{text}");
        assert!(text.contains("npm") && text.contains("package.json"), "{text}");
    }
}

#[test]
fn what_is_missing_is_installed_once() {
    let fixture = Fixture::new(&[("package.json", "{}")]);
    let folder = fixture.root().join("bin");
    std::fs::create_dir(&folder).unwrap();
    std::os::unix::fs::symlink("/usr/bin/env", folder.join("env")).unwrap();
    // One that asks nothing, for those who are not root.
    script(&folder.join("sudo"), "shift; exec \"$@\"\n");
    script(
        &folder.join("apt-get"),
        "echo \"$@\" >> log\n[ \"$1\" = update ] || for name in node npm; do\n\
         echo '#!/bin/sh' > bin/$name; /bin/chmod +x bin/$name; done\n",
    );
    for _ in 0..2 {
        let output = fixture.xtask(&["setup"]).env("PATH", &folder).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
    }
    let install = "install -y --no-install-recommends nodejs npm\n";
    assert_eq!(fixture.read("log"), format!("update\n{install}"));
}

#[test]
fn completions_are_printed_for_every_shell() {
    let fixture = Fixture::new(&[]);
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = fixture.xtask(&["completions", shell]).output().unwrap();
        assert!(output.status.success() && said(&output).contains("doctor"), "{shell}");
    }
}

#[test]
fn a_signal_to_the_program_alone_ends_what_it_started() {
    let fixture = Fixture::new(&[(
        "xtask.toml",
        "[project]\nname = \"demo\"\n[steps.long]\n\
         run = \"sleep 600 & echo $! > pid.new; mv pid.new pid; wait\"\n",
    )]);
    let mut command = fixture.xtask(&["step", "long"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let pid = fixture.root().join("pid");
    wait_until(|| pid.exists());
    let grandchild = fixture.read("pid").trim().parse().unwrap();
    let grandchild = rustix::process::Pid::from_raw(grandchild).unwrap();
    let us = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(us, rustix::process::Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(143));
    wait_until(|| rustix::process::test_kill_process(grandchild).is_err());
}

fn wait_until(is_true: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_true() {
        assert!(start.elapsed() < Duration::from_secs(30), "waited in vain");
        std::thread::sleep(Duration::from_millis(5));
    }
}

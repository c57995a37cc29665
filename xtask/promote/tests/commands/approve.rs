//! A person at the terminal says yes or no.

use crate::project::{Project, Ran};
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::fs::File;
use std::io::{Read, Write};
use std::process::Stdio;

/// Promotes at a terminal at which a person types this when asked.
fn promote(project: &Project, typed: &str) -> (Ran, String) {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap();
    // An edge that the promoter starts must not hold it open.
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let ours = rustix::fs::open(name, flags, Mode::empty()).unwrap();
    let mut command = project.command("promote", &[]);
    command.stdin(ours.try_clone().unwrap()).stdout(ours).stderr(Stdio::piped());
    let mut terminal = File::from(terminal);
    // Typed before anybody asked: no answer.
    terminal.write_all(b"\n\n").unwrap();
    let child = command.spawn().unwrap();
    drop(command);
    let mut shown = Vec::new();
    let mut is_asked = false;
    let mut piece = [0; 4096];
    // The read fails once the other end is closed.
    while let Ok(read @ 1..) = terminal.read(&mut piece) {
        shown.extend_from_slice(&piece[..read]);
        if !is_asked && String::from_utf8_lossy(&shown).contains("to production? [y/N]") {
            is_asked = true;
            terminal.write_all(format!("{typed}\n").as_bytes()).unwrap();
        }
    }
    let ran = Ran::of(&child.wait_with_output().unwrap());
    (ran, String::from_utf8_lossy(&shown).into_owned())
}

#[test]
fn yes_lets_it_go_on_and_anything_else_turns_it_back() {
    let project = Project::new("gates = [\"approval\"]");
    let first = project.release("one");
    let (ran, shown) = promote(&project, "y");
    assert_eq!(ran.code, Some(0), "{shown}\n{}", ran.stderr);
    assert!(shown.contains("approved at the terminal"), "{shown}");
    assert_eq!(project.page(), "one");

    project.release("two");
    let (ran, shown) = promote(&project, "no");
    assert_eq!(ran.code, Some(1), "{shown}\n{}", ran.stderr);
    assert_eq!(project.status("production")["live"], first.as_str());
    let history = project.run("history", &["--env", "production"]).stdout;
    assert!(history.contains("gate approval: fail, refused at the terminal"), "{history}");
}

//! Ctrl-C, TERM and worse: nothing that a step started lives on.

use crate::fixture::{Process, Project};
use report::Status;
use rustix::process::Signal;
use std::time::{Duration, Instant};

/// What is promised for the time from the signal to the end of the runner.
const PROMISED: Duration = Duration::from_secs(7);

/// Writes its pid to the file that is `$0`, ignores what it can, and never ends.
const STUBBORN: &str =
    "trap \"\" TERM INT HUP; echo $$ > $0.tmp; mv $0.tmp $0; while :; do sleep 0.05; done";

/// A step that ignores TERM, with a child in its group, one in a session of its own, and one that
/// the shell which started it has left behind; all of them hold its output.
fn stubborn() -> Project {
    Project::new(&format!(
        "[steps.stubborn]\nrun = '''\ntrap \"\" TERM INT HUP\n\
         echo $$ > leader.tmp; mv leader.tmp leader\n\
         sh -c '{STUBBORN}' child &\n\
         setsid sh -c '{STUBBORN}' session &\n\
         (sh -c '{STUBBORN}' orphan &)\n\
         while :; do sleep 0.05; done\n'''\n"
    ))
}

fn processes(project: &Project) -> Vec<Process> {
    ["leader", "child", "session", "orphan"].map(|path| project.pid(path)).to_vec()
}

#[test]
fn term_ends_the_stubborn_in_the_promised_time() {
    let project = stubborn();
    let running = project.start(&[]);
    let processes = processes(&project);
    let start = Instant::now();
    running.signal(Signal::TERM);
    running.wait().expect(143);
    assert!(start.elapsed() < PROMISED, "{:?}", start.elapsed());
    processes.into_iter().for_each(Process::assert_gone);
    assert_eq!(project.report().status, Status::Cancelled);
    assert_eq!(project.step("stubborn").outcome.summary, "interrupted");
}

#[test]
fn ctrl_c_lets_steps_put_their_things_in_order() {
    let project = Project::new(
        "[steps.server]\nrun = '''\n\
         sh -c 'trap \"sleep 0.3; echo tidy; exit 0\" TERM; echo $$ > pid.tmp; mv pid.tmp pid; \
         while :; do sleep 0.05; done' &\nwait\n'''\n[steps.after]\nrun = \"true\"\nneeds = [\"server\"]\n",
    );
    let running = project.start(&[]);
    let server = project.pid("pid");
    running.signal(Signal::INT);
    running.wait().expect(130);
    server.assert_gone();
    assert!(project.output("server").ends_with("tidy\n"), "{}", project.output("server"));
    assert_eq!(project.status("after"), Status::Cancelled);
}

#[test]
fn a_second_ctrl_c_kills_at_once() {
    let project = stubborn();
    let running = project.start(&[]);
    let processes = processes(&project);
    let start = Instant::now();
    running.signal(Signal::INT);
    // Two signals within a quarter of a second count as one.
    std::thread::sleep(Duration::from_millis(400));
    running.signal(Signal::INT);
    running.wait().expect(130);
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    processes.into_iter().for_each(Process::assert_gone);
}

#[test]
fn a_killed_runner_leaves_nothing_behind() {
    let project = stubborn();
    let running = project.start(&[]);
    let processes = processes(&project);
    running.signal(Signal::KILL);
    running.wait();
    processes.into_iter().for_each(Process::assert_soon_gone);
}

#[test]
fn fail_fast_ends_the_stubborn_too() {
    let mut steps = stubborn().read("xtask.toml");
    let own = steps.find("[steps.stubborn]").unwrap();
    steps.drain(..own);
    let project = Project::new(&format!(
        "{steps}[steps.broken]\nrun = \"until [ -e leader -a -e child -a -e session -a -e orphan ]; \
         do sleep 0.01; done; exit 1\"\n"
    ));
    let running = project.start(&["--jobs", "2"]);
    let processes = processes(&project);
    running.wait().expect(1);
    processes.into_iter().for_each(Process::assert_gone);
    assert_eq!(project.step("stubborn").outcome.summary, "`broken` failed first");
}

#[test]
fn an_output_that_nobody_reads_does_not_keep_the_runner() {
    let project = Project::new(
        "[steps.flood]\nrun = \"echo $$ > pid.tmp; mv pid.tmp pid; yes | head -c 100000000; sleep 600\"\n",
    );
    let running = project.start(&["--format", "json"]);
    let step = project.pid("pid");
    // Its standard output is a pipe that this test does not read until the runner is gone.
    let start = Instant::now();
    running.signal(Signal::TERM);
    running.wait_unread();
    assert!(start.elapsed() < PROMISED + Duration::from_secs(1), "{:?}", start.elapsed());
    step.assert_soon_gone();
}

#[test]
fn a_runner_under_a_runner_ends_with_it() {
    let inner = stubborn();
    let program = env!("CARGO_BIN_EXE_xtask");
    let outer = Project::new(&format!(
        "[steps.inner]\nrun = '\"{program}\" -C \"{}\" ci'\n",
        inner.root().display()
    ));
    let running = outer.start(&[]);
    let processes = processes(&inner);
    running.signal(Signal::TERM);
    running.wait().expect(143);
    processes.into_iter().for_each(Process::assert_soon_gone);
}

#[test]
fn a_hangup_that_nohup_ignores_stays_ignored() {
    let project = Project::new(
        "[steps.a]\nrun = \"echo $$ > up.tmp; mv up.tmp up; until [ -e go ]; do sleep 0.01; done\"\ntimeout = \"20s\"\n",
    );
    let mut runner = std::process::Command::new("sh")
        .args(["-c", "trap \"\" HUP; exec \"$0\" ci"])
        .arg(project.command(&[]).get_program())
        .current_dir(project.root())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    project.pid("up");
    rustix::process::kill_process(rustix::process::Pid::from_child(&runner), Signal::HUP).unwrap();
    project.write("go", "");
    assert!(runner.wait().unwrap().success());
    assert_eq!(project.status("a"), Status::Passed);
}

use super::*;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

const LONG: Duration = Duration::from_secs(60);

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

/// Waits until a process that was killed is gone: the kernel takes its time.
fn is_gone(file: &Path) -> bool {
    let pid: u32 = std::fs::read_to_string(file).unwrap().trim().parse().unwrap();
    let is_there = || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
        stat.is_ok_and(|stat| !stat.rsplit_once(") ").unwrap().1.starts_with(['Z', 'X']))
    };
    let until = Instant::now() + Duration::from_secs(5);
    while is_there() && Instant::now() < until {
        std::thread::sleep(LOOK_AGAIN);
    }
    !is_there()
}

#[test]
fn a_process_gives_its_code_and_the_end_of_its_output() {
    let ran = run(shell("echo out; echo err >&2; exit 7"), LONG, &|| false);
    assert_eq!(ran, Ran { end: End::Exited(7), output: "out\nerr\n".to_owned() });
    let ran = run(shell("kill -s SEGV $$"), LONG, &|| false);
    assert_eq!(ran.end, End::Signalled(11));
    let ran = run(Command::new("/nowhere/at/all"), LONG, &|| false);
    assert!(matches!(ran.end, End::NotStarted(reason) if reason.contains("/nowhere/at/all")));
}

#[test]
fn a_flood_is_kept_within_bounds() {
    let ran = run(shell("yes 0123456789 | head -c 5000000; echo last"), LONG, &|| false);
    assert_eq!(ran.end, End::Exited(0));
    assert!(ran.output.len() <= 2 * TAIL_BYTES && ran.output.ends_with("last\n"));
}

#[test]
fn one_that_never_ends_is_ended_with_its_children() {
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("pid");
    let script = format!("sleep 600 & echo $! > {}; wait", file.display());
    let ran = run(shell(&script), Duration::from_millis(300), &|| false);
    assert_eq!(ran.end, End::TimedOut);
    assert!(is_gone(&file));
}

#[test]
fn one_that_ignores_term_is_killed_when_nobody_waits_for_it() {
    let temp = tempfile::tempdir().unwrap();
    let ready = temp.path().join("ready");
    let script = format!("trap '' TERM; touch {}; while :; do sleep 0.1; done", ready.display());
    let was_stopped = AtomicBool::new(false);
    let ran = run(shell(&script), LONG, &|| {
        let is_ready = ready.exists();
        was_stopped.fetch_or(is_ready, Ordering::SeqCst);
        is_ready
    });
    assert_eq!(ran.end, End::Stopped);
    assert!(was_stopped.load(Ordering::SeqCst));
}

#[test]
fn what_outlives_its_parent_does_not_outlive_the_gate() {
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("pid");
    let script = format!("sleep 600 & echo $! > {}; exit 0", file.display());
    assert_eq!(run(shell(&script), LONG, &|| false).end, End::Exited(0));
    assert!(is_gone(&file));
}

//! Ends a gate's process when the promoter is killed in a way that it cannot handle: what goes on
//! with the rollout must not meet what is left of it.

use rustix::process::Pid;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

/// The first line names the group; a second says that it is gone, and its lack that the promoter is.
const GUARD: &str = r#"read -r group && { read -r end || kill -s KILL -- "-$group"; }"#;

/// A small process that waits for the promoter's death.
#[derive(Debug)]
pub struct Guard(Option<Child>);

impl Guard {
    /// Without a shell to be one there is none; the gate works as well.
    pub fn start() -> Guard {
        let guard = Command::new("sh")
            .args(["-c", GUARD])
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Guard(guard.ok())
    }

    /// Names the group to end.
    pub fn watch(&mut self, group: Pid) {
        self.tell(&format!("{}\n", group.as_raw_nonzero()));
    }

    fn tell(&mut self, line: &str) {
        if let Some(input) = self.0.as_mut().and_then(|guard| guard.stdin.as_mut()) {
            // A guard that died guards no more; the gate is not worse for it.
            input.write_all(line.as_bytes()).ok();
        }
    }
}

impl Drop for Guard {
    /// To be dropped when the group is gone.
    fn drop(&mut self) {
        // Two lines, so that one that was never told of a group ends too.
        self.tell(".\n.\n");
        if let Some(mut guard) = self.0.take() {
            drop(guard.stdin.take());
            guard.wait().ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;

    fn sleeper() -> Child {
        Command::new("sleep").arg("600").process_group(0).spawn().unwrap()
    }

    #[test]
    fn the_group_ends_with_the_promoter() {
        let mut sleeper = sleeper();
        let mut guard = Guard::start();
        guard.watch(Pid::from_child(&sleeper));
        // What the promoter's death comes to: its end of the pipe is closed, and nothing was said.
        drop(guard.0.as_mut().unwrap().stdin.take());
        assert_eq!(sleeper.wait().unwrap().signal(), Some(9));
    }

    #[test]
    fn a_guard_that_is_told_of_the_end_harms_nobody() {
        let mut sleeper = sleeper();
        let mut guard = Guard::start();
        guard.watch(Pid::from_child(&sleeper));
        drop(guard);
        drop(Guard::start());
        assert_eq!(sleeper.try_wait().unwrap(), None);
        sleeper.kill().unwrap();
        sleeper.wait().unwrap();
    }
}

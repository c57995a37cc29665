//! Which of the edges that said they are running still are.

use release::EdgePresence;
use std::fs;
use std::time::Duration;

/// A presence that was not renewed for so long does not count: an edge renews it every two seconds.
const MAX_AGE: Duration = Duration::from_secs(10);

/// Whether an edge still runs, as far as can be known from here.
pub fn is_alive(presence: &EdgePresence, now: jiff::Timestamp) -> bool {
    let Ok(seen_at) = presence.seen_at.parse::<jiff::Timestamp>() else { return false };
    let age = Duration::try_from(now.duration_since(seen_at)).unwrap_or_default();
    age <= MAX_AGE && (!is_here(presence) || is_running(presence))
}

/// Whether an edge is, or was, of this machine.
pub fn is_here(presence: &EdgePresence) -> bool {
    presence.host == host()
}

/// The name of this machine as edges say it: in characters that a store's key can have.
fn host() -> String {
    let name = rustix::system::uname();
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '-' };
    let name: String = name.nodename().to_string_lossy().chars().map(plain).collect();
    if name.is_empty() { "localhost".to_owned() } else { name }
}

/// Whether the process is there, and no other that got its number later: field 22 of
/// `/proc/PID/stat` (proc_pid_stat(5)) tells when it was started.
fn is_running(presence: &EdgePresence) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{}/stat", presence.pid)) else { return false };
    // The name before may hold anything but ends with the last parenthesis; field 3 follows.
    let Some((_, fields)) = stat.rsplit_once(')') else { return false };
    let fields: Vec<&str> = fields.split_ascii_whitespace().collect();
    let is_zombie = matches!(fields.first(), Some(&("Z" | "X")) | None);
    let start_ticks = fields.get(19).and_then(|ticks| ticks.parse::<u64>().ok());
    !is_zombie && start_ticks == Some(presence.start_ticks)
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// The presence of this very process.
    pub fn presence(admin: &str) -> EdgePresence {
        let stat = fs::read_to_string("/proc/self/stat").unwrap();
        let ticks = stat.rsplit_once(')').unwrap().1.split_ascii_whitespace().nth(19).unwrap();
        EdgePresence {
            instance: "one".to_owned(),
            host: host(),
            pid: std::process::id(),
            start_ticks: ticks.parse().unwrap(),
            listen: "http://127.0.0.1:1".to_owned(),
            admin: admin.to_owned(),
            environment: "staging".to_owned(),
            seen_at: jiff::Timestamp::now().to_string(),
        }
    }

    #[test]
    fn an_edge_counts_while_it_runs_and_says_so() {
        let here = presence("");
        let now = jiff::Timestamp::now();
        assert!(is_alive(&here, now));
        assert!(!is_alive(&here, now + Duration::from_secs(11)), "it says so no more");
        let reused = EdgePresence { start_ticks: here.start_ticks + 1, ..here.clone() };
        assert!(!is_alive(&reused, now), "another process has its number");
        let gone = EdgePresence { pid: u32::MAX, ..here.clone() };
        assert!(!is_alive(&gone, now));
        let far = EdgePresence { host: "another-machine".to_owned(), ..gone };
        assert!(is_alive(&far, now), "nothing can be known of its process");
        let torn = EdgePresence { seen_at: "now".to_owned(), ..here };
        assert!(!is_alive(&torn, now));
    }
}

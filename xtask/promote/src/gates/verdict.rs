//! What a process came to, as a verdict.

use super::process::{End, Ran};
use crate::journal::Verdict;
use crate::rollout::Judgement;
use report::{Finding, Level, Outcome, Status};
use std::time::Duration;

/// Exit code of a tool that could not reach the world: nothing was learnt of the candidate.
const UNREACHABLE: i32 = 3;

/// How many findings, or lines of output, a reason tells.
const MAX_FINDINGS: usize = 3;
const MAX_LINES: usize = 3;

/// Longest piece of a reason that others wrote.
const MAX_PIECE_CHARS: usize = 300;

/// The verdict of a process that need not say more than its exit code. `outcome`: what it handed back
/// beside it, if anything.
pub fn of_shell(ran: &Ran, timeout: Duration, outcome: Option<Outcome>) -> Judgement {
    match (&ran.end, outcome) {
        (End::Exited(code), Some(outcome)) => of_outcome(*code, outcome),
        (End::Exited(0), None) => Judgement::new(
            Verdict::Pass,
            match last_line(ran) {
                line if line.is_empty() => "exit code 0".to_owned(),
                line => line,
            },
        ),
        (End::Exited(UNREACHABLE), None) => {
            let reason = format!("it could not tell (exit code 3){}", said(ran));
            Judgement::new(Verdict::Inconclusive, reason)
        }
        (End::Exited(code), None) => {
            Judgement::new(Verdict::Fail, format!("exit code {code}{}", said(ran)))
        }
        (end, _) => of_early(end, ran, timeout),
    }
}

/// The verdict of one of Slipway's tools: it hands back an outcome, or something is wrong with it.
pub fn of_tool(ran: &Ran, timeout: Duration, outcome: Option<Outcome>) -> Judgement {
    match (&ran.end, outcome) {
        (End::Exited(code), Some(outcome)) => of_outcome(*code, outcome),
        (End::Exited(code @ (0 | UNREACHABLE)), None) => {
            let reason = format!("it handed back no outcome (exit code {code}){}", said(ran));
            Judgement::new(Verdict::Inconclusive, reason)
        }
        (End::Exited(code), None) => {
            Judgement::new(Verdict::Fail, format!("exit code {code}{}", said(ran)))
        }
        (end, _) => of_early(end, ran, timeout),
    }
}

fn of_early(end: &End, ran: &Ran, timeout: Duration) -> Judgement {
    let (verdict, reason) = match end {
        End::Exited(code) => (Verdict::Fail, format!("exit code {code}{}", said(ran))),
        End::Signalled(signal) => {
            (Verdict::Fail, format!("it was ended by signal {signal}{}", said(ran)))
        }
        End::TimedOut => {
            let limit = config::Duration(timeout);
            (Verdict::Fail, format!("it did not end within {limit}{}", said(ran)))
        }
        End::Stopped => (Verdict::Inconclusive, "it was stopped before its end".to_owned()),
        End::NotStarted(reason) => (Verdict::Inconclusive, reason.clone()),
    };
    Judgement::new(verdict, reason)
}

fn of_outcome(code: i32, outcome: Outcome) -> Judgement {
    let verdict = match outcome.status {
        Status::Passed if code == 0 => Verdict::Pass,
        Status::Failed if outcome.exit_code == UNREACHABLE => Verdict::Inconclusive,
        // What was not looked at is not known.
        Status::Skipped | Status::Cancelled => Verdict::Inconclusive,
        Status::Passed | Status::Failed => Verdict::Fail,
    };
    let mut reason = piece(&outcome.summary);
    if outcome.status == Status::Passed && code != 0 {
        reason = format!("it says that it passed, with exit code {code}: {reason}");
    }
    if verdict != Verdict::Pass {
        let errors: Vec<&Finding> =
            outcome.findings.iter().filter(|finding| finding.level == Level::Error).collect();
        for (index, finding) in errors.iter().take(MAX_FINDINGS).enumerate() {
            reason += if index == 0 { ": " } else { "; " };
            reason += &piece(&finding.message);
            if let Some(place) = &finding.place {
                reason += &format!(" ({place})");
            }
        }
        if errors.len() > MAX_FINDINGS {
            reason += &format!("; and {} more", errors.len() - MAX_FINDINGS);
        }
    }
    if reason.is_empty() {
        reason = outcome.status.to_string();
    }
    Judgement { numbers: outcome.measures, ..Judgement::new(verdict, reason) }
}

/// The last lines that it printed, after a colon.
fn said(ran: &Ran) -> String {
    let lines: Vec<&str> =
        ran.output.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let last = &lines[lines.len().saturating_sub(MAX_LINES)..];
    let last: Vec<String> = last.iter().map(|line| piece(line)).collect();
    if last.is_empty() { String::new() } else { format!(": {}", last.join(" | ")) }
}

/// The last line that it printed; empty when it printed none.
pub fn last_line(ran: &Ran) -> String {
    let last = ran.output.lines().rev().find(|line| !line.trim().is_empty());
    last.map(piece).unwrap_or_default()
}

/// A text of others in one line, without what a terminal would obey.
fn piece(text: &str) -> String {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let mut chars = line.chars();
    let mut shown = String::new();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' {
            // A colour: `ESC [`, numbers, a letter (ECMA-48, 5.4).
            if chars.next() == Some('[') {
                chars.find(|c| ('@'..='~').contains(c));
            }
        } else if !c.is_control() {
            shown.push(c);
        }
    }
    match shown.char_indices().nth(MAX_PIECE_CHARS) {
        Some((end, _)) => format!("{}…", &shown[..end]),
        None => shown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(90);

    fn ran(end: End) -> Ran {
        Ran { end, output: "one\n\n two\nthree\u{1b}[0m\nfour\n".to_owned() }
    }

    fn verdict(judgement: &Judgement) -> (Verdict, &str) {
        (judgement.verdict, &judgement.reason)
    }

    #[test]
    fn a_command_is_judged_by_its_exit_code() {
        let of = |end| of_shell(&ran(end), LIMIT, None);
        assert_eq!(verdict(&of(End::Exited(0))), (Verdict::Pass, "four"));
        let silent = Ran { end: End::Exited(0), output: "\n".to_owned() };
        let judgement = of_shell(&silent, LIMIT, None);
        assert_eq!(verdict(&judgement), (Verdict::Pass, "exit code 0"));
        let judgement = of(End::Exited(3));
        assert_eq!(judgement.verdict, Verdict::Inconclusive);
        let expected = (Verdict::Fail, "exit code 1: two | three | four");
        assert_eq!(verdict(&of(End::Exited(1))), expected);
        let judgement = of(End::TimedOut);
        assert_eq!(judgement.verdict, Verdict::Fail);
        assert!(judgement.reason.starts_with("it did not end within 90s: "), "{judgement:?}");
        assert_eq!(of(End::Stopped).verdict, Verdict::Inconclusive);
        assert_eq!(of(End::NotStarted("no".to_owned())).verdict, Verdict::Inconclusive);
        assert_eq!(of(End::Signalled(9)).verdict, Verdict::Fail);
    }

    #[test]
    fn a_tool_that_hands_back_nothing_never_passes() {
        let of = |code| of_tool(&ran(End::Exited(code)), LIMIT, None).verdict;
        assert_eq!(
            [of(0), of(3), of(1)],
            [Verdict::Inconclusive, Verdict::Inconclusive, Verdict::Fail]
        );
    }

    #[test]
    fn an_outcome_says_more_than_a_code() {
        let of = |code, outcome| of_tool(&ran(End::Exited(code)), LIMIT, Some(outcome));
        let passed = Outcome::passed("4 of 4 checks");
        assert_eq!(verdict(&of(0, passed.clone())), (Verdict::Pass, "4 of 4 checks"));
        assert_eq!(of(1, passed).verdict, Verdict::Fail);
        assert_eq!(of(0, Outcome::skipped("nothing to do")).verdict, Verdict::Inconclusive);
        let unreachable = Outcome { exit_code: 3, ..Outcome::failed("nothing answered") };
        assert_eq!(verdict(&of(3, unreachable)), (Verdict::Inconclusive, "nothing answered"));
        let mut failed = Outcome::failed("5 of 9 checks failed");
        failed.findings = (1..=5).map(|n| Finding::error("a::b", format!("wrong {n}"))).collect();
        failed.findings.insert(0, Finding::warning("a::c", "careful"));
        assert_eq!(
            verdict(&of(1, failed)),
            (Verdict::Fail, "5 of 9 checks failed: wrong 1; wrong 2; wrong 3; and 2 more")
        );
    }
}

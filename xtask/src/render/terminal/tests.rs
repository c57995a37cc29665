use super::*;
use crate::pipeline::event::Output;
use crate::render::fixture::{self, Paper};
use proptest::prelude::*;
use report::Outcome;
use std::convert::identity;

fn told(report: &Report, look: Look) -> String {
    let paper = Paper::default();
    let mut terminal = Terminal::new(paper.screen(), look, identity, "report.html".to_owned());
    fixture::tell(report, &fixture::outputs(), &mut terminal).unwrap();
    paper.text()
}

#[test]
fn a_failed_run_in_plain_lines() {
    let shown = told(&fixture::failed(), fixture::look());
    assert!(!shown.contains('\u{1b}'));
    insta::assert_snapshot!(shown);
}

#[test]
fn an_interrupted_run_in_plain_lines() {
    insta::assert_snapshot!(told(&fixture::interrupted(), fixture::look()));
}

#[test]
fn a_passed_run_in_plain_lines() {
    insta::assert_snapshot!(told(&fixture::passed(), fixture::look()));
}

/// A terminal of this size that was sent these bytes. Its driver turns a line feed into two.
fn terminal(lines: u16, columns: u16, bytes: &str) -> vt100::Parser {
    let mut terminal = vt100::Parser::new(lines, columns, 0);
    terminal.process(bytes.replace('\n', "\r\n").as_bytes());
    terminal
}

/// What stands on a terminal, line by line.
fn standing(terminal: &vt100::Parser) -> Vec<String> {
    let contents = terminal.screen().contents();
    contents.lines().map(|line| line.trim_end().to_owned()).collect()
}

#[test]
fn live_lines_leave_nothing_behind() {
    for report in [fixture::passed(), fixture::failed(), fixture::interrupted()] {
        let live = Look { live: true, lines: 100, ..fixture::look() };
        // The emulator leaves U+FFFD out.
        let plain = told(&report, fixture::look()).replace(" \u{fffd}", "");
        // Plain lines also say that a step starts.
        let expected: Vec<&str> = plain.lines().filter(|line| !line.starts_with('·')).collect();
        let screen = terminal(100, 80, &told(&report, live));
        let standing: Vec<String> = standing(&screen)
            .into_iter()
            .map(|line| line.replace("ending 1 step;", "ending the steps;"))
            .collect();
        // Longer lines of findings wrap on the terminal.
        assert_eq!(standing.concat(), expected.concat());
        assert!(!screen.screen().hide_cursor());
    }
}

#[test]
fn live_lines_stand_below_what_is_finished() {
    let report = fixture::failed();
    let heads = fixture::heads(&report);
    let paper = Paper::default();
    let look = Look { live: true, lines: 6, columns: 60, ..fixture::look() };
    let mut shown = Terminal::new(paper.screen(), look, identity, "report.html".to_owned());
    let at = Duration::ZERO;
    shown.on(&Event::RunStarted { project: "p", run: "r", steps: &heads }).unwrap();
    for step in 0..8 {
        shown.on(&Event::StepStarted { step, at, attempt: 1 }).unwrap();
    }
    shown.on(&Event::StepOutput { step: 1, line: b"\x1b[5A\x1b[2Jforged\r\xff here" }).unwrap();
    let outcome = Outcome::passed("88 files");
    let output = Output { bytes: b"", omitted_bytes: 0 };
    shown.on(&Event::StepFinished { step: 0, at, outcome: &outcome, output }).unwrap();
    shown.tick().unwrap();
    // A line more than the screen was said to have, to see what scrolled away.
    let screen = terminal(7, 60, &paper.text());
    let standing = standing(&screen);
    assert_eq!(standing[0], "✓ fmt                           0ms  88 files");
    assert!(standing[1].starts_with("⠋ lint    ╌╌╌╌╌╌╌╌╌╌╌╌"), "{standing:?}");
    assert!(standing[1].ends_with(" here") && !standing[1].contains("forged"), "{standing:?}");
    assert_eq!(standing[5], "  and 3 more");
    assert_eq!(screen.screen().cursor_position(), (6, 0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_steps_write_the_screen_stays_ours(
        written: Vec<Vec<u8>>,
        summary in "\\PC{0,100}",
        columns in 20u16..120,
    ) {
        let report = fixture::failed();
        let heads = fixture::heads(&report);
        let paper = Paper::default();
        let look =
            Look { live: true, lines: 60, columns: usize::from(columns), ..fixture::look() };
        let mut shown = Terminal::new(paper.screen(), look, identity, "report.html".to_owned());
        let at = Duration::ZERO;
        let output = Output { bytes: b"", omitted_bytes: 0 };
        shown.on(&Event::RunStarted { project: "p", run: "r", steps: &heads }).unwrap();
        for step in 0..3 {
            shown.on(&Event::StepStarted { step, at, attempt: 1 }).unwrap();
        }
        for line in &written {
            shown.on(&Event::StepOutput { step: 1, line }).unwrap();
            shown.tick().unwrap();
        }
        let outcome = Outcome::passed(summary);
        for step in 0..3 {
            shown.on(&Event::StepFinished { step, at, outcome: &outcome, output }).unwrap();
        }
        let screen = terminal(60, columns, &paper.text());
        let standing = standing(&screen);
        prop_assert_eq!(standing.len(), 3, "{:?}", standing);
        prop_assert!(standing[0].starts_with("✓ fmt") && standing[2].starts_with("✓ test"));
        prop_assert!(!screen.screen().hide_cursor());
    }
}

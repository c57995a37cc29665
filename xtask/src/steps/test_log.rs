//! The text that test runners print, read as findings and measures: libtest's (`cargo test`, doc
//! tests, harnesses in its manner) and nextest's.
//!
//! Both formats are for people, but have kept their shape for years; a line that does not fit is
//! left alone, and the exit code has the last word.

use crate::context::Context;
use crate::steps::panic_place::{panic_message, panic_place};
use report::{Finding, Measure, Unit};
use std::collections::{BTreeMap, BTreeSet};

/// How much of a failed test's output its finding keeps; all of it stands in the step's output.
const MAX_OUTPUT_BYTES: usize = 4 << 10;

/// How much of a test's output is kept while it is read: backtraces are cut out of it later.
const MAX_KEPT_BYTES: usize = 64 << 10;

/// Failed tests that become findings of their own.
const MAX_FAILED: usize = 500;

/// What a run of tests came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tests {
    pub passed: usize,
    pub skipped: usize,
    /// Failed tests with their output, in the order in which they failed.
    pub failed: Vec<Failed>,
}

/// A test that failed.
#[derive(Debug, PartialEq, Eq)]
pub struct Failed {
    pub name: String,
    pub output: String,
}

impl Tests {
    /// A finding for each failed test.
    pub fn findings(&self, cx: &Context) -> Vec<Finding> {
        self.failed.iter().take(MAX_FAILED).map(|failed| failed.finding(cx)).collect()
    }

    pub fn measures(&self) -> Vec<Measure> {
        let counts =
            [("passed", self.passed), ("failed", self.failed.len()), ("skipped", self.skipped)];
        #[expect(clippy::cast_precision_loss, reason = "no run has 2^52 tests")]
        let measure = |(name, count): (&str, usize)| {
            Measure::new(format!("tests.{name}"), count as f64, Unit::Count)
        };
        counts.map(measure).to_vec()
    }

    /// `2 failed, 410 passed, 3 skipped`: what is none is not said, but for what passed.
    pub fn summary(&self) -> String {
        let failed = (!self.failed.is_empty()).then(|| format!("{} failed", self.failed.len()));
        let skipped = (self.skipped > 0).then(|| format!("{} skipped", self.skipped));
        let parts = [failed, Some(format!("{} passed", self.passed)), skipped];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    pub fn add(&mut self, other: Tests) {
        self.passed += other.passed;
        self.skipped += other.skipped;
        self.failed.extend(other.failed);
    }
}

impl Failed {
    fn finding(&self, cx: &Context) -> Finding {
        let output = without_backtraces(&self.output);
        let first = panic_message(&self.output)
            .and_then(|message| message.lines().next().map(str::to_owned))
            .or_else(|| output.trim().lines().next().map(str::to_owned))
            .unwrap_or_else(|| "it failed".to_owned());
        let message = format!("{}: {first}\n{}", self.name, tail(output.trim()));
        let mut finding = Finding::error("test::failed", message.trim_end());
        finding.place = panic_place(cx, &self.output);
        finding
    }
}

/// Reads a runner's output line by line.
#[derive(Debug, Default)]
pub struct TestLog {
    passed: usize,
    skipped: usize,
    /// Names in the order in which they failed.
    failed: Vec<String>,
    known: BTreeSet<String>,
    outputs: BTreeMap<String, String>,
    suite: String,
    block: Block,
    is_past_summary: bool,
}

/// Whose output the current line belongs to.
#[derive(Debug, Default, PartialEq, Eq)]
enum Block {
    #[default]
    None,
    /// After libtest's `---- NAME stdout ----`.
    Libtest(String),
    /// After nextest's `FAIL [ 0.1s] NAME`; its lines are indented.
    Nextest(String),
}

impl TestLog {
    pub fn line(&mut self, line: &str) {
        if self.nextest_line(line) || self.libtest_line(line) {
            return;
        }
        let (Block::Libtest(name) | Block::Nextest(name)) = &self.block else { return };
        let text = match &self.block {
            Block::Nextest(_) => line.strip_prefix("    ").unwrap_or(line.trim_start()),
            _ => line,
        };
        let output = self.outputs.entry(name.clone()).or_default();
        if output.len() < MAX_KEPT_BYTES {
            output.push_str(text);
            output.push('\n');
        }
    }

    pub fn end(mut self) -> Tests {
        let outputs = &mut self.outputs;
        let failed = self.failed.into_iter().map(|name| {
            let output = outputs.remove(&name).unwrap_or_default();
            Failed { name, output }
        });
        Tests { failed: failed.collect(), passed: self.passed, skipped: self.skipped }
    }

    fn libtest_line(&mut self, line: &str) -> bool {
        let suite = line
            .trim_start()
            .strip_prefix("Running ")
            .or(line.trim_start().strip_prefix("Doc-tests "));
        if let Some(suite) = suite.filter(|_| line.starts_with("  ")) {
            suite.split(" (").next().unwrap_or(suite).clone_into(&mut self.suite);
            self.block = Block::None;
            return true;
        }
        if let Some(result) = line.strip_prefix("test result: ") {
            self.passed += number_before(result, " passed");
            self.skipped += number_before(result, " ignored");
            self.block = Block::None;
            return true;
        }
        if let Some(reason) = line.trim_start().strip_prefix("process didn't exit successfully: ") {
            self.ended(reason);
            return true;
        }
        if line == "failures:" || line.starts_with("error: test failed") {
            self.block = Block::None;
            return true;
        }
        let header = line.strip_prefix("---- ").and_then(|rest| rest.strip_suffix(" ----"));
        if let Some(header) = header {
            let name = header.trim_end_matches(" stdout").trim_end_matches(" stderr");
            self.block = Block::Libtest(name.to_owned());
            return true;
        }
        let Some(rest) = line.strip_prefix("test ").filter(|_| self.block == Block::None) else {
            return false;
        };
        let Some((name, result)) = rest.rsplit_once(" ... ") else { return false };
        if result.starts_with("FAILED") {
            self.fail(name.trim().trim_end_matches(" - should panic"));
        }
        true
    }

    /// A test program that did not come to its own result: killed, or aborted.
    fn ended(&mut self, reason: &str) {
        if let Some((_, signal)) = reason.rsplit_once('(').filter(|(_, end)| end.contains("signal"))
        {
            let name = self.suite.clone();
            self.outputs.insert(name.clone(), signal.trim_end_matches(')').to_owned());
            self.fail(&name);
        }
    }

    fn nextest_line(&mut self, line: &str) -> bool {
        let trimmed = line.trim_start();
        if let Some((_, counts)) =
            trimmed.strip_prefix("Summary [").and_then(|r| r.split_once("] "))
        {
            self.passed += number_before(counts, " passed");
            self.skipped += number_before(counts, " skipped");
            self.block = Block::None;
            self.is_past_summary = true;
            return true;
        }
        // Between their own lines nextest indents what a test wrote by four spaces and no more than
        // a status word's width; a status line has its time in brackets.
        let Some((word, rest)) = trimmed.split_once(" [") else { return false };
        let Some((time, rest)) = rest.split_once(']') else { return false };
        if !line.starts_with("  ") || !time.trim().trim_start_matches('>').ends_with('s') {
            return false;
        }
        let is_try = word.starts_with("TRY ");
        let word = word.rsplit(' ').next().unwrap_or(word);
        match word {
            "PASS" | "SLOW" | "LEAK" | "SETUP" => self.block = Block::None,
            "FAIL" | "ABORT" | "TIMEOUT" | "TMT" => self.nextest_failed(rest, is_try),
            signal if signal.starts_with("SIG") => self.nextest_failed(rest, is_try),
            _ => return false,
        }
        true
    }

    fn nextest_failed(&mut self, rest: &str, is_try: bool) {
        let rest = rest.trim_start();
        let counter = rest.starts_with('(').then(|| rest.split_once(") ")).flatten();
        let name = counter.map_or(rest, |(_, name)| name).trim();
        // A retried test has failed only if the closing list says so.
        if !is_try || self.is_past_summary {
            self.fail(name);
        }
        if !self.is_past_summary {
            self.outputs.remove(name);
            self.block = Block::Nextest(name.to_owned());
        }
    }

    fn fail(&mut self, name: &str) {
        if self.known.insert(name.to_owned()) {
            self.failed.push(name.to_owned());
        }
    }
}

/// The number before a word: 12 in `12 passed; 1 failed`.
fn number_before(text: &str, word: &str) -> usize {
    let before = text.split_once(word).map_or("", |(before, _)| before);
    let digits = before.rsplit(|c: char| !c.is_ascii_digit()).next();
    digits.and_then(|digits| digits.parse().ok()).unwrap_or_default()
}

/// A test's output without stack backtraces: what matters stands before them.
fn without_backtraces(output: &str) -> String {
    let mut kept = String::new();
    let mut is_inside = false;
    for line in output.lines() {
        is_inside |= line.starts_with("stack backtrace:");
        if !is_inside {
            kept.push_str(line);
            kept.push('\n');
        }
        // The backtrace ends with its own note, or with the first line that is not a frame.
        is_inside &= !line.starts_with("note: ");
    }
    kept
}

/// The end of a text that is too long; failures stand at the end.
fn tail(text: &str) -> String {
    if text.len() <= MAX_OUTPUT_BYTES {
        return text.to_owned();
    }
    let start = text.len() - MAX_OUTPUT_BYTES;
    let start = (start..text.len()).find(|&at| text.is_char_boundary(at)).unwrap_or(start);
    format!("… {start} bytes left out\n{}", text.get(start..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(output: &str) -> Tests {
        let mut log = TestLog::default();
        output.lines().for_each(|line| log.line(line));
        log.end()
    }

    fn names(tests: &Tests) -> Vec<&str> {
        tests.failed.iter().map(|failed| failed.name.as_str()).collect()
    }

    #[test]
    fn cargos_own_output_is_read_with_doc_tests_and_an_aborted_program() {
        let tests = read(include_str!("../../tests/captured/cargo-test.txt"));
        assert_eq!(
            names(&tests),
            ["tests::errs", "tests::adds", "tests/outer.rs", "src/lib.rs - add (line 5)"]
        );
        assert_eq!(tests.summary(), "4 failed, 2 passed, 1 skipped");
        assert_eq!(tests.failed[0].output.trim(), "Error: \"no such thing\"");
        assert!(tests.failed[2].output.contains("SIGABRT"), "{:?}", tests.failed[2]);
    }

    #[test]
    fn nextests_output_is_read() {
        let tests = read(include_str!("../../tests/captured/nextest.txt"));
        assert_eq!(
            names(&tests),
            [
                "demo tests::errs",
                "demo::outer aborts",
                "demo::outer does_not_panic",
                "demo::outer outer_one",
                "demo tests::adds"
            ]
        );
        assert_eq!(tests.summary(), "5 failed, 1 passed, 1 skipped");
        assert!(tests.failed[3].output.contains("panicked at tests/outer.rs:2:48"));
    }

    #[test]
    fn a_finding_says_the_panic_first_and_leaves_backtraces_out() {
        let cx = Context { root: "/nowhere".into() };
        let tests = read(include_str!("../../tests/captured/cargo-test.txt"));
        let message = tests.findings(&cx)[1].message.clone();
        let first = message.lines().next().unwrap();
        assert_eq!(first, "tests::adds: assertion `left == right` failed: one and two");
        assert!(message.contains(" right: 4") && !message.contains("backtrace"), "{message}");
    }

    #[test]
    fn what_a_test_prints_is_not_taken_for_a_result() {
        let tests = read("---- a stdout ----\ntest b ... FAILED\n\nfailures:\n    a\n");
        assert!(tests.failed.is_empty());
        let tests = read("test result: nonsense\ntest with no result\n---- ----\n");
        assert_eq!(tests, Tests::default());
    }
}

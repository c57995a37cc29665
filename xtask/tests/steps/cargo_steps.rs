//! fmt, lint and test on a tiny crate.

use crate::fixture::{Fixture, findings, has_program, path_without, said};
use report::{Outcome, Status};

const UGLY: &str = "//! Demo.\npub fn add(a: u32, b: u32) -> u32 {\n    return a+b;\n}\n";
const TIDY: &str = "//! Demo.\npub fn add(a: u32, b: u32) -> u32 {\n    a + b\n}\n";

const TESTED: &str = r#"//! Demo.

/// Adds.
///
/// ```
/// assert_eq!(demo::add(1, 2), 4);
/// ```
pub fn add(a: u32, b: u32) -> u32 {
    a + b
}

#[cfg(test)]
mod tests {
    #[test]
    fn right() {
        assert_eq!(super::add(1, 2), 3);
    }
    #[test]
    fn wrong() {
        assert_eq!(super::add(1, 2), 4, "one and two");
    }
    #[test]
    #[ignore = "slow"]
    fn slow() {}
}
"#;

fn count(outcome: &Outcome, name: &str) -> f64 {
    outcome.measures.iter().find(|measure| measure.name == name).unwrap().value
}

#[test]
fn formatting_is_checked_then_mended() {
    let fixture = Fixture::library(UGLY);
    let (outcome, code, _) = fixture.step("fmt");
    assert_eq!((outcome.status, code), (Status::Failed, 1));
    assert_eq!(findings(&outcome), ["src/lib.rs:1 rustfmt::diff"]);
    assert_eq!(outcome.summary, "1 file to format");
    let fixed = fixture.xtask(&["fmt", "--fix"]).output().unwrap();
    assert!(fixed.status.success(), "{}", said(&fixed));
    assert_eq!(fixture.step("fmt").0.status, Status::Passed);
}

#[test]
fn what_rustfmt_cannot_read_is_a_finding() {
    let fixture = Fixture::library("pub fn add( {\n");
    let (outcome, code, text) = fixture.step("fmt");
    assert_eq!(code, 1);
    assert!(findings(&outcome)[0].starts_with("src/lib.rs:1 rustfmt::error"), "{text}");
}

#[test]
fn a_diagnostic_is_one_finding_for_library_and_tests() {
    let fixture = Fixture::library(UGLY);
    let (outcome, code, text) = fixture.step("lint");
    assert_eq!((outcome.status, code), (Status::Failed, 1));
    assert_eq!(findings(&outcome), ["src/lib.rs:3:5 clippy::needless_return"]);
    let finding = &outcome.findings[0];
    assert_eq!(finding.help.as_deref(), Some("remove `return`: `a+b`"));
    assert!(finding.url.as_ref().unwrap().ends_with("#needless_return"), "{finding:?}");
    assert!(text.contains("3 |     return a+b;"), "the compiler's own rendering is kept: {text}");
    fixture.write("src/lib.rs", TIDY);
    let (outcome, code, _) = fixture.step("lint");
    assert_eq!(
        (outcome.status, code, outcome.summary.as_str()),
        (Status::Passed, 0, "no warnings")
    );
}

#[test]
fn an_error_has_its_code_and_a_broken_manifest_its_message() {
    let fixture = Fixture::library("pub fn f() -> u32 {\n    \"one\"\n}\n");
    let (outcome, _, _) = fixture.step("lint");
    assert_eq!(findings(&outcome), ["src/lib.rs:2:5 rustc::E0308"]);
    let url = outcome.findings[0].url.as_deref();
    assert_eq!(url, Some("https://doc.rust-lang.org/error_codes/E0308.html"));
    fixture.write("Cargo.toml", "[package\n");
    let (outcome, code, _) = fixture.step("lint");
    assert_eq!((findings(&outcome), code), (vec![" cargo::error".to_owned()], 1));
    assert!(outcome.findings[0].message.contains("Cargo.toml"), "{outcome:?}");
}

#[test]
fn suggestions_are_applied_on_request() {
    let fixture = Fixture::library(UGLY);
    let fixed = fixture.xtask(&["lint", "--fix"]).output().unwrap();
    assert!(fixed.status.success(), "{}", said(&fixed));
    assert!(!fixture.read("src/lib.rs").contains("return"));
}

#[test]
fn a_failed_test_is_a_finding_at_its_panic_with_cargos_runner() {
    let fixture = Fixture::library(TESTED);
    let mut command = fixture.xtask(&["step", "test"]);
    command.env("PATH", path_without("cargo-nextest"));
    command.env("CARGO_HOME", fixture.root().join("target/home"));
    let (outcome, code, text) = fixture.step_with("test", &mut command);
    assert_eq!((outcome.status, code), (Status::Failed, 1), "{text}");
    assert_eq!(findings(&outcome), ["src/lib.rs:20:9 test::failed", "src/lib.rs:5:1 test::failed"]);
    assert!(outcome.findings[0].message.starts_with("tests::wrong: assertion"), "{outcome:?}");
    assert_eq!(count(&outcome, "tests.passed"), 1.0);
    assert_eq!(count(&outcome, "tests.skipped"), 1.0);
    assert!(text.contains("test result: FAILED. 1 passed; 1 failed; 1 ignored"), "{text}");
}

#[test]
fn nextest_runs_the_tests_and_cargo_the_doc_tests() {
    if !has_program("cargo-nextest") {
        return;
    }
    let fixture = Fixture::library(TESTED);
    let (outcome, code, text) = fixture.step("test");
    assert_eq!((outcome.status, code), (Status::Failed, 1), "{text}");
    assert_eq!(findings(&outcome), ["src/lib.rs:20:9 test::failed", "src/lib.rs:5:1 test::failed"]);
    assert!(outcome.findings[0].message.starts_with("demo tests::wrong: assertion"));
    assert_eq!(outcome.summary, "2 failed, 1 passed, 1 skipped");
    assert!(text.contains("2 tests run: 1 passed, 1 failed, 1 skipped"), "{text}");
}

#[test]
fn tests_that_do_not_compile_are_findings() {
    let source =
        format!("{TIDY}#[cfg(test)]\nmod tests {{\n    #[test]\n    fn a() {{ b() }}\n}}\n");
    let fixture = Fixture::library(&source);
    let (outcome, code, _) = fixture.step("test");
    assert_eq!((findings(&outcome), code), (vec!["src/lib.rs:8:14 rustc::E0425".to_owned()], 1));
    assert_eq!(outcome.summary, "does not compile: 1 error");
}

#[test]
fn arguments_reach_the_test_runner() {
    let fixture = Fixture::library(TESTED);
    let output = fixture.xtask(&["test", "--", "right"]).output().unwrap();
    let text = said(&output);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("test passed") && text.contains("1 passed"), "{text}");
}

#[test]
fn the_tests_typed_by_hand_are_a_run_that_is_replayed() {
    let fixture = Fixture::library(TIDY);
    let run = || {
        let output = fixture.xtask(&["test", "--format", "plain"]).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        said(&output)
    };
    assert!(run().contains("0 passed"));
    assert!(run().contains("1 from the cache"));
    fixture.write("src/lib.rs", TESTED);
    let output = fixture.xtask(&["test", "--format", "plain"]).output().unwrap();
    let text = said(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("src/lib.rs:20:9") && text.contains("2 failed, 1 passed"), "{text}");
}

#[test]
fn the_runners_variables_do_not_reach_the_tests() {
    let fixture = Fixture::library(
        "//! Demo.\n#[test]\nfn none() {\n    for name in [\"XTASK_OUTCOME\", \"XTASK_ARTIFACTS\", \
         \"CARGO_PKG_AUTHORS_OF_RUNNER\"] {\n        assert!(std::env::var_os(name).is_none());\n    }\n}\n",
    );
    let mut command = fixture.xtask(&["step", "test"]);
    command.env("XTASK_ARTIFACTS", fixture.root()).env("CARGO_PKG_AUTHORS_OF_RUNNER", "x");
    let (outcome, code, text) = fixture.step_with("test", &mut command);
    assert_eq!((outcome.summary.as_str(), code), ("1 passed", 0), "{text}");
}

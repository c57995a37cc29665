//! What a person sees who wrote something wrong into `xtask.toml`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use config::Config;
use std::path::Path;

fn error(text: &str) -> String {
    Config::parse(Path::new("xtask.toml"), text).unwrap_err().to_string()
}

const PROJECT: &str = "[project]\nname = \"shop\"\n";

fn error_after(text: &str) -> String {
    error(&format!("{PROJECT}\n{text}"))
}

#[test]
fn a_mistyped_key_is_a_near_miss() {
    insta::assert_snapshot!(error_after(
        "[steps.licenses]\nrun = \"reuse lint\"\nneed = [\"build\"]\n"
    ));
}

#[test]
fn a_mistyped_section_is_a_near_miss() {
    insta::assert_snapshot!(error_after("[step.licenses]\nrun = \"reuse lint\"\n"));
}

#[test]
fn a_wrong_type_says_what_was_expected_and_found() {
    insta::assert_snapshot!(error_after("[steps.lint]\ntimeout = 10\n"));
    insta::assert_snapshot!(error_after("[steps.lint]\nneeds = \"build\"\n"));
    insta::assert_snapshot!(error_after("[steps.lint]\nretries = -1\n"));
    insta::assert_snapshot!(error_after("[steps.lint]\nretries = 1.5\n"));
    insta::assert_snapshot!(error_after("[steps]\nlint = \"cargo clippy\"\n"));
    insta::assert_snapshot!(error_after("[steps.lint]\nwhen = 3\n"));
}

#[test]
fn a_step_that_could_not_be_named_or_started_is_refused() {
    insta::assert_snapshot!(error_after("[steps.-x]\nrun = \"true\"\n"));
    insta::assert_snapshot!(error_after("[steps.x]\nrun = \"a\\u0000b\"\n"));
}

#[test]
fn a_wrong_notation_shows_the_right_one() {
    insta::assert_snapshot!(error_after("[steps.lint]\ntimeout = \"10 minutes\"\n"));
    insta::assert_snapshot!(error_after("[cache]\nmax-size = \"5 gigs\"\n"));
    insta::assert_snapshot!(error_after("[steps.lint]\nwhen = \"cii\"\n"));
}

#[test]
fn an_unknown_need_names_the_step_that_was_meant() {
    insta::assert_snapshot!(error_after(
        "[steps.licenses]\nrun = \"x\"\nneeds = [\"fmt\", \"biuld\"]\n"
    ));
    insta::assert_snapshot!(error_after("[steps.licenses]\nrun = \"x\"\nneeds = [\"licenses\"]\n"));
}

#[test]
fn a_step_of_ones_own_needs_a_command() {
    insta::assert_snapshot!(error_after("[steps.tests]\ntimeout = \"1m\"\n"));
}

#[test]
fn paths_stay_inside_the_project() {
    insta::assert_snapshot!(error_after("[build]\nsite = \"../dist\"\n"));
    insta::assert_snapshot!(error_after(
        "[steps.lint]\ninputs = [\n  \"src/**\",\n  \"/etc/*\",\n]\n"
    ));
    insta::assert_snapshot!(error_after("[steps.lint]\ninputs = [\"src/[\"]\n"));
}

#[test]
fn a_smoke_check_is_checked() {
    insta::assert_snapshot!(error_after(
        "[[smoke]]\npath = \"/\"\n\n[[smoke]]\npath = \"health\"\n"
    ));
    insta::assert_snapshot!(error_after("[[smoke]]\npath = \"/\"\nexpect = { status = 20 }\n"));
    insta::assert_snapshot!(error_after(
        "[[smoke]]\npath = \"/\"\nexpect = { json = { status = 1 } }\n"
    ));
}

#[test]
fn text_that_is_not_toml_is_shown() {
    insta::assert_snapshot!(error("[project\nname = \"shop\"\n"));
    insta::assert_snapshot!(error("[project]\nname = \"shop\nnext = 1\n"));
    insta::assert_snapshot!(error("[project]\nname = \"a\"\nname = \"b\"\n"));
    insta::assert_snapshot!(error(""));
}

#[test]
fn wide_characters_and_tabs_are_counted_as_characters() {
    insta::assert_snapshot!(error_after("[steps.lint]\n\trun = \"grüße\"\n\tretry = 1\n"));
}

#[test]
fn a_missing_file_says_how_to_get_one() {
    let folder = tempfile::tempdir().unwrap();
    let error = Config::load(folder.path()).unwrap_err();
    assert_eq!(error.position, None);
    insta::assert_snapshot!(format!("{}; help: {}", error.message, error.help.unwrap()));
}

#[test]
fn a_file_that_is_not_text_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(config::FILE_NAME), b"[project]\nname = \"\xff\"").unwrap();
    let error = Config::load(folder.path()).unwrap_err().to_string();
    let (_, shown) = error.split_once(config::FILE_NAME).unwrap();
    insta::assert_snapshot!(shown);
}

#[test]
fn a_pipe_is_not_waited_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(config::FILE_NAME);
    assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
    let message = Config::load(folder.path()).unwrap_err().message;
    assert_eq!(message, "expected a regular file, found something else");
}

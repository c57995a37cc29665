//! Tools found beside an installed program, and the release served around them. Scripts stand in
//! for the tools: what is tested is how they are called.

use crate::fixture::{Fixture, XTASK, said, script};
use report::Status;
use std::path::PathBuf;

const CONFIG: &str = "[project]\nname = \"demo\"\n[build]\nsite = \"site\"\n[e2e]\n\
    run = \"echo journeys at $BASE_URL with\"\n";

/// Answers as the edge does, and writes down how it was called and that it ended.
const EDGE: &str = r#"echo "$@" > edge.called
echo '{"listening":"http://127.0.0.1:4242","release":"r1"}'
cat > /dev/null
echo ended > edge.ended
"#;

/// Passes, and says how it was called in its outcome.
const TOOL: &str = r#"echo "{\"status\": \"passed\", \"summary\": \"$*\"}" > "$XTASK_OUTCOME"
"#;

struct Installed {
    fixture: Fixture,
    /// Where the program lies, outside any target folder's profile.
    _folder: tempfile::TempDir,
    program: PathBuf,
}

fn install() -> Installed {
    let fixture = Fixture::new(&[("xtask.toml", CONFIG)]);
    fixture.write("target/xtask/releases/r1/manifest.json", "{}");
    fixture.write("target/xtask/releases/latest", "r1\n");
    // On the file system of the binary, so that a link will do.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let program = folder.path().join("xtask");
    std::fs::hard_link(XTASK, &program).unwrap();
    script(&folder.path().join("xtask-edge"), EDGE);
    for tool in ["smoke", "budget", "audit"] {
        script(&folder.path().join(format!("xtask-{tool}")), TOOL);
    }
    Installed { fixture, _folder: folder, program }
}

#[test]
fn a_tool_that_asks_is_given_the_served_release_and_the_edge_ends_with_it() {
    let installed = install();
    let fixture = &installed.fixture;
    let mut step = fixture.command(&installed.program, &["step", "budget", "--runs", "3"]);
    let (outcome, code, text) = fixture.step_with("budget", &mut step);
    assert_eq!((outcome.status, code), (Status::Passed, 0), "{text}");
    let release = fixture.root().join("target/xtask/releases/r1");
    let release = release.to_str().unwrap();
    let expected = format!("--url http://127.0.0.1:4242 --release {release} --runs 3");
    assert_eq!(outcome.summary, expected);
    assert_eq!(fixture.read("edge.called"), format!("--release {release} --with-parent\n"));
    assert_eq!(fixture.read("edge.ended"), "ended\n");
}

#[test]
fn a_url_of_ones_own_is_asked_and_nothing_is_served() {
    let installed = install();
    let fixture = &installed.fixture;
    let arguments = ["smoke", "--url", "http://127.0.0.1:1"];
    let output = fixture.command(&installed.program, &arguments).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    assert!(said(&output).contains("--url http://127.0.0.1:1"), "{}", said(&output));
    assert!(!fixture.root().join("edge.called").exists());
}

#[test]
fn journeys_are_told_the_address_and_the_arguments() {
    let installed = install();
    let fixture = &installed.fixture;
    let output = fixture.command(&installed.program, &["e2e", "--", "a b", "c"]).output().unwrap();
    let text = said(&output);
    assert!(text.contains("journeys at http://127.0.0.1:4242 with a b c"), "{text}");
    assert_eq!(fixture.read("edge.ended"), "ended\n");
}

#[test]
fn a_missing_release_names_the_command_that_makes_one() {
    let installed = install();
    let fixture = &installed.fixture;
    std::fs::remove_file(fixture.root().join("target/xtask/releases/latest")).unwrap();
    let output = fixture.command(&installed.program, &["smoke"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("cargo xtask build"), "{}", said(&output));
}

#[test]
fn a_tool_that_dies_without_an_outcome_has_failed() {
    let installed = install();
    let fixture = &installed.fixture;
    script(&installed.program.with_file_name("xtask-audit"), "kill -9 $$\n");
    let mut step = fixture.command(&installed.program, &["step", "audit"]);
    let (outcome, code, _) = fixture.step_with("audit", &mut step);
    assert_eq!((outcome.status, code), (Status::Failed, 1));
    assert!(outcome.summary.contains("exit code 137"), "{}", outcome.summary);
}

#[test]
fn an_edge_that_gives_up_says_why_in_the_outcome() {
    let installed = install();
    let fixture = &installed.fixture;
    let edge = installed.program.with_file_name("xtask-edge");
    script(&edge, "echo 'starting' >&2; echo 'error: the server is not there' >&2; exit 3\n");
    let mut step = fixture.command(&installed.program, &["step", "smoke"]);
    let (outcome, code, _) = fixture.step_with("smoke", &mut step);
    assert_eq!((outcome.status, code), (Status::Failed, 3));
    assert!(outcome.summary.ends_with("r1: the server is not there"), "{}", outcome.summary);
}

//! What is selected and shown, and what is wrong with a plan.

use crate::fixture::Project;
use report::Status;
use std::process::Command;

const CHAIN: &str = r#"
[steps.style]
run = "true"
inputs = ["src/**"]
[steps.compile]
run = "true"
inputs = ["src/**"]
[steps.probe]
run = "true"
needs = ["compile"]
inputs = ["checks/**"]
[steps.docs]
run = "true"
inputs = ["docs/**", "!docs/draft/**"]
"#;

fn names(dry_run: &str) -> Vec<&str> {
    let mut names: Vec<&str> =
        dry_run.lines().map(|line| line.split_whitespace().nth(1).unwrap()).collect();
    names.sort_unstable();
    names
}

#[test]
fn a_cycle_is_shown_as_the_cycle() {
    let project = Project::new(
        "[steps.a]\nrun = \"true\"\nneeds = [\"b\"]\n[steps.b]\nrun = \"true\"\nneeds = [\"c\"]\n\
         [steps.c]\nrun = \"true\"\nneeds = [\"a\"]\n",
    );
    let ran = project.ci(&[]).expect(2);
    assert!(ran.stderr.contains("a -> b -> c -> a"), "{}", ran.stderr);
}

#[test]
fn an_unknown_need_or_name_is_answered_with_the_one_meant() {
    let project = Project::new(
        "[steps.compile]\nrun = \"true\"\n[steps.probe]\nrun = \"true\"\nneeds = [\"compiel\"]\n",
    );
    let ran = project.ci(&[]).expect(2);
    assert!(ran.stderr.contains("compiel") && ran.stderr.contains("`compile`"), "{}", ran.stderr);

    let project = Project::new(CHAIN);
    let ran = project.ci(&["--only", "prob"]).expect(2);
    assert!(ran.stderr.contains("did you mean `probe`?"), "{}", ran.stderr);
}

#[test]
fn the_plan_is_drawn_and_nothing_runs() {
    let project = Project::new(CHAIN);
    insta::assert_snapshot!(project.ci(&["--graph"]).expect(0).stdout, @r"
    compile
    docs
    probe    after compile
    style
    ");
    insta::assert_snapshot!(project.ci(&["--graph=mermaid", "--only", "probe"]).expect(0).stdout, @r#"
    flowchart LR
        s1["compile"]
        s3["probe"]
        s1 --> s3
    "#);
    let dot = project.ci(&["--graph=dot"]).expect(0).stdout;
    assert!(dot.starts_with("digraph") && dot.contains("\"compile\" -> \"probe\""), "{dot}");
    assert!(!project.has("target/xtask/runs"));
}

#[test]
fn the_plan_for_github_is_one_line_and_an_output() {
    let project = Project::new(CHAIN);
    let output = project.root().join("github-output");
    let mut command = project.command(&["--plan", "github", "--only", "probe"]);
    let ran = command.env("GITHUB_OUTPUT", &output).output().unwrap();
    let line = String::from_utf8(ran.stdout).unwrap();
    insta::assert_snapshot!(line, @r#"{"include":[{"name":"compile","args":"ci --only compile","needs":[],"level":0},{"name":"probe","args":"ci --only probe","needs":["compile"],"level":1}]}"#);
    assert_eq!(project.read("github-output"), format!("matrix={line}"));
}

#[test]
fn a_dry_run_says_what_would_run_and_why() {
    let project = Project::new(CHAIN);
    project.write("src/main.rs", "one");
    project.write("checks/home", "200");
    let text = project.ci(&["--dry-run"]).expect(0).stdout;
    assert_eq!(names(&text), ["compile", "docs", "probe", "style"]);
    assert!(text.lines().all(|line| line.starts_with("run ")), "{text}");
    assert!(!project.has("target/xtask/runs"));

    project.ci(&[]).expect(0);
    let text = project.ci(&["--dry-run"]).expect(0).stdout;
    assert!(text.lines().all(|line| line.starts_with("replay")), "{text}");

    project.write("checks/home", "404");
    let text = project.ci(&["--dry-run"]).expect(0).stdout;
    let run: Vec<&str> = text.lines().filter(|line| line.starts_with("run ")).collect();
    assert_eq!(run.len(), 1, "{text}");
    assert!(run[0].contains("probe") && run[0].contains("checks/home"), "{text}");
    let text = project.ci(&["--explain", "probe"]).expect(0).stdout;
    assert!(text.contains("checks/home"), "{text}");
}

#[test]
fn only_skip_and_from_choose() {
    let project = Project::new(CHAIN);
    let chosen = |arguments: &[&str]| {
        let arguments = [&["--dry-run"], arguments].concat();
        project.ci(&arguments).expect(0).stdout
    };
    assert_eq!(names(&chosen(&["--only", "probe,style"])), ["compile", "probe", "style"]);
    assert_eq!(names(&chosen(&["--skip", "compile", "--skip", "docs"])), ["probe", "style"]);
    assert_eq!(names(&chosen(&["--from", "compile"])), ["compile", "probe"]);
}

#[test]
fn when_says_where_a_step_runs() {
    let project = Project::new(
        "[steps.here]\nrun = \"true\"\nwhen = \"local\"\n[steps.there]\nrun = \"true\"\nwhen = \"ci\"\n\
         [steps.after]\nrun = \"true\"\nneeds = [\"there\"]\n[steps.hand]\nrun = \"true\"\nwhen = \"never\"\n",
    );
    project.ci(&[]).expect(0);
    assert_eq!(project.status("here"), Status::Passed);
    assert_eq!(project.step("there").outcome.summary, "only under CI");
    assert_eq!(project.status("after"), Status::Skipped);
    assert!(project.report().steps.iter().all(|step| step.name != "hand"));

    let output = project.command(&[]).env("CI", "true").output().unwrap();
    assert!(output.status.success());
    assert_eq!(project.status("here"), Status::Skipped);
    assert_eq!(project.status("after"), Status::Passed);

    project.ci(&["--only", "hand,there"]).expect(0);
    assert_eq!(project.status("hand"), Status::Passed);
    assert_eq!(project.status("there"), Status::Passed);
}

fn git(project: &Project, arguments: &[&str]) {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=t", "-c", "user.email=t@example.org"]).args(arguments);
    let output = command.current_dir(project.root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn affected_steps_are_those_that_a_change_reaches() {
    let project = Project::new(&format!(
        "{CHAIN}\n[steps.site]\nrun = \"true\"\nwhen = {{ changed = [\"site/**\"] }}\ninputs = [\"site/**\"]\n"
    ));
    for file in ["src/main.rs", "checks/home", "docs/a.md", "docs/draft/b.md", "site/index.html"] {
        project.write(file, "one");
    }
    project.write(".gitignore", "target\n");
    git(&project, &["init", "-q", "-b", "main"]);
    git(&project, &["add", "-A"]);
    git(&project, &["commit", "-q", "-m", "first"]);
    git(&project, &["checkout", "-q", "-b", "work"]);

    assert_eq!(project.ci(&["--affected", "--dry-run"]).expect(0).stdout, "");
    project.write("docs/draft/b.md", "two");
    assert_eq!(project.ci(&["--affected", "--dry-run"]).expect(0).stdout, "");
    project.write("checks/home", "two");
    git(&project, &["commit", "-q", "-a", "-m", "second"]);
    let text = project.ci(&["--affected=main", "--dry-run"]).expect(0).stdout;
    assert_eq!(names(&text), ["compile", "probe"]);
    project.write("src/new.rs", "untracked");
    let text = project.ci(&["--affected", "--dry-run"]).expect(0).stdout;
    assert_eq!(names(&text), ["compile", "probe", "style"]);
    project.ci(&["--affected=nowhere", "--dry-run"]).expect(2);

    let text = project.ci(&["--dry-run"]).expect(0).stdout;
    assert!(text.contains("skip    site"), "{text}");
    project.write("site/index.html", "two");
    let text = project.ci(&["--dry-run"]).expect(0).stdout;
    assert!(text.contains("run     site"), "{text}");
}

#[test]
fn needs_that_are_no_plan_are_shown_in_the_file() {
    let circle = Project::new(
        "[steps.a]\nrun = \"true\"\nneeds = [\"b\"]\n[steps.b]\nrun = \"true\"\nneeds = [\"c\"]\n\
         [steps.c]\nrun = \"true\"\nneeds = [\"a\"]\n",
    );
    let said = circle.ci(&["--dry-run"]).expect(2).stderr;
    let message = "xtask.toml:7:10: the steps need each other in a circle: a -> b -> c -> a";
    assert!(said.contains(message) && said.contains("help: take one"), "{said}");

    let absent = Project::new("[steps.a]\nrun = \"true\"\nneeds = [\"lint\"]\n");
    let said = absent.ci(&["--dry-run"]).expect(2).stderr;
    let message = "xtask.toml:7:10: step `a` needs `lint`, which is no step";
    assert!(said.contains(message) && said.contains("help: `lint` is no step"), "{said}");
}

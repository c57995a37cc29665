use crate::support::{EVIDENCE, Project, RELEASE, flip};
use release::Release;
use report::{
    Artifact, Finding, Measure, Outcome, Report, SCHEMA_VERSION, Status, StepReport, Unit,
};
use serde_json::Value;
use std::fs;

fn step(name: &str, outcome: Outcome) -> StepReport {
    StepReport {
        name: name.to_owned(),
        outcome,
        needs: Vec::new(),
        start_ms: 2_000,
        end_ms: 3_000,
        allow_failure: false,
        attempts: 1,
        fingerprint: Some("f00d".to_owned()),
        output: None,
    }
}

fn build_step(release: &Release) -> StepReport {
    let id = &release.manifest().id;
    let path = format!("target/xtask/releases/{id}");
    let artifacts = vec![Artifact { name: "release".to_owned(), path }];
    step("build", Outcome { artifacts, ..Outcome::passed("built") })
}

/// Writes the report of a run and has it recorded.
fn record(project: &Project, code: i32, steps: Vec<StepReport>, arguments: &[&str]) -> String {
    let report = Report {
        version: SCHEMA_VERSION,
        project: "plain".to_owned(),
        run: "20261123-084312-4711".to_owned(),
        started_at: "2026-11-23T08:43:12Z".to_owned(),
        duration_ms: 5_000,
        commit: None,
        status: Status::Passed,
        exit_code: 0,
        steps,
        critical_path: Vec::new(),
        advice: None,
        warnings: Vec::new(),
    };
    project.put("report.json", &serde_json::to_string(&report).unwrap());
    project.said(code, EVIDENCE, &[&["add", "--report", "report.json"], arguments].concat())
}

fn shown(project: &Project, code: i32) -> Value {
    serde_json::from_str(&project.run(EVIDENCE, &["show", "--json"]).out)
        .inspect(|_| {
            project.said(code, EVIDENCE, &["show"]);
        })
        .unwrap()
}

#[test]
fn steps_that_ended_are_recorded_and_shown() {
    let project = Project::new();
    project.trusted_key();
    let release = project.build();
    let said = project.said(0, EVIDENCE, &["show"]);
    assert!(said.contains("cargo xtask ci"), "{said}");
    let lcp = Measure::new("home.lcp", 1240.5, Unit::Ms).max(2500.0);
    let test = Outcome::of("412 passed", vec![Finding::warning("a::b", "careful")], vec![lcp]);
    let steps = vec![
        build_step(&release),
        step("test", test),
        step("smoke", Outcome::failed("2 of 10 answers are wrong")),
        step("e2e", Outcome::skipped("not asked for")),
        step("load", Outcome::new(Status::Cancelled, "")),
    ];
    let said = record(&project, 0, steps, &[]);
    assert!(said.contains("build, test, smoke\n"), "{said}");

    let said = project.said(0, EVIDENCE, &["show"]);
    assert!(said.contains(&release.manifest_sha256().to_string()), "{said}");
    assert!(said.contains("2026-11-23 08:43  release  ada@engine  412 passed"), "{said}");
    assert!(said.contains("smoke: failed: 2 of 10 answers are wrong"), "{said}");
    assert!(said.lines().all(|line| line.chars().count() <= 80), "{said}");

    let json = shown(&project, 0);
    let names: Vec<&str> =
        json["steps"].as_array().unwrap().iter().map(|it| it["step"].as_str().unwrap()).collect();
    assert_eq!(names, ["build", "smoke", "test"]);
    let test = &json["steps"][2];
    assert_eq!((&test["verdict"], &test["is_for_production"]), (&"passed".into(), &true.into()));
    assert_eq!(test["evidence"]["started_at"], "2026-11-23T08:43:14Z");
    assert_eq!(test["evidence"]["findings"]["warnings"], 1);
    assert_eq!(test["evidence"]["measures"][0]["limit"]["max"], 2500.0);
}

#[test]
fn the_latest_word_counts_and_other_steps_keep_theirs() {
    let project = Project::new();
    let release = project.build();
    let smoke = |outcome| vec![build_step(&release), step("smoke", outcome)];
    record(&project, 0, smoke(Outcome::passed("fine")), &[]);
    let build = fs::read(project.evidence_of(&release.manifest().id, "build")).unwrap();
    record(&project, 0, smoke(Outcome::failed("broken")), &["--step", "smoke"]);
    let json = shown(&project, 0);
    assert_eq!(json["steps"][1]["verdict"], "failed");
    assert_eq!(fs::read(project.evidence_of(&release.manifest().id, "build")).unwrap(), build);
    let said = record(&project, 2, smoke(Outcome::passed("")), &["--step", "lint"]);
    assert!(said.contains("no step \"lint\""), "{said}");
}

#[test]
fn evidence_that_is_not_to_be_believed_is_refused() {
    let project = Project::new();
    project.trusted_key();
    let release = project.build();
    let steps = || vec![build_step(&release), step("test", Outcome::passed("412 passed"))];
    record(&project, 0, steps(), &[]);
    let path = project.evidence_of(&release.manifest().id, "test");
    let verdict = |code| shown(&project, code)["steps"][1]["verdict"].clone();
    assert_eq!(verdict(0), "passed");

    let sound = fs::read_to_string(&path).unwrap();
    for at in [0, sound.len() / 4, sound.len() / 2, sound.len() - 30, sound.len() - 1] {
        flip(&path, at);
        assert_ne!(verdict(4), "passed", "byte {at}");
        fs::write(&path, &sound).unwrap();
    }
    fs::write(&path, sound.replace("412 passed", "413 passed")).unwrap();
    assert_eq!(verdict(4), "tampered");
    let said = project.said(4, EVIDENCE, &["show"]);
    let id = &release.manifest().id;
    let place = format!("\ntarget/xtask/evidence/{id}/test.json\n  tampered: the signature of");
    assert!(said.contains(&place) && said.contains("`cargo xtask ci`"), "{said}");
    assert!(said.lines().all(|line| line.chars().count() <= 80), "{said}");
    let shown = project.said(0, RELEASE, &["show"]);
    assert!(shown.contains("evidence   build\n           not test: tampered: "), "{shown}");
    fs::write(&path, "{}").unwrap();
    assert_eq!(verdict(4), "tampered");
    fs::copy(project.evidence_of(&release.manifest().id, "build"), &path).unwrap();
    assert_eq!(verdict(4), "wrong digest", "another step's");

    // The same, recorded where there is no key but the development key of another checkout.
    fs::remove_file(project.root().join("config/slipway/signing.key")).unwrap();
    record(&project, 0, steps(), &[]);
    assert_eq!(verdict(0), "passed", "this machine's development key is known here");
    fs::remove_dir_all(project.root().join("target/xtask/keys")).unwrap();
    assert_eq!(verdict(4), "wrong key");
}

#[test]
fn evidence_of_another_release_is_refused() {
    let project = Project::new();
    let old = project.build();
    record(&project, 0, vec![build_step(&old), step("test", Outcome::passed(""))], &[]);
    let new = project.build_with("another page");
    let id = &new.manifest().id;
    fs::create_dir_all(project.evidence_of(id, "test").parent().unwrap()).unwrap();
    fs::copy(project.evidence_of(&old.manifest().id, "test"), project.evidence_of(id, "test"))
        .unwrap();
    assert_eq!(shown(&project, 4)["steps"][0]["verdict"], "wrong digest");
}

#[test]
fn a_run_without_a_release_records_nothing() {
    let project = Project::new();
    let release = project.build();
    let failed = Outcome { status: Status::Failed, ..build_step(&release).outcome };
    record(&project, 2, vec![step("build", failed), step("test", Outcome::passed(""))], &[]);
    let path = "../elsewhere".to_owned();
    let artifacts = vec![Artifact { name: "release".to_owned(), path }];
    let outside = Outcome { artifacts, ..Outcome::passed("") };
    let said = record(&project, 2, vec![step("build", outside)], &[]);
    assert!(said.contains("inside the project"), "{said}");
    assert!(!project.root().join("target/xtask/evidence").exists());
}

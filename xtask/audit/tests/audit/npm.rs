//! `package-lock.json`: pinned, in step, known-vulnerable.

use crate::support::{Project, assert_shown};

const MANIFEST: &str = r#"{
  "name": "fixture",
  "dependencies": {
    "a": "^1.0.0",
    "jquery": "3.4.0"
  }
}
"#;

const LOCK: &str = r#"{
  "name": "fixture",
  "lockfileVersion": 3,
  "requires": true,
  "packages": {
    "": {
      "name": "fixture",
      "dependencies": {
        "a": "^1.0.0",
        "jquery": "3.4.0"
      }
    },
    "node_modules/a": {
      "version": "1.2.0",
      "resolved": "https://registry.npmjs.org/a/-/a-1.2.0.tgz",
      "integrity": "sha512-AAAA",
      "dependencies": {
        "lodash": "^4.0.0"
      }
    },
    "node_modules/a/node_modules/lodash": {
      "version": "4.17.20",
      "resolved": "https://registry.npmjs.org/lodash/-/lodash-4.17.20.tgz",
      "integrity": "sha512-BBBB"
    },
    "node_modules/jquery": {
      "version": "3.4.0",
      "resolved": "https://registry.npmjs.org/jquery/-/jquery-3.4.0.tgz",
      "integrity": "sha512-CCCC"
    }
  }
}
"#;

const DATABASE: &str = r#"{
  "lodash": { "vulnerabilities": [
    { "atOrAbove": "4.0.0", "below": "4.17.21", "severity": "high",
      "identifiers": { "summary": "Command injection", "CVE": ["CVE-2021-23337"], "githubID": "GHSA-35jh-r3h4-6jhm" },
      "info": ["https://example.org/1"] },
    { "below": "3.0.0", "severity": "low", "identifiers": {}, "info": [] }
  ] },
  "jQuery": { "npmname": "jquery", "vulnerabilities": [
    { "below": "3.5.0", "severity": "medium", "identifiers": { "summary": "XSS" }, "info": [] },
    { "below": "3.6.0", "excludes": ["3.4.0"], "identifiers": {}, "info": [] }
  ] },
  "a": { "vulnerabilities": [ { "below": 7 } ] }
}"#;

fn project(manifest: &str, lock: &str) -> Project {
    Project::new("").write("package.json", manifest).write("package-lock.json", lock)
}

#[test]
fn known_vulnerable_versions_are_found_with_their_way_in() {
    let project = project(MANIFEST, LOCK).write("retire.json", DATABASE);
    assert_shown!(project.run(&["--js-db", "retire.json"]), "npm_vulnerable");
    let by_variable = project.variable("XTASK_JS_DB", "retire.json").run(&[]);
    assert!(by_variable.rules().contains(&"GHSA-35jh-r3h4-6jhm"));
}

#[test]
fn a_vulnerability_is_accepted_by_any_of_its_names() {
    let toml = "[[audit.ignore]]\nid = \"CVE-2021-23337\"\nreason = \"x\"\nuntil = \"2999-01-01\"\n\
                [[audit.ignore]]\nid = \"retire::jquery\"\nreason = \"x\"\nuntil = \"2999-01-01\"\n";
    let project = Project::new(toml)
        .write("package.json", MANIFEST)
        .write("package-lock.json", LOCK)
        .write("retire.json", DATABASE);
    let run = project.run(&["--js-db", "retire.json"]);
    assert_eq!(run.code, 0, "{}", run.shown());
}

#[test]
fn without_a_database_that_is_said() {
    assert_shown!(project(MANIFEST, LOCK).run(&[]), "npm_pinned");
}

#[test]
fn what_is_not_pinned_is_an_error() {
    let lock = LOCK
        .replace("      \"integrity\": \"sha512-BBBB\"\n", "      \"hasInstallScript\": true\n")
        .replace("https://registry.npmjs.org/jquery/-/", "http://registry.npmjs.org/jquery/-/")
        .replace("\"sha512-CCCC\"", "\"sha1-CCCC\"")
        .replace(
            "https://registry.npmjs.org/a/-/a-1.2.0.tgz",
            "https://registry.npmjs.org/evil/-/a-1.2.0.tgz",
        );
    assert_shown!(project(MANIFEST, &lock).run(&[]), "npm_unpinned");
    let git = LOCK.replace(
        "https://registry.npmjs.org/a/-/a-1.2.0.tgz",
        "git+ssh://git@example.org/a.git#abc",
    );
    let run = project(MANIFEST, &git).run(&[]);
    assert_eq!((run.code, run.rules()[0]), (1, "audit::npm-git"));
}

#[test]
fn a_lock_out_of_step_is_an_error_on_the_line_that_differs() {
    let manifest =
        MANIFEST.replace("\"^1.0.0\"", "\"^2.0.0\"").replace("\"jquery\"", "\"left-pad\"");
    assert_shown!(project(&manifest, LOCK).run(&[]), "npm_step");
}

#[test]
fn workspaces_links_and_bundles_need_no_digest() {
    let lock = LOCK.replace(
        "    \"node_modules/jquery\": {",
        "    \"packages/own\": { \"version\": \"1.0.0\" },\n    \"node_modules/own\": { \"resolved\": \"packages/own\", \"link\": true },\n    \
         \"node_modules/a/node_modules/in\": { \"version\": \"1.0.0\", \"inBundle\": true },\n    \"node_modules/jquery\": {",
    );
    let run = project(MANIFEST, &lock).run(&[]);
    assert_eq!(run.rules(), ["audit::npm-no-database"], "{}", run.shown());
}

#[test]
fn a_workspace_out_of_step_is_found_in_its_own_manifest() {
    let lock = LOCK.replace(
        "    \"node_modules/jquery\": {",
        "    \"packages/own\": { \"version\": \"1.0.0\", \"dependencies\": { \"a\": \"^1.0.0\" } },\n    \"node_modules/jquery\": {",
    );
    let project = project(MANIFEST, &lock).write(
        "packages/own/package.json",
        "{\n  \"dependencies\": {\n    \"a\": \"^2.0.0\"\n  }\n}\n",
    );
    let run = project.run(&[]);
    let finding = &run.outcome.findings[0];
    assert_eq!(finding.rule, "audit::npm-step", "{}", run.shown());
    assert_eq!(finding.place, Some(report::Place::line("packages/own/package.json", 3)));
}

#[test]
fn version_1_is_read_too() {
    let lock = r#"{ "lockfileVersion": 1, "dependencies": {
  "a": { "version": "1.2.0", "resolved": "https://registry.npmjs.org/a/-/a-1.2.0.tgz", "integrity": "sha512-A",
    "requires": { "lodash": "^4" },
    "dependencies": {
      "lodash": {
        "version": "4.17.20", "resolved": "https://registry.npmjs.org/lodash/-/lodash-4.17.20.tgz" } } } } }"#;
    let run = project(MANIFEST, lock).run(&[]);
    assert_eq!(
        run.rules(),
        ["audit::npm-integrity", "audit::npm-step", "audit::npm-no-database"],
        "{}",
        run.shown()
    );
}

#[test]
fn a_damaged_lock_is_exit_2_with_its_place() {
    for (lock, expected) in [
        (&LOCK[..300], "package-lock.json:15:44: the file is cut off"),
        ("{ \"lockfileVersion\": 9 }", "found version 9"),
        ("{\n<<<<<<< HEAD\n}", "package-lock.json:2: a merge conflict"),
        (
            "{ \"lockfileVersion\": 3, \"packages\": { \"node_modules/a\": { \"version\": [] } } }",
            "cannot be read",
        ),
    ] {
        let run = project(MANIFEST, lock).run(&[]);
        assert_eq!(run.code, 2, "{}", run.shown());
        assert!(run.outcome.summary.contains(expected), "{}", run.outcome.summary);
    }
}

#[test]
fn a_file_that_is_no_database_is_exit_2() {
    let project = project(MANIFEST, LOCK).write("x.json", "[]").write("empty.json", "{}");
    for path in ["x.json", "empty.json", "missing.json"] {
        let run = project.run(&["--js-db", path]);
        assert_eq!(run.code, 2, "{}", run.shown());
        assert!(run.outcome.summary.contains("retire.js repository"), "{}", run.outcome.summary);
    }
}

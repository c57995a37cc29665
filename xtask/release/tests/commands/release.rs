use crate::support::{BUILD, Project, RELEASE, flip};
use serde_json::Value;
use std::fs;

#[test]
fn one_changed_byte_is_found() {
    let project = Project::new();
    project.trusted_key();
    let release = project.build();
    project.said(0, RELEASE, &["verify"]);
    let names = ["manifest.json", "manifest.sig", "site/index.html", "site/index.html.br"];
    for path in names.map(|name| release.dir().join(name)) {
        let sound = fs::read(&path).unwrap();
        for at in [0, sound.len() / 3, sound.len() / 2, sound.len() - 1] {
            flip(&path, at);
            project.said(4, RELEASE, &["verify"]);
        }
        fs::write(&path, sound).unwrap();
    }
    // White space leaves what the manifest says as it is.
    let path = release.dir().join("manifest.json");
    let json = fs::read_to_string(&path).unwrap();
    fs::write(&path, json.clone() + " ").unwrap();
    let said = project.said(4, RELEASE, &["verify"]);
    assert!(said.contains("does not match"), "{said}");
    fs::write(&path, json).unwrap();
    fs::remove_file(release.signature_path()).unwrap();
    let said = project.said(4, RELEASE, &["verify"]);
    assert!(said.contains("no signature") && said.contains("cargo xtask build"), "{said}");
    project.said(0, BUILD, &[]);
    project.said(0, RELEASE, &["verify"]);
}

#[test]
fn a_signature_of_another_release_is_refused() {
    let project = Project::new();
    project.trusted_key();
    let old = project.build();
    let new = project.build_with("another page");
    fs::copy(old.signature_path(), new.signature_path()).unwrap();
    project.said(4, RELEASE, &["verify"]);
    let said = project.said(0, RELEASE, &["list"]);
    assert!(said.lines().any(|line| line.ends_with("BAD SIGNATURE")), "{said}");
}

#[test]
fn a_release_is_signed_again_when_the_key_changed() {
    let project = Project::new();
    let release = project.build();
    let signature = fs::read(release.signature_path()).unwrap();
    project.build();
    assert_eq!(fs::read(release.signature_path()).unwrap(), signature, "the same key");
    project.trusted_key();
    assert_eq!(project.build().manifest().id, release.manifest().id);
    let said = project.said(0, RELEASE, &["verify"]);
    assert!(said.contains("signed by release ("), "{said}");
}

#[test]
fn releases_are_listed_and_shown() {
    let project = Project::new();
    let said = project.said(0, RELEASE, &["list"]);
    assert!(said.contains("cargo xtask build"), "{said}");
    project.trusted_key();
    let old = project.build();
    let new = project.build_with("another page");
    let said = project.said(0, RELEASE, &["list"]);
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines[1].starts_with(&format!("*  {}", new.manifest().id)), "{said}");
    assert!(lines[1].ends_with("release") && lines.iter().all(|line| line.len() <= 80), "{said}");
    assert!(lines[2].trim_start().starts_with(old.manifest().id.as_str()), "{said}");

    let listed: Value =
        serde_json::from_str(&project.said(0, RELEASE, &["list", "--json"])).unwrap();
    assert_eq!(listed[0]["is_latest"], true);
    assert_eq!(listed[1]["signature"]["is_for_production"], true);
    assert_eq!(listed[1]["files"], 2);

    let shown = project.said(0, RELEASE, &["show"]);
    assert!(shown.contains("x-frame-options: DENY"), "{shown}");
    let digits = old.manifest().id.as_str().rsplit('-').next().unwrap();
    let shown = project.said(0, RELEASE, &["show", digits, "--json"]);
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["manifest"]["id"], old.manifest().id.as_str());
    assert_eq!(shown["manifest_sha256"], old.manifest_sha256().to_string());
    let said = project.said(2, RELEASE, &["show", "nosuch"]);
    assert!(said.contains(old.manifest().id.as_str()), "{said}");
}

#[test]
fn what_is_different_is_told() {
    let project = Project::new();
    let a = project.build().manifest().id.to_string();
    project.put("public/new.txt", "new");
    fs::remove_file(project.root().join("public/photo.png")).unwrap();
    let toml = fs::read_to_string(project.root().join("xtask.toml")).unwrap();
    project.put("xtask.toml", &toml.replace("DENY", "SAMEORIGIN"));
    let b = project.build_with("shorter").manifest().id.to_string();
    let said = project.said(0, RELEASE, &["diff", &a, &b]);
    for line in [
        "~ index.html  1.3 KB -> 7 B",
        "+ new.txt  3 B",
        "- photo.png  10 B",
        "1 added, 1 removed, 1 changed: -1.3 KB",
        "~ x-frame-options: DENY -> SAMEORIGIN",
    ] {
        assert!(said.lines().any(|said| said == line), "{line}: {said}");
    }
    let json: Value =
        serde_json::from_str(&project.said(0, RELEASE, &["diff", &a, &b, "--json"])).unwrap();
    assert_eq!(json["files"][1]["kind"], "added");
    assert_eq!(project.said(0, RELEASE, &["diff", &a]), said, "with the latest");
    assert!(project.said(0, RELEASE, &["diff", &a, &a]).contains("no difference"));
}

#[test]
fn small_differences_are_told_too() {
    let project = Project::new();
    project.put("public/page.txt", &"x".repeat(5_000));
    project.put("public/other.txt", &"x".repeat(5_000));
    project.put("public/assets/app.4f9c2ab1.css", "body {}");
    let a = project.build().manifest().id.to_string();
    project.put("public/page.txt", &"y".repeat(5_004));
    project.put("public/other.txt", &"y".repeat(5_000));
    let b = project.build().manifest().id.to_string();
    let said = project.said(0, RELEASE, &["diff", &a, &b]);
    assert!(said.contains("~ page.txt  5.0 KB, +4 B\n"), "{said}");
    assert!(said.contains("~ other.txt  5.0 KB, the same size\n"), "{said}");

    // The bundler's names in a folder tell each other's cache class.
    project.put("public/assets/chunk-DiwrgTda.js", "let x = 1;");
    let c = project.build().manifest().id.to_string();
    project.put("public/assets/index-BX9c_1aZ.js", "let y = 1;");
    project.build();
    let said = project.said(0, RELEASE, &["diff", &c]);
    let sent = "= assets/chunk-DiwrgTda.js  the same, sent otherwise\n    cache: revalidate -> immutable\n";
    assert!(said.contains(sent), "{said}");
    assert!(said.contains("1 added, 1 sent otherwise: +10 B\n"), "{said}");
}

#[test]
fn a_name_that_means_no_release_or_several_offers_them() {
    let project = Project::new();
    let old = project.build().manifest().id.to_string();
    let new = project.build_with("another page").manifest().id.to_string();
    let lines = |said: &str| said.lines().map(str::to_owned).collect::<Vec<_>>();
    let said = project.said(2, RELEASE, &["show", "0000"]);
    assert_eq!(lines(&said)[1..], [format!("  {new}"), format!("  {old}")], "{said}");
    assert!(said.contains("\"0000\" may mean each of these"), "{said}");
    let said = project.said(2, RELEASE, &["diff", "nosuch"]);
    assert!(said.starts_with("error: no release \"nosuch\" is kept here"), "{said}");
    assert!(lines(&said).iter().all(|line| line.len() <= 80), "{said}");
}

#[test]
fn damage_is_told_with_the_file_and_what_to_do() {
    let project = Project::new();
    let release = project.build();
    let id = release.manifest().id.as_str();
    flip(&release.site_path("index.html"), 5);
    let said = project.said(4, RELEASE, &["verify"]);
    let file = format!("error: target/xtask/releases/{id}/site/index.html: expected SHA-256 ");
    assert!(said.starts_with(&file) && said.contains("help: `cargo xtask build`"), "{said}");

    let manifest = release.dir().join("manifest.json");
    fs::remove_file(&manifest).unwrap();
    let said = project.said(4, RELEASE, &["verify"]);
    assert!(said.contains("has no manifest.json") && said.contains("help: "), "{said}");
    let said = project.said(0, RELEASE, &["list"]);
    assert!(said.contains("-      -     DAMAGED\n"), "{said}");
    assert!(
        said.contains(&format!("{id} is damaged: target/xtask/releases/{id} is not")),
        "{said}"
    );

    project.put("target/xtask/releases/latest", "0000-00-00-000000000000\n");
    let said = project.said(0, RELEASE, &["list"]);
    assert!(said.contains("`latest` names none of them"), "{said}");
    for command in [&["show"][..], &["gc"]] {
        let said = project.said(2, RELEASE, command);
        assert!(said.contains("run `cargo xtask build`"), "{said}");
    }
}

#[test]
fn old_releases_and_their_evidence_are_deleted() {
    let project = Project::new();
    let old = project.build();
    let evidence = project.evidence_of(&old.manifest().id, "build");
    fs::create_dir_all(evidence.parent().unwrap()).unwrap();
    let new = project.build_with("another page");
    let said = project.said(0, RELEASE, &["gc", "--keep", "0", "--dry-run"]);
    assert!(said.contains(&format!("would delete {}", old.manifest().id)), "{said}");
    assert!(old.dir().is_dir());
    project.said(0, RELEASE, &["gc", "--keep", "0"]);
    assert!(!old.dir().exists() && !evidence.parent().unwrap().exists());
    assert!(new.dir().is_dir(), "the latest stays");
    assert!(project.said(0, RELEASE, &["gc", "--keep", "0"]).contains("nothing to delete"));
}

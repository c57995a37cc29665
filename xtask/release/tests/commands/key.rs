use crate::support::{BUILD, KEY, Project, RELEASE};
use release::signing::{KEY_DATA_ENV, KEY_FILE_ENV};
use std::fs;
use std::os::unix::fs::PermissionsExt;

#[test]
fn without_a_key_every_surface_says_so() {
    let project = Project::new();
    let said = project.said(2, KEY, &["show"]);
    assert!(said.contains("cargo xtask key new"), "{said}");
    assert!(!project.root().join("target").exists(), "a question makes no key");
    let surfaces = [
        project.said(0, BUILD, &[]),
        project.said(0, KEY, &["show"]),
        project.said(0, RELEASE, &["list"]),
        project.said(0, RELEASE, &["show"]),
        project.said(0, RELEASE, &["verify"]),
    ];
    for said in surfaces {
        assert!(said.contains("unsigned for production use"), "{said}");
    }
}

#[test]
fn a_key_is_made_trusted_and_used() {
    let project = Project::new();
    let said = project.said(0, KEY, &["new", "--name", "release-2026"]);
    let path = project.root().join("config/slipway/signing.key");
    assert!(said.contains(path.to_str().unwrap()) && said.contains("trusted = [\"RW"), "{said}");
    let secret = fs::read_to_string(&path).unwrap();
    assert!(!said.contains(secret.lines().nth(1).unwrap()));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

    project.build();
    let said = project.said(4, RELEASE, &["verify"]);
    assert!(said.contains("does not trust") && said.contains("[signing] trusted"), "{said}");
    let said = project.said(0, KEY, &["show"]);
    assert!(said.contains("not trusted by xtask.toml"), "{said}");

    let key = project.said(0, KEY, &["show", "--public"]);
    let toml = fs::read_to_string(project.root().join("xtask.toml")).unwrap();
    project.put("xtask.toml", &format!("{toml}[signing]\ntrusted = [\"{}\"]\n", key.trim()));
    let said = project.said(0, RELEASE, &["verify"]);
    assert!(said.contains("signed by release-2026 ("), "{said}");
    assert!(!said.contains("unsigned"), "{said}");

    let said = project.said(4, KEY, &["new"]);
    assert!(said.contains("already"), "{said}");
    assert_eq!(fs::read_to_string(&path).unwrap(), secret);
}

#[test]
fn a_build_server_gives_the_key_by_the_environment() {
    let project = Project::new();
    let key = project.trusted_key();
    let path = project.root().join("config/slipway/signing.key");
    let secret = fs::read_to_string(&path).unwrap();
    let elsewhere = project.root().join("deploy.key");
    fs::rename(&path, &elsewhere).unwrap();

    for (name, value) in
        [(KEY_DATA_ENV, secret.clone()), (KEY_FILE_ENV, elsewhere.display().to_string())]
    {
        let output = project.command(KEY, &["show"]).env(name, value).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(said.contains(&key) && said.contains(name), "{said}");
    }
    // The build command does not get to see it.
    let toml = fs::read_to_string(project.root().join("xtask.toml")).unwrap();
    let run = "[build]\nrun = \"env > environment\"";
    project.put("xtask.toml", &toml.replace("[build]", run));
    let output = project.command(BUILD, &[]).env(KEY_DATA_ENV, &secret).output().unwrap();
    assert!(output.status.success());
    let secret = secret.lines().nth(1).unwrap();
    for text in
        [output.stdout, output.stderr, fs::read(project.root().join("environment")).unwrap()]
    {
        assert!(!String::from_utf8_lossy(&text).contains(secret));
    }
    let said = project.said(0, RELEASE, &["verify"]);
    assert!(said.contains("signed by release ("), "{said}");
}

#[test]
fn a_key_that_others_can_read_signs_nothing() {
    let project = Project::new();
    project.trusted_key();
    let path = project.root().join("config/slipway/signing.key");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let said = project.said(4, BUILD, &[]);
    assert!(said.contains("chmod 600") && said.contains("0644"), "{said}");
    assert!(!project.root().join("target/xtask/releases").exists());
}

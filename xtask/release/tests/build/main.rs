//! `xtask-build` on small projects, seen from outside.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod again;
mod reproducible;

use release::signing::Trust;
use release::{CacheClass, Encoding, Release, ReleaseError};
use report::{Outcome, Status};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

const PLAIN: &str = "[project]\nname = \"plain\"\n[build]\nsite = \"public\"\n\
                     [headers]\nx-frame-options = \"DENY\"\n";

/// A project with an `xtask.toml` and a few files.
fn project(toml: &str, files: &[(&str, &str)]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    put(root.path(), "xtask.toml", toml);
    for (path, contents) in files {
        put(root.path(), path, contents);
    }
    root
}

fn plain() -> TempDir {
    let page = "<p>hello</p>\n".repeat(100);
    let files = [
        ("public/index.html", page.as_str()),
        ("public/assets/app.4f9c2ab1.css", "body { color: teal }"),
        ("public/photo.png", "not really"),
    ];
    project(PLAIN, &files)
}

fn put(root: &Path, path: &str, contents: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, contents).unwrap();
}

fn xtask_build(root: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xtask-build"))
        .args(arguments)
        .current_dir(root)
        .env_remove(report::OUTCOME_ENV)
        // Neither the machine's key nor its user's.
        .env_remove(release::signing::KEY_DATA_ENV)
        .env_remove(release::signing::KEY_FILE_ENV)
        .env_remove("XDG_CONFIG_HOME")
        .env("HOME", root)
        .output()
        .unwrap()
}

/// All files in a folder, sorted.
fn files_in(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut pending = vec![folder.to_path_buf()];
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { pending.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

/// Builds, expects success, and opens the release that `latest` names.
fn built(root: &Path) -> (Release, Outcome) {
    let output = xtask_build(root, &[]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let json = String::from_utf8(output.stdout).unwrap();
    let outcome = serde_json::from_str(&json[json.find('{').unwrap()..]).unwrap();
    let latest = release::latest(root).unwrap().unwrap();
    let release = Release::open(&latest.path).unwrap();
    release.verify().unwrap();
    (release, outcome)
}

/// Builds, expects this exit code, and gives what was said.
fn refused(root: &Path, code: i32) -> String {
    let output = xtask_build(root, &[]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{said}");
    said
}

fn measure(outcome: &Outcome, name: &str) -> f64 {
    outcome.measures.iter().find(|measure| measure.name == name).unwrap().value
}

#[test]
fn a_folder_of_html_becomes_a_release() {
    let root = plain();
    let (release, outcome) = built(root.path());
    let manifest = release.manifest();

    let paths: Vec<&str> = manifest.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["assets/app.4f9c2ab1.css", "index.html", "photo.png"]);
    let page = manifest.file("index.html").unwrap();
    assert_eq!(page.content_type, "text/html; charset=utf-8");
    assert_eq!(page.cache, CacheClass::Revalidate);
    assert_eq!(manifest.files[0].cache, CacheClass::Immutable);
    let encodings: Vec<Encoding> = page.variants.iter().map(|variant| variant.encoding).collect();
    assert_eq!(encodings, Encoding::ALL);
    assert!(manifest.file("photo.png").unwrap().variants.is_empty());
    assert_eq!(manifest.headers["x-frame-options"], "DENY");
    assert_eq!((&manifest.commit, &manifest.created), (&None, &None));

    let id = manifest.id.as_str();
    assert!(id.starts_with("0000-00-00-"), "{id}");
    assert_eq!(outcome.status, Status::Passed);
    assert_eq!(outcome.summary, format!("release {id}, unsigned for production use"));
    assert_eq!(outcome.artifacts[0].path, format!("target/xtask/releases/{id}"));
    assert_eq!(outcome.artifacts[1].path, "target/xtask/releases/latest");
    let pointer = fs::read_to_string(root.path().join("target/xtask/releases/latest")).unwrap();
    assert_eq!(pointer, format!("{id}\n"));
    assert!(measure(&outcome, "site.bytes.brotli") < measure(&outcome, "site.bytes"));

    let printed = xtask_build(root.path(), &["--print"]);
    assert_eq!(String::from_utf8(printed.stdout).unwrap(), pointer);
    let mode = fs::metadata(release.dir()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o755, "whoever may read the checkout may read the release");
    let signer = release.signer(&Trust::of_project(root.path(), &[]).unwrap()).unwrap();
    assert!(signer.name.is_development() && !signer.is_for_production);
}

#[test]
fn a_damaged_release_is_named_and_made_again() {
    let root = plain();
    let (release, _) = built(root.path());
    let page = release.site_path("index.html");
    let original = fs::read(&page).unwrap();

    let mut changed = original.clone();
    changed[3] ^= 1;
    fs::write(&page, changed).unwrap();
    let error = release.verify().unwrap_err();
    assert!(matches!(&error, ReleaseError::Digest { path, .. } if *path == page), "{error}");
    fs::write(&page, "short").unwrap();
    let error = release.verify().unwrap_err();
    assert!(matches!(error, ReleaseError::Size { expected: 1300, found: 5, .. }), "{error}");
    fs::remove_file(&page).unwrap();
    let error = release.verify().unwrap_err();
    assert!(matches!(error, ReleaseError::Missing { .. }), "{error}");
    fs::write(&page, original).unwrap();
    put(release.dir(), "site/extra.html", "smuggled in");
    let error = release.verify().unwrap_err();
    assert!(matches!(error, ReleaseError::Unlisted { .. }), "{error}");

    let (again, _) = built(root.path());
    assert_eq!(again.dir(), release.dir());
}

#[test]
fn a_changed_manifest_is_refused() {
    let root = plain();
    let (release, _) = built(root.path());
    let path = release.dir().join("manifest.json");
    let json = fs::read_to_string(&path).unwrap();
    fs::write(&path, json.replace("DENY", "SAMEORIGIN")).unwrap();
    assert!(matches!(Release::open(release.dir()), Err(ReleaseError::Id { .. })));
    fs::write(&path, json.replace("\"index.html\"", "\"../../x\"")).unwrap();
    assert!(matches!(Release::open(release.dir()), Err(ReleaseError::UnsafePath { .. })));
    fs::write(&path, &json[..json.len() / 2]).unwrap();
    assert!(matches!(Release::open(release.dir()), Err(ReleaseError::Malformed { .. })));
    fs::remove_file(&path).unwrap();
    assert!(matches!(Release::open(release.dir()), Err(ReleaseError::NoManifest { .. })));
}

#[test]
fn a_missing_or_empty_site_names_folder_and_command() {
    let toml = "[project]\nname = \"x\"\n[build]\nrun = \"mkdir -p out\"\nsite = \"public\"\n";
    let root = project(toml, &[]);
    let said = refused(root.path(), 2);
    assert!(said.contains("public") && said.contains("mkdir -p out"), "{said}");
    fs::create_dir(root.path().join("public")).unwrap();
    let said = refused(root.path(), 2);
    assert!(said.contains("public is empty") && said.contains("mkdir -p out"), "{said}");
    assert!(release::latest(root.path()).unwrap().is_none());
}

#[test]
fn a_failing_command_fails_the_step_and_changes_nothing() {
    let root = plain();
    let (release, _) = built(root.path());
    put(root.path(), "xtask.toml", &PLAIN.replace("[build]", "[build]\nrun = \"echo no; exit 7\""));
    let said = refused(root.path(), 1);
    assert!(said.contains("echo no; exit 7") && said.contains("exit status: 7"), "{said}");
    assert_eq!(release::latest(root.path()).unwrap().unwrap().path, release.dir());
}

#[test]
fn links_inside_are_followed_and_links_outside_refused() {
    let root = plain();
    let public = root.path().join("public");
    symlink("index.html", public.join("home.html")).unwrap();
    symlink("assets", public.join("static")).unwrap();
    let (release, _) = built(root.path());
    let manifest = release.manifest();
    let digest = |path: &str| manifest.file(path).unwrap().sha256;
    assert_eq!(digest("home.html"), digest("index.html"));
    assert_eq!(digest("static/app.4f9c2ab1.css"), digest("assets/app.4f9c2ab1.css"));

    for (target, why) in [("../xtask.toml", "leaves the site"), ("nowhere", "to nothing")] {
        symlink(target, public.join("link")).unwrap();
        let said = refused(root.path(), 2);
        assert!(said.contains(why) && said.contains("public/link"), "{said}");
        fs::remove_file(public.join("link")).unwrap();
    }
    symlink("..", public.join("assets/up")).unwrap();
    let said = refused(root.path(), 2);
    assert!(said.contains("a folder that holds it"), "{said}");
}

#[test]
fn what_is_no_file_is_refused_and_not_waited_for() {
    let root = plain();
    let pipe = root.path().join("public/pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let said = refused(root.path(), 2);
    assert!(said.contains("public/pipe is neither a file nor a folder"), "{said}");
}

#[test]
fn a_name_that_is_not_utf_8_is_named() {
    let root = plain();
    let name = std::ffi::OsStr::from_bytes(b"caf\xe9.html");
    fs::write(root.path().join("public").join(name), "x").unwrap();
    let said = refused(root.path(), 2);
    assert!(said.contains(r"caf\xE9.html"), "{said}");
}

#[test]
fn strange_names_are_kept_as_they_are() {
    let root = plain();
    put(root.path(), "public/a b\n\"c\" é %41.txt", "x");
    let (release, _) = built(root.path());
    assert!(release.manifest().file("a b\n\"c\" é %41.txt").is_some());
}

#[test]
fn what_is_not_for_the_public_stays_out() {
    let toml = "[project]\nname = \"x\"\n[build]\nsite = \".\"\nexclude = [\"drafts/**\"]\n";
    let files = [
        ("index.html", "hello"),
        (".env", "SECRET=1"),
        (".well-known/security.txt", "Contact: mailto:a@example.com"),
        ("drafts/next.html", "not yet"),
    ];
    let root = project(toml, &files);
    built(root.path());
    let (release, outcome) = built(root.path());
    let paths: Vec<&str> = release.manifest().files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, [".well-known/security.txt", "index.html"]);
    assert!(outcome.findings[0].message.contains(".env"), "{:?}", outcome.findings);
}

#[test]
fn a_file_of_the_site_is_never_replaced_by_a_variant() {
    let root = plain();
    put(root.path(), "public/index.html.br", "the site's own");
    put(root.path(), "public/index.html.gz/file.txt", "a folder of that name");
    let (release, _) = built(root.path());
    let page = release.manifest().file("index.html").unwrap();
    let encodings: Vec<Encoding> = page.variants.iter().map(|variant| variant.encoding).collect();
    assert_eq!(encodings, [Encoding::Zstd]);
    assert_eq!(fs::read(release.site_path("index.html.br")).unwrap(), b"the site's own");
}

#[test]
fn the_server_comes_along() {
    let toml = "[project]\nname = \"x\"\n[build]\nrun = \"cp source server.sh; chmod 700 server.sh\"\n\
                site = \"public\"\n[build.server]\npath = \"server.sh\"\nready = \"/ready\"\n\
                args = [\"--fast\"]\nenv = { MODE = \"demo\" }\n";
    let root = project(toml, &[("source", "#!/bin/sh\n"), ("public/index.html", "x")]);
    let (release, _) = built(root.path());
    let server = release.manifest().server.clone().unwrap();
    assert_eq!((server.path.as_str(), server.ready.as_str()), ("server/server.sh", "/ready"));
    assert_eq!((server.args, server.env["MODE"].as_str()), (vec!["--fast".to_owned()], "demo"));
    let mode = fs::metadata(release.server_path().unwrap()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o755);

    put(root.path(), "xtask.toml", &toml.replace("chmod 700", "chmod 600"));
    assert!(refused(root.path(), 2).contains("not an executable file"));
    put(root.path(), "xtask.toml", &toml.replace("cp source server.sh; chmod", "rm server.sh #"));
    let said = refused(root.path(), 2);
    assert!(said.contains("server.sh is missing") && said.contains("rm server.sh"), "{said}");
}

#[test]
fn a_pointer_is_believed_only_when_it_names_a_release() {
    let root = plain();
    built(root.path());
    let pointer = root.path().join("target/xtask/releases/latest");
    fs::write(&pointer, "../../../etc\n").unwrap();
    assert!(matches!(release::latest(root.path()), Err(ReleaseError::Pointer { .. })));
    fs::write(&pointer, "2026-11-23-000000000000\n").unwrap();
    assert!(matches!(release::latest(root.path()), Err(ReleaseError::Gone { .. })));
    built(root.path());
}

#[test]
fn nothing_built_yet_says_what_to_run() {
    let root = plain();
    let output = xtask_build(root.path(), &["--print"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cargo xtask build"));
}
